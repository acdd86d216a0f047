"""All SQL of promised answers."""

from datetime import datetime

from bookbag.chassis.database import Row, Tx
from bookbag.directory.call import MemberTx
from services.messaging.answers.model import Overdue, Owed
from services.messaging.model import Right, ThreadId
from services.messaging.store import class_in, pupil_in, seat_in


async def owed(tx: Tx, thread: ThreadId) -> Owed | None:
    """What the family of a thread waits for; None when nobody does."""
    row = await tx.fetchrow("select * from owed_in($1, $2)", tx.school, thread)
    return _owed(row) if row is not None else None


async def settle(tx: MemberTx, right: Right, seq: int) -> None:
    """Note that nobody waits in a thread up to a message; never fewer than were noted before."""
    await tx.execute(
        "insert into settled as s (school_id, thread_id, seq, by_id, at) values ($1, $2, $3, $4, $5)"
        " on conflict (school_id, thread_id) do update set seq = excluded.seq, by_id = excluded.by_id, at = excluded.at"
        " where s.seq < excluded.seq",
        tx.school, right.thread, seq, tx.person, tx.now,
    )  # fmt: skip


async def overdue(tx: Tx, *, after: tuple[datetime, ThreadId] | None, limit: int) -> list[Overdue]:
    """Threads of the school whose promised answer is overdue, the longest first. A child without a family here is left out: nobody
    waits. Looks into each thread from its end, where the answer is if there is one."""
    moment, thread = after or (None, None)
    rows = await tx.fetch(
        """
        with late as (
          select t.thread_id, t.pupil_id, t.seat_id, o.seq, o.since, o.answer_by, o.messages
          from thread t cross join lateral owed_in(t.school_id, t.thread_id) o
          where t.school_id = $1 and o.answer_by < $2
            and (o.answer_by, t.thread_id) > (coalesce($3::timestamptz, '-infinity'), coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
            and exists (select from known_link l where l.school_id = $1 and l.pupil_id = t.pupil_id and not l.ended)
          order by o.answer_by, t.thread_id limit $5
        )
        select w.*, coalesce(p.display_name, '') as display_name, coalesce(p.first_name, '') as first_name,
          k.class_id, k.name as class_name, coalesce(s.kind, '') as kind, coalesce(s.subject, '') as subject,
          array(select hp.display_name from known_seat_holder h
            join known_person hp on hp.school_id = h.school_id and hp.person_id = h.person_id
            where h.school_id = $1 and h.seat_id = w.seat_id and not h.ended order by 1) as holders
        from late w
        left join known_person p on p.school_id = $1 and p.person_id = w.pupil_id
        left join known_seat s on s.school_id = $1 and s.seat_id = w.seat_id
        left join known_class k on k.school_id = $1 and k.class_id = coalesce(s.class_id, (
          select e.class_id from known_enrolment e
          where e.school_id = $1 and e.pupil_id = w.pupil_id and not e.ended order by e.class_id limit 1))
        order by w.answer_by, w.thread_id
        """,
        tx.school, tx.now, moment, thread, limit,
    )  # fmt: skip
    return [Overdue(ThreadId(row["thread_id"]), pupil_in(row), class_in(row), seat_in(row), _owed(row)) for row in rows]


def _owed(row: Row) -> Owed:
    return Owed(row["seq"], row["since"], row["answer_by"], row["messages"])
