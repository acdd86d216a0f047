"""All SQL of notify. Functions take the open transaction of one school; the last three work across schools through narrow functions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database, Row, Tx
from bookbag.chassis.service import SETTLING, Restored
from bookbag.directory.call import MemberTx
from services.notify.model import (
    ContentId,
    DeliveryId,
    Happening,
    Kind,
    Mail,
    NotificationId,
    PersonId,
    Recipient,
    State,
    Step,
    StreamEvent,
    StreamKind,
    ThreadId,
    Told,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """An in-app notification as its person sees it."""

    id: NotificationId
    kind: Kind
    thread: ThreadId | None
    content: ContentId | None
    author_name: str
    created_at: datetime
    seen_at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """A delivery as the office sees it."""

    id: DeliveryId
    person_name: str
    channel: str
    kind: Kind
    state: State
    reason: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime


async def standing_of_people(tx: Tx, people: Collection[UUID]) -> dict[PersonId, dict[str, str]]:
    """Role → standing of each person our copy knows."""
    rows = await tx.fetch(
        "select person_id, role, standing from known_membership where school_id = $1 and person_id = any($2::uuid[])",
        tx.school, list(people),
    )  # fmt: skip
    found: dict[PersonId, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["person_id"], {})[row["role"]] = row["standing"]
    return found


async def remember_threads(tx: Tx, told: Sequence[Told]) -> None:
    """Note the newest content of each thread; `told` comes in the order of events."""
    newest = sorted({one.thread: one for one in told}.values(), key=lambda one: one.thread.bytes)
    await tx.execute(
        "insert into known_thread (school_id, thread_id, kind, content_id)"
        " select $1, * from unnest($2::uuid[], $3::text[], $4::uuid[])"
        " on conflict (school_id, thread_id) do update set kind = excluded.kind, content_id = excluded.content_id",
        tx.school, [one.thread for one in newest], [one.kind for one in newest], [one.content for one in newest],
    )  # fmt: skip


async def newest_content(tx: Tx, thread: ThreadId) -> tuple[Kind, ContentId] | None:
    """A content by which the owner can say who reads the thread; None for a thread nothing was heard of."""
    row = await tx.fetchrow(
        "select kind, content_id from known_thread where school_id = $1 and thread_id = $2", tx.school, thread
    )
    return (Kind(row["kind"]), row["content_id"]) if row is not None else None


async def notify(tx: Tx, told: Sequence[tuple[Told, Recipient]], mail_due_at: datetime) -> None:
    """Make in-app items and their mails, each once per person and event whatever is repeated (NTF-3). What is about a child's safety
    does not wait for the grace.

    Whoever unsubscribed gets a cancelled delivery, so that the office sees why no mail went.
    """
    await tx.execute(
        "with told as ("
        "  select * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::bigint[],"
        "    $10::uuid[], $11::uuid[], $14::text[], $15::boolean[])"
        "  t (person_id, event_id, kind, roles, thread_id, content_id, author_id, seq, notification_id, delivery_id, trace, safety)),"
        " new as ("
        "  insert into notification (school_id, person_id, event_id, notification_id, kind, roles, thread_id, content_id,"
        "    author_id, seq, created_at, about_safety)"
        "  select $1, person_id, event_id, notification_id, kind, string_to_array(roles, ' '), thread_id, content_id, author_id,"
        "    seq, $12, safety from told"
        "  on conflict (school_id, person_id, event_id) do nothing returning person_id, event_id)"
        " insert into delivery (school_id, person_id, event_id, channel, delivery_id, state, reason, due_at, created_at, updated_at,"
        "   trace)"
        " select $1, t.person_id, t.event_id, 'email', t.delivery_id,"
        "   case when coalesce(f.email, true) then 'waiting' else 'cancelled' end,"
        "   case when coalesce(f.email, true) then null else 'unsubscribed' end, case when t.safety then $12 else $13 end, $12, $12, t.trace"
        " from new join told t using (person_id, event_id)"
        " left join preference f on f.school_id = $1 and f.person_id = t.person_id and f.kind = t.kind"
        " on conflict (school_id, person_id, event_id, channel) do nothing",
        tx.school, [one.person for _, one in told], [what.event for what, _ in told], [what.kind for what, _ in told],
        [" ".join(one.roles) for _, one in told], [what.thread for what, _ in told], [what.content for what, _ in told],
        [what.author for what, _ in told], [what.seq for what, _ in told], [new_id() for _ in told], [new_id() for _ in told],
        tx.now, mail_due_at, [what.trace for what, _ in told], [what.about_safety for what, _ in told],
    )  # fmt: skip


async def tell_leaders(tx: Tx, event: UUID, who: PersonId, until: datetime) -> int:
    """Tell each active leader but `who` that `who` came in for a reason; once per event, whatever is repeated. Gives how many."""
    return await tx.execute(
        "with new as ("
        "  insert into notification (school_id, person_id, event_id, notification_id, kind, roles, author_id, created_at, until)"
        "  select school_id, person_id, $2, uuidv7(), 'glass', array[role], $3, $4, $5 from known_membership"
        "  where school_id = $1 and role = 'leader' and standing = 'active' and person_id <> $3 order by person_id"
        "  on conflict (school_id, person_id, event_id) do nothing returning person_id)"
        " insert into delivery (school_id, person_id, event_id, channel, delivery_id, state, due_at, created_at, updated_at)"
        " select $1, person_id, $2, 'email', uuidv7(), 'waiting', $4, $4, $4 from new",
        tx.school, event, who, tx.now, until,
    )  # fmt: skip


async def append_to_streams(tx: Tx, told: Sequence[tuple[Happening, Recipient]]) -> None:
    """Give each person's stream its next numbers, one per event and once, in the order in which they come here.

    The head's row lock lasts until commit: numbers have no gaps and nobody can see a later one before an earlier one.
    """
    await tx.execute(
        "with new as ("
        "  select n.*, row_number() over (partition by n.person_id order by n.place) as step"
        "  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::bigint[], $10::text[],"
        "    $12::text[])"
        "    with ordinality n (person_id, event_id, kind, roles, thread_id, content_id, actor_id, seq, language, trace, place)"
        "  where not exists (select from stream_event e"
        "    where e.school_id = $1 and e.person_id = n.person_id and e.event_id = n.event_id)),"
        " heads as ("
        "  insert into stream_head as h (school_id, person_id, number)"
        "  select $1, person_id, count(*) from new group by person_id order by person_id"
        "  on conflict (school_id, person_id) do update set number = h.number + excluded.number"
        "  returning person_id, number)"
        " insert into stream_event (school_id, person_id, number, event_id, kind, roles, thread_id, content_id, actor_id, seq,"
        "   language, at, trace)"
        " select $1, n.person_id, h.number - max(n.step) over (partition by n.person_id) + n.step, n.event_id, n.kind,"
        "   string_to_array(n.roles, ' '), n.thread_id, n.content_id, n.actor_id, n.seq, n.language, $11, n.trace"
        " from heads h join new n on n.person_id = h.person_id",
        tx.school, [one.person for _, one in told], [what.event for what, _ in told], [what.kind for what, _ in told],
        [" ".join(one.roles) for _, one in told], [what.thread for what, _ in told], [what.content for what, _ in told],
        [what.actor for what, _ in told], [what.seq for what, _ in told], [what.language for what, _ in told], tx.now,
        [what.trace for what, _ in told],
    )  # fmt: skip


async def mark_seen(tx: Tx, person: UUID, thread: ThreadId, up_to: int | None) -> None:
    """Mark a person's items of a thread as seen and cancel their mails that have not gone. `up_to` None means all of them."""
    await tx.execute(
        "with unseen as ("
        "  select event_id from notification where school_id = $1 and person_id = $2 and thread_id = $3 and seen_at is null"
        "    and ($5::bigint is null or seq is null or seq <= $5) order by event_id for update),"
        " seen as ("
        "  update notification n set seen_at = $4 from unseen u"
        "  where n.school_id = $1 and n.person_id = $2 and n.event_id = u.event_id returning n.event_id)"
        " update delivery d set state = 'cancelled', reason = 'seen', updated_at = $4 from seen"
        " where d.school_id = $1 and d.person_id = $2 and d.event_id = seen.event_id and d.state in ('waiting', 'failed')",
        tx.school, person, thread, tx.now, up_to,
    )  # fmt: skip


