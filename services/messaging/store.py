"""All SQL of threads, messages and receipts, as one member sees them.

The send is one call of one function; everything else runs inside the school's transaction that the call has opened.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message as Event

from bookbag.chassis import faults
from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database, Row, Tx, bucket_of, topic_of, trace_parent
from bookbag.directory.call import Member, MemberTx
from bookbag.school.policy.rules import Outcome, Sending
from services.messaging.held.model import Talks, codes
from services.messaging.model import (
    PREVIEW_LIMIT,
    Contact,
    LastMessage,
    Message,
    MessageId,
    Named,
    PersonId,
    Pupil,
    ReadBy,
    Relative,
    Right,
    Seat,
    SeatId,
    Side,
    Thread,
    ThreadId,
    translation_for,
    unread,
)


@dataclass(frozen=True, slots=True)
class Posted:
    """What `post_message` answered; all but `state` is there only when the message was taken, now or before (`fresh` says which)."""

    state: str
    message: MessageId
    seq: int
    sent_at: datetime
    language: str
    version: int
    author_name: str
    side: str
    fresh: bool
    visible_at: datetime | None
    answer_by: datetime | None
    reasons: Sequence[str]
    about_safety: bool


async def post_message(
    database: Database,
    member: Member,
    thread: ThreadId,
    message: MessageId,
    text: str,
    *,
    language: str | None,
    key: str,
    print_: bytes,
    now: datetime,
    event: Event,
    sending: Sending,
    alerts: Sequence[str] | None,
    talks: Talks,
) -> Posted:
    """Accept a message in one round trip, or learn why not. Durable when it returns `sent` or `held`."""
    kind = event.DESCRIPTOR.full_name
    await faults.reached(faults.BEFORE_INSERT, database.name)
    row = await database.fetchrow(
        "select * from post_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19, $20, $21, $22, $23, $24, $25)",
        member.school, member.person, member.role, member.session, member.epoch,
        thread, message, text, language, key, print_, now,
        new_id(), bucket_of(thread), topic_of(kind), kind, event.SerializeToString(), trace_parent(),
        sending.outcome is not Outcome.NOW, sending.visible_at, sending.answer_by, codes(sending), alerts, list(talks.begins),
        list(talks.answers),
    )  # fmt: skip
    await faults.reached(faults.AFTER_COMMIT, database.name)
    assert row is not None
    return Posted(*row)


async def find_right(tx: MemberTx, thread: ThreadId) -> Right | None:
    """The member's right in a thread, None without one."""
    row = await tx.fetchrow(
        "select t.head_seq, r.side, r.visible_from, p.language, r.only_safety from thread t"
        " join known_person p on p.school_id = t.school_id and p.person_id = $3"
        " cross join lateral right_to_read(t.school_id, t.thread_id, t.pupil_id, t.seat_id, $3, $4) r"
        " where t.school_id = $1 and t.thread_id = $2",
        tx.school, thread, tx.person, tx.member.role,
    )  # fmt: skip
    if row is None:
        return None
    return Right(thread, Side(row["side"]), row["visible_from"], row["head_seq"], row["language"], row["only_safety"])


async def can_open(tx: MemberTx, pupil: PersonId, seat: SeatId) -> bool:
    """Whether the member may write to this family from this seat, or to this seat about this child."""
    return await tx.fetchval(
        "select exists (select from contacts_of($1, $2, $3) where pupil_id = $4 and seat_id = $5)",
        tx.school, tx.person, tx.member.role, pupil, seat,
    )  # fmt: skip


