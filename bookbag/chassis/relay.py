"""Brings committed events from the outbox to the bus: publish, then mark, in order per key, one holder per bucket.

Every record is checked here once more: what is not the event that its type says is refused visibly (a dead letter of the relay), and
its bucket goes on. When the bus has lost its log, what the outbox still keeps is told again before anything new.

A relay that was frozen and wakes may publish what it had in hand: those records were not marked, so the next holder has published or
will publish them too, in the same order, and consumers drop the second of each. It marks nothing, because its fence is old.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError, Message
from opentelemetry.trace import SpanKind

from bookbag.chassis import faults, measures, tracing
from bookbag.chassis.bus import LARGEST_EVENT, Bus, Record
from bookbag.chassis.database import BUCKETS, Database, Row, topic_of
from bookbag.chassis.lease import Leases
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.wake import Sleeper, Wake

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from uuid import UUID

    from opentelemetry.trace import Span

log = structlog.get_logger()

BATCH = 2000
IDLE_SECONDS = 0.25

LOOK_SECONDS = 5.0
"""How often an idle relay looks whether the bus still has its log."""

_LOOKED_SECONDS = 0.2
"""How old the knowledge of the bus's log may be before publishing; afterwards it is looked at again in any case."""

UNKNOWN_WAITS = timedelta(minutes=5)
"""So long a type that this relay does not know may be a newer release's, whose relays will take over; its key waits. Then it is refused."""


