"""Brings committed events from the outbox to the bus: publish, then mark, in order per key, one holder per bucket."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind

from bookbag.chassis import measures, tracing
from bookbag.chassis.bus import Bus, Record
from bookbag.chassis.database import BUCKETS, Database
from bookbag.chassis.lease import Leases
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.wake import Sleeper, Wake

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from opentelemetry.trace import Span

log = structlog.get_logger()

BATCH = 500
IDLE_SECONDS = 0.25


class Relay:
    """The relay of one service in one process. Run `run()` as a task."""

    def __init__(self, service: str, database: Database, bus: Bus, wake: Wake, holder: str) -> None:
        self._service = service
        self._database = database
        self._bus = bus
        self._wake = wake
        self._leases = Leases(database, "relay", [str(bucket) for bucket in range(BUCKETS)], holder)

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
        """Publish and mark one batch of our buckets. Returns how many events were marked."""
        held = self._leases.held
        buckets = {int(name.rpartition("/")[2]): (name, fence) for name, fence in held.items()}
        if not buckets:
            return 0
        rows = await self._database.fetch(
            "select * from outbox where published_at is null and bucket = any($1::smallint[]) order by bucket, ordinal limit $2",
            list(buckets), BATCH,
        )  # fmt: skip
        if not rows:
            return 0
        records = [record_of(row) for row in rows]
        with publishing(self._service, records):
            await self._bus.publish(records)
        marked = 0
        for bucket, group in groupby(records, key=lambda record: record.bucket):
            name, fence = buckets[bucket]
            events = [record.event_id for record in group]
            if await self._database.fetchval(
                "select mark_published($1::smallint, $2, $3, $4, $5::uuid[])",
                bucket,
                name,
                self._leases.holder,
                fence,
                events,
            ):
                marked += len(events)
        measures.published.labels(self._service).inc(marked)
        self._wake.signal("bus")
        return marked


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