async def lock_family(tx: Tx, pupil: PersonId) -> None:
    """Make opening a thread and hearing of a new link to the same child wait for each other, so that neither misses the other."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1::text, 0))", f"{tx.school} {pupil}")


async def add_thread(tx: Tx, pupil: PersonId, seat: SeatId) -> tuple[ThreadId, bool]:
    """The one thread of a child and a seat, and whether it is new. Needs the family's lock."""
    made = await tx.fetchval(
        "insert into thread (school_id, thread_id, pupil_id, seat_id, head_at, opened_at) values ($1, $2, $3, $4, $5, $5)"
        " on conflict (school_id, pupil_id, seat_id) do nothing returning thread_id",
        tx.school, new_id(), pupil, seat, tx.now,
    )  # fmt: skip
    if made is None:
        found = await tx.fetchval(
            "select thread_id from thread where school_id = $1 and pupil_id = $2 and seat_id = $3",
            tx.school,
            pupil,
            seat,
        )
        return ThreadId(found), False
    await tx.execute(
        "insert into thread_link (school_id, thread_id, link_id, person_id, visible_from_seq)"
        " select school_id, $2, link_id, person_id, 1 from known_link where school_id = $1 and pupil_id = $3 and not ended",
        tx.school, made, pupil,
    )  # fmt: skip
    return ThreadId(made), True


async def join_threads(tx: Tx, link: UUID, pupil: PersonId, person: PersonId) -> None:
    """Let a new link take part in the child's threads from their next message on; links that already do stay as they are. Needs
    the family's lock."""
    await tx.execute(
        "insert into thread_link (school_id, thread_id, link_id, person_id, visible_from_seq)"
        " select school_id, thread_id, $2, $3, head_seq + 1 from thread where school_id = $1 and pupil_id = $4"
        " on conflict do nothing",
        tx.school, link, person, pupil,
    )  # fmt: skip


async def list_contacts(
    tx: MemberTx, *, after: tuple[PersonId, SeatId] | None, name: str, limit: int, talks: Talks
) -> list[Contact]:
    """Whom the member may write to, by the pupil's name. `name` narrows to names that contain it: the pupil's, and the family's
    for staff or the seat holders' for guardians. The place to go on from is given by ids and found again by their name."""
    rows = await tx.fetch(
        """
        with chosen as (
          select c.pupil_id, c.seat_id, c.class_id, p.display_name, p.first_name, lower(p.display_name) as ordered
          from contacts_of($1, $2, $3) c
          join known_person p on p.school_id = $1 and p.person_id = c.pupil_id
          join known_seat z on z.school_id = $1 and z.seat_id = c.seat_id and (z.kind = any($8::text[]) or z.kind = any($9::text[])
            and exists (select from thread o where o.school_id = $1 and o.pupil_id = c.pupil_id and o.seat_id = c.seat_id))
          where ($4::uuid is null or (lower(p.display_name), c.pupil_id, c.seat_id) > (
              coalesce((select lower(display_name) from known_person where school_id = $1 and person_id = $4), ''), $4, $5::uuid))
            and ($6 = '' or position($6 in lower(p.display_name)) > 0 or exists (
              select from known_person o where o.school_id = $1 and position($6 in lower(o.display_name)) > 0 and (
                $3 <> 'guardian' and exists (select from known_link k where k.school_id = $1 and k.pupil_id = c.pupil_id
                  and k.person_id = o.person_id and not k.ended)
                or $3 = 'guardian' and exists (select from known_seat_holder h where h.school_id = $1 and h.seat_id = c.seat_id
                  and h.person_id = o.person_id and not h.ended))))
          order by ordered, c.pupil_id, c.seat_id
          limit $7
        )
        select c.pupil_id, c.display_name, c.first_name, k.class_id, k.name as class_name, s.seat_id, s.kind, s.subject,
          t.thread_id,
          array(select hp.display_name from known_seat_holder h
            join known_person hp on hp.school_id = h.school_id and hp.person_id = h.person_id
            where h.school_id = $1 and h.seat_id = c.seat_id and not h.ended order by 1) as holders,
          (select json_agg(json_build_array(lp.display_name, l.relationship, lp.language) order by lp.display_name)
            from known_link l join known_person lp on lp.school_id = l.school_id and lp.person_id = l.person_id
            where $3 <> 'guardian' and l.school_id = $1 and l.pupil_id = c.pupil_id and not l.ended) as family
        from chosen c
        join known_seat s on s.school_id = $1 and s.seat_id = c.seat_id
        left join known_class k on k.school_id = $1 and k.class_id = c.class_id
        left join thread t on t.school_id = $1 and t.pupil_id = c.pupil_id and t.seat_id = c.seat_id
        order by c.ordered, c.pupil_id, c.seat_id
        """,
        tx.school, tx.person, tx.member.role, *(after or (None, None)), name.lower(), limit,
        list(talks.begins), list(talks.answers),
    )  # fmt: skip
    return [
        Contact(
            pupil_in(row),
            class_in(row),
            seat_in(row),
            [Relative(*one) for one in json.loads(row["family"] or "[]")],
            row["thread_id"],
        )
        for row in rows
    ]