async def stream_head(tx: MemberTx) -> tuple[int, int]:
    """The last number of the member's stream and the oldest one still kept (one more than the last when none is)."""
    row = await tx.fetchrow(
        "select coalesce(max(h.number), 0) as head,"
        "  coalesce((select min(e.number) from stream_event e where e.school_id = $1 and e.person_id = $2),"
        "    coalesce(max(h.number), 0) + 1) as oldest"
        " from stream_head h where h.school_id = $1 and h.person_id = $2",
        tx.school, tx.person,
    )  # fmt: skip
    assert row is not None
    return row["head"], row["oldest"]


async def stream_after(tx: MemberTx, number: int, limit: int) -> tuple[list[StreamEvent], int]:
    """The next events the member may hear in the role in use, and the number up to which their stream has been read."""
    rows = await tx.fetch(
        "select number, kind, thread_id, content_id, actor_id, seq, language, trace, $4::text = any(roles) as mine from stream_event"
        " where school_id = $1 and person_id = $2 and number > $3 order by number limit $5",
        tx.school, tx.person, number, tx.member.role, limit,
    )  # fmt: skip
    known = [_stream_event(row) for row in rows if row["mine"] and row["kind"] in _STREAM_KINDS]
    return known, rows[-1]["number"] if rows else number