class Relay:
    """The relay of one service in one process. Run `run()` as a task."""

    def __init__(
        self,
        service: str,
        database: Database,
        bus: Bus,
        wake: Wake,
        holder: str,
        *,
        tells: Sequence[type[Message]],
    ) -> None:
        self._service = service
        self._database = database
        self._bus = bus
        self._wake = wake
        self._leases = Leases(database, "relay", [str(bucket) for bucket in range(BUCKETS)], holder)
        self._kinds = {event.DESCRIPTOR.full_name: event for event in tells}
        self._topics = sorted({topic_of(kind) for kind in self._kinds})
        self._generation = ""
        self._look_at = 0.0

    async def run(self) -> None:
        """Relay until cancelled. Outlives an absent database or bus."""
        keeping = asyncio.create_task(self._leases.keep(), name="relay leases")
        try:
            with self._wake.sleeper(f"{self._service}:outbox") as sleeper:
                while True:
                    await self._turn(sleeper)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _turn(self, sleeper: Sleeper) -> None:
        try:
            if await self.step() == 0:
                await sleeper.wait(IDLE_SECONDS)
        except DependencyAway as away:
            log.warning("relay waits", service=self._service, dependency=away.name)
            await asyncio.sleep(1)

    async def step(self) -> int:
        """Publish and mark one batch of our buckets. Returns how many events were dealt with."""
        fences = self._fences()
        if not fences:
            return 0
        if time.monotonic() >= self._look_at:
            await self._look()
        behind = await self._database.fetch(
            "select * from outbox_head where bucket = any($1::smallint[])"
            " and (generation is distinct from $2 or again_until is not null)",
            list(fences), self._generation,
        )  # fmt: skip
        done = 0
        for head in behind:
            done += await self._tell_again(head, fences[head["bucket"]])
        waiting = await self._database.fetch(
            "select *, occurred_at < clock_timestamp() - $3::interval as old from outbox"
            " where published_at is null and bucket = any($1::smallint[]) order by bucket, ordinal limit $2",
            list(fences.keys() - {head["bucket"] for head in behind}), BATCH, UNKNOWN_WAITS,
        )  # fmt: skip
        return done + (await self._tell(waiting, fences) if waiting else 0)

    async def _tell(self, rows: Sequence[Row], fences: Mapping[int, int]) -> int:
        """Publish new events, then mark them. Nothing is marked unless the bus had the same log before and after."""
        sound, refused = self._checked(rows)
        if not await self._look(within=_LOOKED_SECONDS):
            return 0
        still = self._fences()  # a holder that was away meanwhile has less to publish in vain
        records = [record for record in sound if still.get(record.bucket) == fences[record.bucket]]
        with publishing(self._service, records):
            refused |= await self._bus.publish(records)
        await faults.reached(faults.AFTER_PUBLISH, self._service)
        if not await self._look():
            return 0
        taken = {
            bucket: [record.event_id for record in group if record.event_id not in refused]
            for bucket, group in groupby(records, key=lambda record: record.bucket)
        }
        # Side by side, so that the buckets share the waits for the disk.
        done = sum(
            await asyncio.gather(*(self._mark(bucket, fences[bucket], events) for bucket, events in taken.items()))
        )
        measures.published.labels(self._service).inc(done)
        self._wake.signal("bus")
        return done + await self._refuse(rows, refused, fences)

    async def _mark(self, bucket: int, fence: int, events: Sequence[UUID]) -> int:
        """Mark what the bus took of one bucket. Gives how many events that were."""
        statement = "select mark_published($1::smallint, $2, $3, $4, $5::uuid[])"
        return len(events) if events and await self._fenced(statement, bucket, fence, events) else 0

    def _checked(self, rows: Sequence[Row]) -> tuple[list[Record], dict[UUID, str]]:
        """The events that are what their type says, and why others are not. Behind one that may still be known its key waits."""
        sound: list[Record] = []
        refused: dict[UUID, str] = {}
        held_back: set[UUID] = set()
        for row in rows:
            record = record_of(row)
            if record.key in held_back:
                continue
            wrong = self._what_is_wrong(record)
            if wrong is None:
                sound.append(record)
            elif wrong == "UnknownType" and not row["old"]:
                held_back.add(record.key)
            else:
                refused[record.event_id] = wrong
        return sound, refused

    def _what_is_wrong(self, record: Record) -> str | None:
        kind = self._kinds.get(record.type)
        if kind is None or record.topic != topic_of(record.type):
            return "UnknownType"
        if len(record.payload) > LARGEST_EVENT:
            return "TooLarge"
        try:
            kind().ParseFromString(record.payload)
        except DecodeError:
            return "DecodeError"
        return None

    async def _refuse(self, rows: Sequence[Row], refused: Mapping[UUID, str], fences: Mapping[int, int]) -> int:
        done = 0
        for row in rows:
            event, bucket = row["event_id"], row["bucket"]
            if event in refused:
                log.error(
                    "event refused", service=self._service, kind=row["type"], event_id=str(event), error=refused[event]
                )
                done += await self._fenced(
                    "select refuse_event($1::smallint, $2, $3, $4, $5, $6)",
                    bucket,
                    fences[bucket],
                    event,
                    refused[event],
                )
        return done

    async def _tell_again(self, head: Row, fence: int) -> int:
        """Publish the next kept events of a bucket to a log that lacks them, in the order of their positions."""
        bucket = head["bucket"]
        if head["generation"] != self._generation:
            if head["generation"] is not None:
                log.warning("the bus has another log; telling again what is kept", service=self._service)
            return await self._fenced(
                "select begin_again($1::smallint, $2, $3, $4, $5)", bucket, fence, self._generation
            )
        rows = await self._database.fetch(
            "select * from outbox where bucket = $1 and position > $2 and position <= $3 order by position limit $4",
            bucket, head["again_after"], head["again_until"], BATCH,
        )  # fmt: skip
        if not await self._look():
            return 0
        await self._bus.publish([record_of(row) for row in rows])
        if not await self._look():
            return 0
        reached = rows[-1]["position"] if rows else head["again_until"]
        self._wake.signal("bus")
        return await self._fenced(
            "select mark_again($1::smallint, $2, $3, $4, $5, $6)", bucket, fence, self._generation, reached
        )

    async def _look(self, *, within: float = 0.0) -> bool:
        """See which log the bus has now, or had `within` so many seconds; whether it is the one we knew."""
        before = self._generation
        self._generation = await self._bus.generation(self._topics, within=within)
        self._look_at = time.monotonic() + LOOK_SECONDS
        return self._generation == before

    def _fences(self) -> dict[int, int]:
        """The buckets that are ours now, with the fence of each."""
        return {int(name.rpartition("/")[2]): fence for name, fence in self._leases.held.items()}

    async def _fenced(self, statement: str, bucket: int, fence: int, *arguments: object) -> int:
        """Call a function of the database that refuses whoever no longer holds the bucket."""
        name = f"relay/{bucket}"
        done = await self._database.fetchval(statement, bucket, name, self._leases.holder, fence, *arguments)
        return int(bool(done))


@contextmanager
def publishing(service: str, records: Sequence[Record]) -> Generator[None]:
    """A span per record in the trace it was told in: how long it lay in the outbox, and whether the bus took it. What consumers do is
    a sibling of it, under the same cause, whichever bus carries the record and however often it is published."""
    spans: list[Span] = []
    if tracing.collects():
        for record in records:
            if record.trace is not None:
                said = {
                    "messaging.operation.type": "send", "messaging.destination.name": record.topic,
                    "messaging.batch.message_count": len(records), "bookbag.event_type": record.type,
                    "bookbag.school": str(record.school),
                }  # fmt: skip
                name = f"publish {record.topic}"
                spans.append(tracing.begin(service, name, SpanKind.PRODUCER, parent=record.trace, attributes=said))
    try:
        yield
    except Exception as error:
        for span in spans:
            tracing.failed(span, type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()
