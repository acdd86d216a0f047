"""All SQL behind the content contract: who may read a message, its text, its translations."""

from collections.abc import Collection
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.school.content import Reader
from services.messaging.model import MadeTranslation, MessageId, Named, Original, PersonId, ThreadId


async def knows_who_is_who(tx: Tx) -> bool:
    """Whether our copy of who is who is fresh enough to answer by."""
    return await tx.fetchval(
        "select exists (select from feed_state where heard_at > clock_timestamp() - interval '30 seconds')"
    )


async def list_readers(
    tx: Tx, messages: Collection[MessageId], *, person: PersonId | None = None
) -> dict[MessageId, list[Reader]]:
    """Everybody who may read each of these messages now, or one person of them, once for each role in which they do; of one about a
    child's safety also the roles that were alerted."""
    rows = await tx.fetch(
        """
        with this as (
          select t.*, m.message_id, m.seq, m.alerts from message m join thread t on t.school_id = m.school_id and t.thread_id = m.thread_id
          where m.school_id = $1 and m.message_id = any($2::uuid[])
        ), entitled as (
          select this.message_id, h.person_id, role_of_seat(s.kind) as role
          from this join known_seat s on s.school_id = $1 and s.seat_id = this.seat_id
          join known_seat_holder h on h.school_id = $1 and h.seat_id = this.seat_id and not h.ended
          union
          select this.message_id, k.person_id, 'guardian'
          from this join thread_link l on l.school_id = $1 and l.thread_id = this.thread_id and l.visible_from_seq <= this.seq
          join known_link k on k.school_id = $1 and k.link_id = l.link_id and k.pupil_id = this.pupil_id and not k.ended
          union
          select this.message_id, a.person_id, a.role
          from this cross join unnest(this.alerts) alerted (role)
          join known_membership a on a.school_id = $1 and a.role = alerted.role
        )
        select e.message_id, e.person_id, e.role, p.language
        from entitled e
        join known_membership b on b.school_id = $1 and b.person_id = e.person_id and b.role = e.role and b.standing = 'active'
        join known_person p on p.school_id = $1 and p.person_id = e.person_id
        where $3::uuid is null or e.person_id = $3
        order by e.message_id, e.person_id, e.role
        """,
        tx.school, list(messages), person,
    )  # fmt: skip
    found: dict[MessageId, list[Reader]] = {}
    for row in rows:
        found.setdefault(MessageId(row["message_id"]), []).append(
            Reader(row["person_id"], row["role"], row["language"])
        )
    return found


async def find_original(tx: Tx, message: MessageId) -> Original | None:
    """A message's current text and the names of everybody around it: the child, the family, the seat's holders, the author."""
    row = await tx.fetchrow(
        """
        select m.thread_id, m.version, m.language, m.author_id, coalesce(a.display_name, '') as author_name,
          m.withdrawn_at is not null as withdrawn, case when m.withdrawn_at is null then m.text else '' end as text,
          array(
            select distinct n from (
              select t.pupil_id as person_id
              union select m.author_id
              union select h.person_id from known_seat_holder h
                where h.school_id = $1 and h.seat_id = t.seat_id and not h.ended
              union select k.person_id from known_link k
                where k.school_id = $1 and k.pupil_id = t.pupil_id and not k.ended
            ) around join known_person p on p.school_id = $1 and p.person_id = around.person_id
            cross join lateral (values (p.display_name), (p.first_name)) named (n)
            where n <> '' order by n
          ) as names
        from message m
        join thread t on t.school_id = m.school_id and t.thread_id = m.thread_id
        left join known_person a on a.school_id = m.school_id and a.person_id = m.author_id
        where m.school_id = $1 and m.message_id = $2
        """,
        tx.school, message,
    )  # fmt: skip
    if row is None:
        return None
    return Original(
        message,
        ThreadId(row["thread_id"]),
        row["text"],
        row["version"],
        row["language"],
        Named(row["author_id"], row["author_name"]),
        row["names"],
        row["withdrawn"],
    )


async def find_thread_of_version(tx: Tx, message: MessageId, version: int) -> ThreadId | None:
    """The thread of a message while this is its current version and it is not withdrawn."""
    found: UUID | None = await tx.fetchval(
        "select thread_id from message where school_id = $1 and message_id = $2 and version = $3 and withdrawn_at is null",
        tx.school, message, version,
    )  # fmt: skip
    return found and ThreadId(found)


async def keep_translation(tx: Tx, made: MadeTranslation) -> bool:
    """Store a translation, or that there is none; False when that changes nothing. Word that there is none never takes the place of a
    text that is there."""
    changed: bool | None = await tx.fetchval(
        "insert into translation as t (school_id, message_id, version, language, state, text, source_language, engine, at)"
        " values ($1, $2, $3, $4, case when $5::text is null then 'unavailable' else 'stored' end, $5, $6, $7, $8)"
        " on conflict (school_id, message_id, version, language) do update set state = excluded.state,"
        "  text = excluded.text, source_language = excluded.source_language, engine = excluded.engine, at = excluded.at"
        " where (t.state, t.text) is distinct from (excluded.state, excluded.text)"
        "  and not (t.state = 'stored' and excluded.state = 'unavailable')"
        " returning true",
        tx.school, made.message, made.version, made.language, made.text, made.source_language or None,
        made.engine or None, tx.now,
    )  # fmt: skip
    return bool(changed)