_STREAM_KINDS = frozenset(StreamKind)
"""A step of a kind that only a newer process knows is passed over: its person learns of it when they look."""


def _stream_event(row: Row) -> StreamEvent:
    return StreamEvent(
        row["number"], StreamKind(row["kind"]), row["thread_id"], row["content_id"], row["actor_id"], row["seq"], row["language"],
        row["trace"],
    )  # fmt: skip


async def be_online(tx: MemberTx, until: datetime) -> None:
    """Note that the member has a live stream open in the role in use."""
    await tx.execute(
        "insert into online as o (school_id, person_id, role, until) values ($1, $2, $3, $4)"
        " on conflict (school_id, person_id, role) do update set until = greatest(o.until, excluded.until)",
        tx.school, tx.person, tx.member.role, until,
    )  # fmt: skip


async def items(tx: MemberTx, before: tuple[datetime, UUID] | None, limit: int) -> list[Item]:
    """The member's notifications in the role in use, newest first, one more than the limit when there are more. Those of a kind that
    this process does not know are left to one that does."""
    rows = await tx.fetch(
        "select n.notification_id, n.kind, n.thread_id, n.content_id, n.created_at, n.seen_at, n.until,"
        "  coalesce(p.display_name, '') as author_name"
        " from notification n left join known_person p on p.school_id = n.school_id and p.person_id = n.author_id"
        " where n.school_id = $1 and n.person_id = $2 and $3::text = any(n.roles) and n.kind = any($7::text[])"
        "   and ($4::timestamptz is null or (n.created_at, n.notification_id) < ($4, $5))"
        " order by n.created_at desc, n.notification_id desc limit $6",
        tx.school, tx.person, tx.member.role, *(before or (None, None)), limit + 1, list(Kind),
    )  # fmt: skip
    return [_item(row) for row in rows]


def _item(row: Row) -> Item:
    return Item(
        row["notification_id"], Kind(row["kind"]), row["thread_id"], row["content_id"], row["author_name"], row["created_at"],
        row["seen_at"], row["until"],
    )  # fmt: skip


async def deliveries(tx: Tx, before: tuple[datetime, UUID] | None, limit: int) -> list[DeliveryShown]:
    """The school's deliveries of the kinds that this process knows, newest first, one more than the limit when there are more."""
    rows = await tx.fetch(
        "select d.delivery_id, d.channel, d.state, d.reason, d.attempts, d.created_at, d.updated_at, n.kind,"
        "  coalesce(p.display_name, '') as person_name"
        " from delivery d join notification n"
        "   on n.school_id = d.school_id and n.person_id = d.person_id and n.event_id = d.event_id"
        " left join known_person p on p.school_id = d.school_id and p.person_id = d.person_id"
        " where d.school_id = $1 and ($2::timestamptz is null or (d.created_at, d.delivery_id) < ($2, $3)) and n.kind = any($5::text[])"
        " order by d.created_at desc, d.delivery_id desc limit $4",
        tx.school, *(before or (None, None)), limit + 1, list(Kind),
    )  # fmt: skip
    return [_delivery(row) for row in rows]


def _delivery(row: Row) -> DeliveryShown:
    return DeliveryShown(
        row["delivery_id"], row["person_name"], row["channel"], Kind(row["kind"]), State(row["state"]), row["reason"],
        row["attempts"], row["created_at"], row["updated_at"],
    )  # fmt: skip


