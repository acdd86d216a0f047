"""Brings committed events from the outbox to the bus: publish, then mark, in order per key, one holder per bucket."""

import asyncio
from itertools import groupby

import structlog

from bookbag.chassis.bus import Bus
from bookbag.chassis.database import BUCKETS, Database
from bookbag.chassis.lease import Leases
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.wake import Sleeper, Wake

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
        self._wake.signal("bus")
        return marked
