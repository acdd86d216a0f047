"""P4: what one relay and one fan-out worker do per second, beside what the bus and the database do raw in the same run.

A school writes to all its two thousand families, three times. The relay brings the waiting events to the bus; notify's consumer turns
each message into an item, a mail and a step of the live stream for each reader. Raw is one client that reads the same events in batches
and writes the same rows in batches, with nothing asked or decided. All are one process beside one PostgreSQL, by the clock on the wall.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from unittest.mock import patch

import asyncpg

from bench import raw
from bench.installation import THREADS, Installation, installation, numbered
from bench.results import Result
from bookbag.chassis import runtime as runtimes
from bookbag.chassis import telemetry, topics
from bookbag.chassis.bus import Bus
from bookbag.chassis.clock import new_id
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.database import bucket_of
from bookbag.chassis.kafka_bus import KafkaBus
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.settings import Platform
from bookbag.chassis.wake import Wake
from bookbag.cli.services import named
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.parts import start
from services.messaging.events import message_sent
from services.messaging.model import MessageId, PersonId, ThreadId

EVENTS = 20_000
"""Enough that each side of a ratio runs for a second or more."""
FAMILY = 2
"""Guardians who read each thread: so many items and mails come of one message."""
GOAL = 0.3
TOPIC = "bookbag.messaging.v1"


def measure() -> Sequence[Result]:
    """Relay and fan-out on either bus, each against raw."""
    results: list[Result] = []
    for bus, letters in (("outbox", "ab"), ("kafka", "cd")):
        with (
            installation(services=("messaging", "notify"), family=FAMILY, schools=1) as here,
            _broker(here, bus) as told,
            patch.dict(os.environ, here.environment | told),
        ):
            results += asyncio.run(_measure(here, bus, letters))
    return results


@contextmanager
def _broker(here: Installation, bus: str) -> Generator[dict[str, str]]:
    """The settings of a bus, with a broker behind them where there is one."""
    if bus == "outbox":
        yield {"BOOKBAG_BUS": bus}
        return
    broker = EmbeddedKafka(here.folder / "kafka")
    try:
        start(broker)
        yield {"BOOKBAG_BUS": bus, "BOOKBAG_KAFKA_URL": broker.address.bootstrap, "BOOKBAG_KAFKA_COPIES": "1"}
    finally:
        broker.stop()


async def _measure(here: Installation, kind: str, letters: str) -> Sequence[Result]:
    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up("bench", platform)
    async with _runtimes(platform) as (messaging, notify):
        await _send(messaging, EVENTS)
        bus: Bus
        if kind == "kafka":
            topics.ensure(platform, topics.topics_of([messaging.service]))
            bus = KafkaBus(platform)
        else:
            bus = OutboxBus({TOPIC: messaging.across_schools}, "bench", messaging.wake)
        relay = Relay(
            "messaging", messaging.across_schools, bus, messaging.wake, "bench", tells=messaging.service.tells
        )
        relayed = await _until(
            relay.run, lambda: _count(messaging, "select count(*) from outbox where published_at is not null")
        )
        heard = await _until(Consumer(notify, bus).run, lambda: _count(notify, "select count(*) from processed"))
        administrator = await asyncpg.connect(here.postgres.url("bookbag_notify"))
        deliveries = await administrator.fetchval("select count(*) from delivery")
        await administrator.close()
        if isinstance(bus, KafkaBus):
            await bus.close()
        written = await raw.inserts(here)
        if kind == "kafka":
            raw_out, raw_in = raw.kafka(platform, platform.kafka_prefix + TOPIC, EVENTS)
        else:
            raw_out = raw_in = await raw.outbox(here)
    if deliveries != EVENTS * FAMILY:
        raise SystemExit(f"P4: {deliveries} deliveries of {EVENTS} messages")
    events, fan_out = EVENTS / relayed, EVENTS * FAMILY / heard
    both = 1 / (1 / raw_in / FAMILY + 1 / written)
    print(
        f"P4: {kind}: relay {events:,.0f} events/s of {raw_out:,.0f} raw; fan-out {fan_out:,.0f} deliveries/s of {both:,.0f} raw"
    )
    return [
        Result(f"P4{letters[0]}", f"events relayed ÷ events the bus takes raw, {kind}", round(events / raw_out, 3), "ratio", f"≥ {GOAL}",
               events / raw_out >= GOAL, {"relay": events, "raw": raw_out}),
        Result(f"P4{letters[1]}", f"deliveries recorded ÷ raw bus and batched inserts, {kind}", round(fan_out / both, 3), "ratio",
               f"≥ {GOAL}", fan_out / both >= GOAL, {"fan_out": fan_out, "raw": both, "raw_read": raw_in, "raw_written": written}),
    ]  # fmt: skip


@asynccontextmanager
async def _runtimes(platform: Platform) -> AsyncGenerator[tuple[Runtime, Runtime]]:
    wake = Wake(platform.redis_url.get_secret_value(), "bus")
    await wake.start()
    built = [runtimes.build(named(name)[0], platform, wake, working=True) for name in ("messaging", "notify")]
    for runtime in built:
        runtime.state["holder"] = "bench"
        if runtime.service.start is not None:
            await runtime.service.start(runtime)
    try:
        yield built[0], built[1]
    finally:
        for runtime in built:
            await runtime.close()
        await wake.close()


async def _send(messaging: Runtime, many: int) -> None:
    """Messages of teachers through the function that accepts them, so that their events wait in the outbox."""
    slots = asyncio.Semaphore(8)

    async def send(number: int) -> None:
        who, message = number % THREADS, new_id()
        school, teacher, thread = numbered(1, 0), numbered(2, who), numbered(3, who)
        event = message_sent(school, ThreadId(thread), MessageId(message), PersonId(teacher))
        async with slots, messaging.database.connection() as connection:
            await connection.execute(
                "select post_message($1, $2, 'teacher', $3, 1, $4, $5, 'Maya read a whole book aloud today.', null, $6, $7,"
                " clock_timestamp(), $8, $9, $10, $11, $12, null)",
                school, teacher, numbered(6, who), thread, message, new_id().hex, bytes(32), new_id(), bucket_of(thread), TOPIC,
                f"{TOPIC}.MessageSent", event.SerializeToString(),
            )  # fmt: skip

    await asyncio.gather(*(send(number) for number in range(many)))


async def _until(work: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[int]]) -> float:
    """Run some work until its count is full; the seconds that it took."""
    running = asyncio.ensure_future(work())
    already, began = 0, 0.0
    while (count := await done()) < EVENTS:
        if running.done():
            running.result()
        if count and not began:  # its first batch is there: leases are taken, connections open
            already, began = count, time.monotonic()
        await asyncio.sleep(0.02)
    spent = time.monotonic() - began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return spent * EVENTS / max(1, EVENTS - already)


async def _count(runtime: Runtime, sql: str) -> int:
    return int(await runtime.across_schools.fetchval(sql))