async def list_threads(tx: MemberTx, *, before: tuple[datetime, ThreadId] | None, limit: int) -> list[Thread]:
    """The member's threads, newest first. Staff may have thousands, so each seat gives no more than a page of its own, by index."""
    moment, thread = before or (None, None)
    if tx.member.role == "guardian":
        rows = await tx.fetch(
            "select thread_id, side, visible_from from threads_of($1, $2, 'guardian')"
            " where (head_at, thread_id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"
            " order by head_at desc, thread_id desc limit $5",
            tx.school, tx.person, moment, thread, limit,
        )  # fmt: skip
    else:
        rows = await tx.fetch(
            """
            select t.thread_id, 'staff' as side, 1::bigint as visible_from
            from known_seat_holder h
            join known_seat s on s.school_id = h.school_id and s.seat_id = h.seat_id
            cross join lateral (
              select t.thread_id, t.head_at from thread t
              where t.school_id = h.school_id and t.seat_id = h.seat_id
                and (t.head_at, t.thread_id) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
              order by t.head_at desc, t.thread_id desc
              limit $6
            ) t
            where h.school_id = $1 and h.person_id = $2 and not h.ended and role_of_seat(s.kind) = $3
            order by t.head_at desc, t.thread_id desc
            limit $6
            """,
            tx.school, tx.person, tx.member.role, moment, thread, limit,
        )  # fmt: skip
    return await _threads(tx, [(row["thread_id"], row["side"], row["visible_from"], False) for row in rows])


async def get_thread(tx: MemberTx, right: Right) -> Thread:
    """One thread as the member sees it."""
    (thread,) = await _threads(tx, [(right.thread, right.side, right.visible_from, right.only_safety)])
    return thread


