"""All SQL of the list of messages about a child's safety, and of since when somebody's reading of them counts."""

from collections.abc import Sequence
from datetime import datetime

from bookbag.directory.call import MemberTx
from services.messaging.model import PREVIEW_LIMIT, MessageId, Named, PersonId, Side, ThreadId
from services.messaging.safety.model import ONE_READING, Raised
from services.messaging.store import class_in, pupil_in, seat_in


async def raised(tx: MemberTx, *, before: tuple[datetime, MessageId] | None, limit: int) -> list[Raised]:
    """Messages to which the school alerts the member's role, newest first: the same as they may read in their threads."""
    moment, message = before or (None, None)
    rows = await tx.fetch(
        """
        select m.message_id, m.thread_id, m.seq, m.sent_at, m.author_id, m.author_side, coalesce(a.display_name, '') as author_name,
          left(case when m.withdrawn_at is null then coalesce(n.text, m.text) else '' end, $6) as preview,
          t.pupil_id, coalesce(p.display_name, '') as display_name, coalesce(p.first_name, '') as first_name,
          k.class_id, k.name as class_name, t.seat_id, coalesce(s.kind, '') as kind, coalesce(s.subject, '') as subject,
          array(select hp.display_name from known_seat_holder h
            join known_person hp on hp.school_id = h.school_id and hp.person_id = h.person_id
            where h.school_id = $1 and h.seat_id = t.seat_id and not h.ended order by 1) as holders
        from message m
        join thread t on t.school_id = m.school_id and t.thread_id = m.thread_id
        join known_person me on me.school_id = $1 and me.person_id = $7
        left join known_person a on a.school_id = $1 and a.person_id = m.author_id
        left join known_person p on p.school_id = $1 and p.person_id = t.pupil_id
        left join known_seat s on s.school_id = $1 and s.seat_id = t.seat_id
        left join known_class k on k.school_id = $1 and k.class_id = coalesce(s.class_id, (
          select e.class_id from known_enrolment e
          where e.school_id = $1 and e.pupil_id = t.pupil_id and not e.ended order by e.class_id limit 1))
        left join translation n on n.school_id = $1 and n.message_id = m.message_id and n.version = m.version
          and n.language = me.language and n.state = 'stored'
        where m.school_id = $1 and m.alerts is not null and $2 = any(m.alerts)
          and (m.sent_at, m.message_id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by m.sent_at desc, m.message_id desc limit $5
        """,
        tx.school, tx.member.role, moment, message, limit, PREVIEW_LIMIT, tx.person,
    )  # fmt: skip
    return [
        Raised(
            MessageId(row["message_id"]), ThreadId(row["thread_id"]), row["seq"], pupil_in(row), class_in(row), seat_in(row),
            Named(row["author_id"], row["author_name"]), Side(row["author_side"]), row["preview"], row["sent_at"],
        )
        for row in rows
    ]  # fmt: skip


async def begin_readings(tx: MemberTx, threads: Sequence[ThreadId]) -> list[PersonId]:
    """Note that the member reads about the children of these threads; gives those whose last reading counts no more, or who had none.
    Two requests at once begin one reading."""
    rows = await tx.fetch(
        "insert into safety_reading as r (school_id, person_id, role, pupil_id, at)"
        " select distinct $1::uuid, $2::uuid, $3::text, t.pupil_id, $4::timestamptz from thread t"
        " where t.school_id = $1 and t.thread_id = any($5::uuid[]) order by t.pupil_id"
        " on conflict (school_id, person_id, role, pupil_id) do update set at = excluded.at where r.at <= excluded.at - $6::interval"
        " returning pupil_id",
        tx.school, tx.person, tx.member.role, tx.now, list(threads), ONE_READING,
    )  # fmt: skip
    return [PersonId(row["pupil_id"]) for row in rows]
