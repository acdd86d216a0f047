"""One installation of the toy service over one of the two buses: everything a test of the contract does to it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis.bus import Bus, Record
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.database import bucket_of
from bookbag.chassis.kafka_bus import KafkaBus
from bookbag.chassis.outbox_bus import OutboxBus, record_of
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.settings import Platform
from bookbag.chassis.tests.bus_contract.toy import TABLE, TOPIC, Heard, toy
from bookbag.chassis.topics import EVENTS, ensure
from tests.support.house import House
from tests.support.house import eventually as in_time

REPOSITORY = Path(__file__).resolve().parents[4]


class HeldBack:
    """A bus for a relay that is frozen between reading and publishing, the one place where it matters."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.publishes = asyncio.Event()
        self.thawed = asyncio.Event()
        self.generation = bus.generation

    async def publish(self, records: Sequence[Record]) -> Mapping[UUID, str]:
        self.publishes.set()
        await self.thawed.wait()
        return await self._bus.publish(records)


@dataclass
class Installation:
    """The toy service on one bus. `settings` is what makes it that bus."""

    house: House
    name: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_kafka(self) -> bool:
        return self.name == "kafka"

    def make_topics(self) -> None:
        if self.is_kafka:
            with self.house.settings(**self.settings) as platform:
                ensure(platform, {TOPIC: EVENTS})

    def platform(self) -> Platform:
        with self.house.settings(**self.settings) as platform:
            return platform

    def bus(self, runtime: Runtime, holder: str) -> Bus:
        if self.is_kafka:
            return KafkaBus(runtime.platform)
        return OutboxBus({TOPIC: runtime.across_schools}, holder, runtime.wake)

    def relay(self, runtime: Runtime, bus: Bus, holder: str) -> Relay:
        return Relay("toy", runtime.across_schools, bus, runtime.wake, holder, tells=[Int64Value])

    async def deliver_all_again(self, runtime: Runtime) -> None:
        """See to it that consumers get everything a second time."""
        if not self.is_kafka:
            await runtime.across_schools.execute("delete from bus_offset")
            return
        rows = await runtime.across_schools.fetch(
            "select * from outbox where position is not null order by bucket, position"
        )
        bus = KafkaBus(runtime.platform)
        await bus.publish([record_of(row) for row in rows])
        await bus.close()

    async def published(self, runtime: Runtime) -> list[int]:
        """The values in the log of the bus, read by a stranger of another group."""
        bus = self.bus(runtime, "stranger")
        subscription = await bus.subscribe("stranger", [TOPIC])
        found: list[int] = []
        try:
            while sum((await bus.lag("stranger", [TOPIC])).values()):
                for one in await subscription.poll(100, 0.2):
                    found.append(Int64Value.FromString(one.record.payload).value)
                    await subscription.commit(one.record.topic, one.record.bucket, one.position)
        finally:
            await subscription.close()
            await bus.close()
        return found

    @asynccontextmanager
    async def still(self, heard: Heard | None = None) -> AsyncGenerator[Runtime]:
        """The toy service with nothing running."""
        async with self.house.runtime(toy(heard or Heard()), working=True, **self.settings) as runtime:
            await self.house.owner("toy", TABLE)
            yield runtime

    @asynccontextmanager
    async def running(self, heard: Heard, *, relays: int = 1, consumers: int = 1) -> AsyncGenerator[Runtime]:
        """The toy service whose relay and consumer run in this process, several of each where asked."""
        async with self.still(heard) as runtime:
            buses = [self.bus(runtime, f"member {number}") for number in range(relays + consumers)]
            tasks = [
                asyncio.create_task(self.relay(runtime, bus, f"relay {number}").run())
                for number, bus in enumerate(buses[:relays])
            ]
            tasks += [asyncio.create_task(Consumer(runtime, bus).run()) for bus in buses[relays:]]
            try:
                yield runtime
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                for bus in buses:
                    await bus.close()
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    @contextmanager
    def worker(self, name: str) -> Generator[subprocess.Popen[bytes]]:
        """A worker process of its own: relay, consumer and jobs. Ended with the block, however it was left."""
        log = self.house.folder / f"{name}.log"
        command = [sys.executable, "-m", "bookbag.chassis.tests.bus_contract.toy", name]
        with log.open("wb") as said:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env=os.environ | self.house.environment | self.settings, stderr=said
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a fact, however busy the machine is: takeovers alone need some seconds."""
    await in_time(fact, seconds=80)


async def tell(runtime: Runtime, school: UUID, key: UUID, value: int) -> UUID:
    async with runtime.database.tenant(school) as tx:
        event = await tx.tell(Int64Value(value=value), key=key)
    runtime.signal("outbox")
    return event


async def put_in_outbox(runtime: Runtime, school: UUID, key: UUID, kind: str, payload: bytes, at: datetime) -> UUID:
    """Past `tell` and its checks, as a statement of SQL could."""
    event = uuid4()
    await runtime.across_schools.execute(
        "insert into outbox (school_id, event_id, bucket, topic, key, type, payload, occurred_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        school, event, bucket_of(key), TOPIC, key, kind, payload, at,
    )  # fmt: skip
    return event


async def is_now(look: Callable[[], Awaitable[object]], wanted: object) -> bool:
    return await look() == wanted


async def effects(runtime: Runtime, key: UUID) -> list[int]:
    rows = await runtime.across_schools.fetch("select value from effect where key = $1 order by at", key)
    return [row["value"] for row in rows]


async def has(runtime: Runtime, key: UUID, values: list[int]) -> bool:
    return await effects(runtime, key) == values
