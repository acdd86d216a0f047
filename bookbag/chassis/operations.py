"""What an operator can see and do about events of one service: dead letters, the outbox, how far consumers are.

Operators see kinds, counts, ages and error names; payloads hold ids only, and even these are not shown in lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bookbag.chassis.bus import Bus
from bookbag.chassis.database import BUCKETS, Database


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up on."""

    event_id: UUID
    school: UUID
    type: str
    key: UUID
    attempts: int
    error: str
    occurred_at: datetime
    died_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How much waits to be published, since when, and how much is kept."""

    waiting: int
    oldest_seconds: float
    kept: int
    parked: int
    again: int
    """Published events that are still to be told to a bus that lost its log."""


@dataclass(frozen=True, slots=True)
class ConsumerLag:
    """How far a consumer is behind on one topic: in all, and in the bucket where it is most."""

    consumer: str
    topic: str
    records: int
    most: int


async def dead_letters(database: Database, *, limit: int = 100) -> Sequence[DeadLetter]:
    """The oldest dead letters of a service."""
    rows = await database.fetch("select * from dead_letter order by died_at limit $1", limit)
    return [
        DeadLetter(
            row["event_id"],
            row["school_id"],
            row["type"],
            row["key"],
            row["attempts"],
            row["error"],
            row["occurred_at"],
            row["died_at"],
        )
        for row in rows
    ]


async def replay(database: Database, events: Sequence[UUID] | None) -> int:
    """Put dead letters back in line (None: all of them); the consumer takes them up within seconds. Returns how many.

    A record whose effect is committed after all changes nothing when it is replayed.
    A record that the relay refused goes back to the outbox, to be judged anew.
    """
    return await database.fetchval(
        "with back as (delete from dead_letter where $1::uuid[] is null or event_id = any($1) returning *),"
        " parked as (insert into parked_record (school_id, consumer, event_id, topic, bucket, key, type, payload, sequence, trace,"
        "   occurred_at) select school_id, consumer, event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at"
        "   from back where consumer <> 'relay' order by died_at on conflict do nothing),"
        " told as (insert into outbox (school_id, event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at)"
        "   select school_id, event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at"
        "   from back where consumer = 'relay' order by died_at"
        "   on conflict (school_id, event_id) do update set published_at = null, position = null)"
        " select count(*) from back",
        list(events) if events is not None else None,
    )


async def drop(database: Database, events: Sequence[UUID]) -> int:
    """Remove dead letters for good. Returns how many. They count as processed, so that they stay dropped when they come again."""
    return await database.fetchval(
        "with gone as (delete from dead_letter where event_id = any($1) returning *),"
        " settled as (insert into processed (school_id, consumer, event_id) select school_id, consumer, event_id from gone"
        "   where consumer <> 'relay' on conflict do nothing)"
        " select count(*) from gone",
        list(events),
    )


async def outbox_status(database: Database) -> OutboxStatus:
    """The state of a service's outbox and of what its consumer has parked."""
    row = await database.fetchrow(
        "select count(*) filter (where published_at is null) as waiting, count(*) as kept,"
        " coalesce(extract(epoch from clock_timestamp() - min(occurred_at) filter (where published_at is null)), 0) as oldest,"
        " (select count(*) from parked_record) as parked,"
        " (select coalesce(sum(again_until - again_after), 0) from outbox_head) as again from outbox"
    )
    assert row is not None
    return OutboxStatus(row["waiting"], float(row["oldest"]), row["kept"], row["parked"], int(row["again"]))


async def tell_again(database: Database) -> int:
    """Have the relay publish once more, in order and before anything new, what the outbox keeps of the last seven days. Returns how
    many events that is. Consumers drop what they have processed."""
    return await database.fetchval(
        "with heads as (update outbox_head set generation = null, again_after = null, again_until = null returning 1)"
        " select count(*) from outbox where position is not null and exists (select from heads)"
    )


async def consumer_lag(bus: Bus, consumer: str, topics: Sequence[str]) -> Sequence[ConsumerLag]:
    """How far a consumer is behind, topic by topic, on any bus. Raises DependencyAway."""
    behind: dict[str, list[int]] = {topic: [0] for topic in topics}
    if topics:
        for (topic, _), records in (await bus.lag(consumer, topics)).items():
            behind[topic].append(records)
    return [ConsumerLag(consumer, topic, sum(records), max(records)) for topic, records in behind.items()]


async def dead_letter(database: Database, event: UUID) -> Sequence[dict[str, Any]]:
    """All columns of one dead letter but its payload, whose size is told instead: one row for each consumer that gave it up."""
    rows = await database.fetch(
        "select event_id as event, consumer, error, attempts, died_at, school_id as school, type, topic, bucket, key, sequence,"
        " occurred_at, trace, length(payload) as payload_bytes from dead_letter where event_id = $1 order by consumer",
        event,
    )
    return [dict(row) for row in rows]


async def published(database: Database) -> int:
    """The sum of positions given in a service's outbox: how many events it has ever published."""
    return int(await database.fetchval("select sum(position) from outbox_head where bucket < $1", BUCKETS))