async def _threads(tx: MemberTx, wanted: Sequence[tuple[ThreadId, str, int, bool]]) -> list[Thread]:
    """Threads as the member sees them; of one of which they read only what is about safety, the newest such message is the last."""
    rows = await tx.fetch(
        """
        select t.thread_id, t.head_at, w.visible_from,
          case when w.only_safety then coalesce(m.seq, 0) else t.head_seq end as head_seq,
          case when w.only_safety then coalesce(m.seq, 0) else coalesce(mine.seq, 0) end as my_seq,
          t.pupil_id, coalesce(p.display_name, '') as display_name, coalesce(p.first_name, '') as first_name,
          k.class_id, k.name as class_name, t.seat_id, coalesce(s.kind, '') as kind, coalesce(s.subject, '') as subject,
          array(select hp.display_name from known_seat_holder h
            join known_person hp on hp.school_id = h.school_id and hp.person_id = h.person_id
            where h.school_id = t.school_id and h.seat_id = t.seat_id and not h.ended order by 1) as holders,
          array(select distinct lp.display_name from known_link l
            join known_person lp on lp.school_id = l.school_id and lp.person_id = l.person_id
            where w.side = 'staff' and l.school_id = t.school_id and l.pupil_id = t.pupil_id and not l.ended order by 1) as family,
          m.seq as last_seq, m.sent_at, a.display_name as author_name, m.author_id = $5 and m.author_side = w.side as is_mine,
          left(case when m.withdrawn_at is null then coalesce(n.text, m.text) else '' end, $6) as preview,
          (select json_agg(json_build_array(o.person_id, op.display_name, o.seq, o.at) order by op.display_name, o.person_id)
            from receipt o join known_person op on op.school_id = o.school_id and op.person_id = o.person_id
            where o.school_id = t.school_id and o.thread_id = t.thread_id and o.side <> w.side and not w.only_safety and case o.side
              when 'staff' then exists (select from known_seat_holder h where h.school_id = t.school_id
                and h.seat_id = t.seat_id and h.person_id = o.person_id and not h.ended)
              else exists (select from known_link l where l.school_id = t.school_id
                and l.pupil_id = t.pupil_id and l.person_id = o.person_id and not l.ended)
            end) as others
        from unnest($2::uuid[], $3::text[], $4::bigint[], $7::boolean[]) with ordinality
          w (thread_id, side, visible_from, only_safety, place)
        join thread t on t.school_id = $1 and t.thread_id = w.thread_id
        join known_person me on me.school_id = $1 and me.person_id = $5
        left join known_person p on p.school_id = $1 and p.person_id = t.pupil_id
        left join known_seat s on s.school_id = $1 and s.seat_id = t.seat_id
        left join known_class k on k.school_id = $1 and k.class_id = coalesce(s.class_id, (
          select e.class_id from known_enrolment e
          where e.school_id = $1 and e.pupil_id = t.pupil_id and not e.ended order by e.class_id limit 1))
        left join receipt mine
          on mine.school_id = $1 and mine.thread_id = t.thread_id and mine.person_id = $5 and mine.side = w.side
        left join message m
          on m.school_id = $1 and m.thread_id = t.thread_id and m.seq >= w.visible_from
          and m.seq = case when w.only_safety then (select max(x.seq) from message x where x.school_id = $1
            and x.thread_id = t.thread_id and $8 = any(x.alerts)) else t.head_seq end
        left join known_person a on a.school_id = $1 and a.person_id = m.author_id
        left join translation n on n.school_id = $1 and n.message_id = m.message_id and n.version = m.version
          and n.language = me.language and n.state = 'stored'
        order by w.place
        """,
        tx.school, *([one[part] for one in wanted] for part in range(3)), tx.person, PREVIEW_LIMIT,
        [one[3] for one in wanted], tx.member.role,
    )  # fmt: skip
    return [
        Thread(
            row["thread_id"],
            pupil_in(row),
            class_in(row),
            seat_in(row),
            row["family"],
            _last(row),
            unread(row["head_seq"], row["my_seq"], row["visible_from"]),
            row["head_seq"],
            row["my_seq"],
            [
                ReadBy(PersonId(UUID(one)), name, seq, datetime.fromisoformat(at))
                for one, name, seq, at in _json(row["others"])
            ],
            row["head_at"],
        )
        for row in rows
    ]


async def count_unread(tx: MemberTx) -> tuple[int, int]:
    """In how many threads something is unread, and how many messages that is."""
    row = await tx.fetchrow(
        "select count(*) filter (where waiting > 0) as threads, coalesce(sum(waiting), 0)::bigint as messages from ("
        "  select greatest(0, t.head_seq - greatest(coalesce(r.seq, 0), t.visible_from - 1)) as waiting"
        "  from threads_of($1, $2, $3) t left join receipt r"
        "    on r.school_id = $1 and r.thread_id = t.thread_id and r.person_id = $2 and r.side = t.side) w",
        tx.school, tx.person, tx.member.role,
    )  # fmt: skip
    assert row is not None
    return row["threads"], row["messages"]


_MESSAGE = """
    select m.message_id, m.seq, m.author_id, coalesce(a.display_name, '') as author_name, m.author_side, m.language, m.sent_at,
      m.version, m.answer_by, m.alerts is not null as about_safety, case when m.withdrawn_at is null then m.text else '' end as text,
      n.state as translation_state, n.text as translation_text, n.source_language
    from message m
    left join known_person a on a.school_id = m.school_id and a.person_id = m.author_id
    left join translation n on n.school_id = m.school_id and n.message_id = m.message_id and n.version = m.version
      and n.language = $5
    where m.school_id = $1 and m.thread_id = $2 and m.seq >= $3 and ($7::text is null or $7 = any(m.alerts))"""