async def email_preference(tx: Tx, person: UUID, kind: Kind) -> tuple[bool, int]:
    """Whether a person wants mails of a kind, and the version of that wish; wanted in version 1 until they say otherwise."""
    row = await tx.fetchrow(
        "select email, version from preference where school_id = $1 and person_id = $2 and kind = $3",
        tx.school,
        person,
        kind,
    )
    return (row["email"], row["version"]) if row is not None else (True, 1)


async def set_email_preference(tx: Tx, person: UUID, kind: Kind, email: bool, expected: int | None) -> int | None:
    """Change the wish if it still has the expected version (None: whatever it has). Gives the new version, None if it has not."""
    return await tx.fetchval(
        "insert into preference as p (school_id, person_id, kind, email, version, changed_at)"
        " select $1, $2, $3, $4, 2, $6 where coalesce($5, 1) = 1 or exists ("
        "   select from preference where school_id = $1 and person_id = $2 and kind = $3)"
        " on conflict (school_id, person_id, kind) do update"
        "   set email = excluded.email, version = p.version + 1, changed_at = excluded.changed_at"
        "   where p.version = coalesce($5, p.version)"
        " returning version",
        tx.school, person, kind, email, expected, tx.now,
    )  # fmt: skip


async def copy_is_fresh(tx: Tx) -> bool:
    """Whether our copy of who is who has been heard complete within thirty seconds."""
    return bool(
        await tx.fetchval(
            "select exists (select from feed_state where heard_at > clock_timestamp() - interval '30 seconds')"
        )
    )


_MAIL = (
    "select d.delivery_id, d.person_id, d.attempts, coalesce(d.counted_from, d.created_at) as counted_from, d.trace, n.kind,"
    "  n.thread_id, n.content_id, n.roles, n.about_safety,"
    "  n.seen_at is not null as seen, coalesce(f.email, true) as wanted,"
    "  exists (select from known_membership m where m.school_id = d.school_id and m.person_id = d.person_id"
    "    and m.role = any(n.roles) and m.standing = 'active') as active,"
    "  (select max(o.until) from online o where o.school_id = d.school_id and o.person_id = d.person_id"
    "    and o.role = any(n.roles)) as online_until,"
    "  coalesce(s.name, '') as school_name, coalesce(s.zone, 'UTC') as zone, coalesce(a.display_name, '') as author_name, n.until"
    " from delivery d join notification n"
    "   on n.school_id = d.school_id and n.person_id = d.person_id and n.event_id = d.event_id"
    " left join preference f on f.school_id = d.school_id and f.person_id = d.person_id and f.kind = n.kind"
    " left join known_school s on s.school_id = d.school_id"
    " left join known_person a on a.school_id = d.school_id and a.person_id = n.author_id"
    " where d.school_id = $1 and d.delivery_id = any($2::uuid[]) and d.holder = $3 and d.claimed_until > $4"
    "   and d.state in ('waiting', 'sending', 'failed')"
)

_MAIL_LOCKED = _MAIL + " for update of d"


async def claimed_mails(tx: Tx, claimed: Sequence[DeliveryId], holder: str) -> list[Mail]:
    """The deliveries this process still holds, with what decides about them."""
    return [_mail(row) for row in await tx.fetch(_MAIL, tx.school, list(claimed), holder, tx.now)]


async def claimed_mail_for_sending(tx: Tx, claimed: DeliveryId, holder: str) -> Mail | None:
    """One delivery, locked until commit, as it stands at the last moment; None when it is no longer ours."""
    row = await tx.fetchrow(_MAIL_LOCKED, tx.school, [claimed], holder, tx.now)
    return _mail(row) if row is not None else None


def _mail(row: Row) -> Mail:
    return Mail(
        row["delivery_id"], row["person_id"], Kind(row["kind"]), row["thread_id"], row["content_id"], row["counted_from"],
        row["attempts"], row["seen"], row["wanted"], row["active"], row["online_until"], row["school_name"], row["roles"],
        row["about_safety"], row["author_name"], row["until"], row["zone"], row["trace"],
    )  # fmt: skip


async def start_sending(tx: Tx, delivery: DeliveryId, keep_for: timedelta) -> int:
    """Count the attempt before the mail leaves. Gives the attempts made, this one included."""
    return await tx.fetchval(
        "update delivery set state = 'sending', reason = null, attempts = attempts + 1, updated_at = $3, claimed_until = $4"
        " where school_id = $1 and delivery_id = $2 returning attempts",
        tx.school, delivery, tx.now, tx.now + keep_for,
    )  # fmt: skip


