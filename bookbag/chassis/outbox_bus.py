"""The bus of one machine: consumers read the published outbox of each service directly, bucket by bucket, in order of position.

Positions are given by the one relay that holds a bucket, after commit and without gaps, so reading `position > committed` passes over
nothing. Buckets are shared among the members of a group by leases, and a commit is refused once the lease is somebody else's.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.bus import Delivered, Record
from bookbag.chassis.database import BUCKETS, Database, Row
from bookbag.chassis.lease import Leases
from bookbag.chassis.wake import Wake


def record_of(row: Row) -> Record:
    """A record from a row that carries its columns."""
    return Record(
        row["school_id"], row["event_id"], row["topic"], row["bucket"], row["key"], row["type"], row["payload"],
        row["sequence"], row["trace"], row["occurred_at"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket that is ours, under one fence and in one unbroken spell of holding it."""

    topic: str
    bucket: int
    fence: int
    term: int


class OutboxSubscription:
    """See `bus.Subscription`."""

    def __init__(self, consumer: str, sources: Mapping[str, Database], holder: str, wake: Wake) -> None:
        self._consumer = consumer
        self._sources = sources
        buckets = [str(bucket) for bucket in range(BUCKETS)]
        self._leases = {
            topic: Leases(database, f"bus/{consumer}/{topic}", buckets, holder) for topic, database in sources.items()
        }
        self._keeping: list[asyncio.Task[None]] = []
        self._given: dict[Place, int] = {}
        self._sleeper = wake.sleeper("bus")

    async def start(self) -> None:
        self._sleeper.__enter__()
        self._keeping = [asyncio.create_task(leases.keep(), name="bus leases") for leases in self._leases.values()]

    def assigned(self) -> Sequence[tuple[str, int]]:
        return [(place.topic, place.bucket) for place in self._places()]

    async def poll(self, limit: int, seconds: float) -> Sequence[Delivered]:
        found = await self._read(limit)
        if not found:
            await self._sleeper.wait(seconds)
            found = await self._read(limit)
        return found

    async def commit(self, topic: str, bucket: int, position: int) -> bool:
        leases = self._leases[topic]
        name = f"bus/{self._consumer}/{topic}/{bucket}"
        done = await self._sources[topic].fetchval(
            "insert into bus_offset as o (consumer, topic, bucket, position)"
            " select $1::text, $2::text, $3::smallint, $4::bigint from lease where name = $5 and holder = $6 and fence = $7"
            "   and expires_at > clock_timestamp() for share"
            " on conflict (consumer, topic, bucket) do update set position = greatest(o.position, excluded.position)"
            " returning true",
            self._consumer, topic, bucket, position, name, leases.holder, leases.held_of(str(bucket)) or 0,
        )  # fmt: skip
        return bool(done)

    async def close(self) -> None:
        for task in self._keeping:
            task.cancel()
        for task in self._keeping:
            with suppress(asyncio.CancelledError):
                await task
        self._sleeper.__exit__()

    def _places(self) -> list[Place]:
        return [
            Place(topic, int(name.rpartition("/")[2]), fence, leases.term)
            for topic, leases in self._leases.items()
            for name, fence in leases.held.items()
        ]

    async def _read(self, limit: int) -> list[Delivered]:
        """What comes after the last record given at each of our places. A place that is new starts from the committed offset. Nothing
        counts as given until all topics were read: one of their databases may be away."""
        places = self._places()
        given = {place: self._given.get(place, -1) for place in places}
        found: list[Delivered] = []
        share = -(-limit // max(1, len(places)))
        for topic, database in self._sources.items():
            mine = {place.bucket: place for place in places if place.topic == topic}
            if not mine:
                continue
            rows = await database.fetch(
                "select o.* from unnest($3::smallint[], $4::bigint[]) b (bucket, given)"
                " left join bus_offset f on f.consumer = $1 and f.topic = $2 and f.bucket = b.bucket"
                " cross join lateral (select * from outbox o where o.bucket = b.bucket"
                "   and o.position > greatest(b.given, coalesce(f.position, 0)) order by o.position limit $5) o",
                self._consumer, topic, list(mine), [given[place] for place in mine.values()], share,
            )  # fmt: skip
            for row in sorted(rows, key=lambda row: (row["bucket"], row["position"])):
                found.append(Delivered(record_of(row), row["position"]))
                given[mine[row["bucket"]]] = row["position"]
        self._given = given
        return found


class OutboxBus:
    """See `bus.Bus`. `sources` is each topic's service database under its worker role."""

    def __init__(self, sources: Mapping[str, Database], holder: str, wake: Wake) -> None:
        self._sources = sources
        self._holder = holder
        self._wake = wake

    async def publish(self, records: Sequence[Record]) -> Mapping[UUID, str]:  # noqa: ARG002 - the outbox has them already
        """Nothing to do: a record is in the log as soon as the relay gives it its position."""
        return {}

    async def generation(self, topics: Sequence[str], *, within: float = 0.0) -> str:  # noqa: ARG002 - never lost apart
        """The log cannot be lost without the outbox itself."""
        return "outbox"

    async def ready(self) -> None:
        """As ready as the databases are, which are asked for themselves."""

    async def close(self) -> None:
        """The databases belong to others."""

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> OutboxSubscription:
        subscription = OutboxSubscription(
            consumer, {topic: self._sources[topic] for topic in topics}, self._holder, self._wake
        )
        await subscription.start()
        return subscription

    async def lag(self, consumer: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        behind: dict[tuple[str, int], int] = {}
        for topic in topics:
            rows = await self._sources[topic].fetch(
                "select h.bucket, h.position - coalesce(f.position, 0) as lag from outbox_head h"
                " left join bus_offset f on f.consumer = $1 and f.topic = $2 and f.bucket = h.bucket where h.bucket < $3",
                consumer, topic, BUCKETS,
            )  # fmt: skip
            behind |= {(topic, row["bucket"]): row["lag"] for row in rows}
        return behind