_BEFORE = _MESSAGE + " and m.seq < $4 order by m.seq desc limit $6"
_AFTER = _MESSAGE + " and m.seq > $4 order by m.seq limit $6"


@dataclass(frozen=True, slots=True)
class Found:
    """A message for a reader, and whether nobody has asked yet for its text in their language."""

    message: Message
    untold: bool


async def messages_before(tx: MemberTx, right: Right, seq: int, limit: int) -> list[Found]:
    """Messages with a smaller number that the reader may see, newest first. By index: as quick far up as at the end."""
    rows = await tx.fetch(
        _BEFORE, tx.school, right.thread, right.visible_from, seq, right.language, limit, _alerted(tx, right)
    )
    return [_message(row, tx.person, right) for row in rows]


async def messages_after(tx: MemberTx, right: Right, seq: int, limit: int) -> list[Found]:
    """Messages with a larger number that the reader may see, oldest first."""
    rows = await tx.fetch(
        _AFTER, tx.school, right.thread, right.visible_from, seq, right.language, limit, _alerted(tx, right)
    )
    return [_message(row, tx.person, right) for row in rows]


def _alerted(tx: MemberTx, right: Right) -> str | None:
    """The role by whose alert alone somebody reads; None for who may use the thread."""
    return tx.member.role if right.only_safety else None


async def want_translations(tx: Tx, messages: Sequence[Message], language: str) -> list[MessageId]:
    """Note for each message that its text is wanted in a language; gives those that nobody wanted before."""
    rows = await tx.fetch(
        "insert into translation (school_id, message_id, version, language, state, at)"
        " select $1, w.message_id, w.version, $4, 'wanted', $5 from unnest($2::uuid[], $3::integer[]) w (message_id, version)"
        " order by w.message_id on conflict do nothing returning message_id",
        tx.school, [one.id for one in messages], [one.version for one in messages], language, tx.now,
    )  # fmt: skip
    return [MessageId(row["message_id"]) for row in rows]


async def move_receipt(tx: MemberTx, right: Right, seq: int) -> bool:
    """Move the member's receipt forward; False when it was already there or further."""
    changed: bool | None = await tx.fetchval(
        "insert into receipt as r (school_id, thread_id, person_id, side, seq, at) values ($1, $2, $3, $4, $5, $6)"
        " on conflict (school_id, thread_id, person_id, side) do update set seq = excluded.seq, at = excluded.at"
        " where r.seq < excluded.seq returning true",
        tx.school, right.thread, tx.person, right.side, seq, tx.now,
    )  # fmt: skip
    return bool(changed)


def _json(value: str | None) -> Any:
    return json.loads(value) if value else []


def pupil_in(row: Row) -> Pupil:
    """The child of a row that has it in the columns which all lists here give it."""
    return Pupil(row["pupil_id"], row["display_name"], row["first_name"])


def class_in(row: Row) -> Named | None:
    """The same for the class."""
    return Named(row["class_id"], row["class_name"]) if row["class_id"] is not None else None


def seat_in(row: Row) -> Seat:
    """The same for the seat."""
    return Seat(row["seat_id"], row["kind"], row["subject"], row["holders"])


def _last(row: Row) -> LastMessage | None:
    if row["last_seq"] is None:
        return None
    return LastMessage(row["last_seq"], row["author_name"] or "", row["is_mine"], row["preview"], row["sent_at"])


def _message(row: Row, reader: UUID, right: Right) -> Found:
    translation = translation_for(
        right.language,
        written=row["language"],
        state=row["translation_state"],
        text=row["translation_text"],
        source_language=row["source_language"],
    )
    side = Side(row["author_side"])
    message = Message(
        row["message_id"],
        row["seq"],
        Named(row["author_id"], row["author_name"]),
        side,
        row["author_id"] == reader and side is right.side,
        row["text"],
        row["language"],
        row["sent_at"],
        row["version"],
        translation,
        row["answer_by"],
        row["about_safety"],
    )
    return Found(message, untold=translation is not None and row["translation_state"] is None)