async def take_step(tx: Tx, delivery: DeliveryId, holder: str, step: Step) -> bool:
    """Write what became of a delivery and give it free. One that waits for hours is looked at earlier when other rules begin to count
    before. False when another process has taken it meanwhile."""
    touched = await tx.execute(
        "update delivery set state = $4, reason = $5, holder = null, claimed_until = null, updated_at = $7,"
        "  counted_from = case when $5 = 'quiet-hours' then $6 else counted_from end,"
        "  due_at = case when $5 = 'quiet-hours' then least($6, (select min(counts_from) from known_policy"
        "    where school_id = $1 and counts_from > $7)) else coalesce($6, due_at) end"
        " where school_id = $1 and delivery_id = $2 and holder = $3 and state in ('waiting', 'sending', 'failed')",
        tx.school, delivery, holder, step.state, step.reason, step.due_at, tx.now,
    )  # fmt: skip
    return touched == 1


async def put_off(tx: Tx, claimed: Sequence[DeliveryId], holder: str, due_at: datetime) -> None:
    """Give claimed deliveries free until later, as if they had not been looked at."""
    await tx.execute(
        "update delivery set due_at = $4, holder = null, claimed_until = null"
        " where school_id = $1 and delivery_id = any($2::uuid[]) and holder = $3 and state in ('waiting', 'sending', 'failed')",
        tx.school, list(claimed), holder, due_at,
    )  # fmt: skip


async def look_anew(tx: Tx, at: datetime, *, person: UUID | None = None) -> int:
    """Look at everything that waits for hours in the school, or for one person, not later than that instant."""
    return await tx.execute(
        "update delivery set due_at = $2 where school_id = $1 and state = 'waiting' and reason = 'quiet-hours' and due_at > $2"
        " and ($3::uuid is null or person_id = $3)",
        tx.school, at, person,
    )  # fmt: skip


async def keep_link(tx: Tx, token_hash: bytes, person: UUID, kind: Kind) -> None:
    """Remember whose unsubscribe link a mail carries."""
    await tx.execute(
        "insert into unsubscribe_link (school_id, token_hash, person_id, kind, created_at) values ($1, $2, $3, $4, $5)",
        tx.school, token_hash, person, kind, tx.now,
    )  # fmt: skip


async def language_of(tx: Tx, person: UUID) -> str:
    """The language a person reads, as far as our copy knows."""
    return (
        await tx.fetchval(
            "select language from known_person where school_id = $1 and person_id = $2", tx.school, person
        )
        or "en"
    )


async def find_link(database: Database, token_hash: bytes) -> tuple[UUID, PersonId, Kind] | None:
    """The school, person and kind of a link, whichever school it is of."""
    row = await database.fetchrow("select * from find_unsubscribe_link($1)", token_hash)
    return (row["school_id"], row["person_id"], Kind(row["kind"])) if row is not None else None


async def claim_due(
    worker: Database, now: datetime, limit: int, holder: str, hold_for: timedelta
) -> dict[UUID, list[DeliveryId]]:
    """Take due deliveries of all schools for this process alone; gives them by school. Those of a kind that it does not know wait for
    a process that does."""
    rows = await worker.fetch(
        "select * from claim_due_deliveries($1, $2, $3, $4, $5)",
        now, limit, holder, hold_for.total_seconds(), list(Kind),
    )  # fmt: skip
    claimed: dict[UUID, list[DeliveryId]] = {}
    for row in rows:
        claimed.setdefault(row["school_id"], []).append(row["delivery_id"])
    return claimed


async def forget_old(worker: Database, now: datetime, limit: int) -> int:
    """Remove at most `limit` rows of each kind that are past their retention; gives how many went."""
    return await worker.fetchval("select forget_old_rows($1, $2)", now, limit)


async def leave_mails_that_left(restored: Restored) -> None:
    """A mail that was being handed over when the backup was taken may have arrived: it does not go again, and the office sees it as
    given up. Stands in the manifest's `restored`."""
    await restored.execute(
        "update delivery set state = 'dead', reason = 'gave-up', holder = null, claimed_until = null where state = 'sending'"
    )


async def hold_mails_back(restored: Restored) -> None:
    """Mails of a school that comes back alone wait until the services that are asked about them have it too. Stands in the manifest's
    `restored`."""
    if restored.school is not None:
        await restored.execute(
            "update delivery set due_at = greatest(due_at, clock_timestamp() + $1::interval) where state in ('waiting', 'failed')",
            SETTLING,
        )
