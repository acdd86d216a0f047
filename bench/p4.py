"""P4: what one relay and one fan-out worker do per second, beside what the bus and the database do raw in the same run.

A school writes to all its two thousand families, three times. The relay brings the waiting events to the bus; notify's consumer turns
each message into an item, a mail and a step of the live stream for each reader. Raw is one client that reads the same events in batches
and writes the same rows in batches, with nothing asked or decided. All are one process beside one PostgreSQL, by the clock on the wall.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from bench.installation import THREADS, Installation, installation, numbered
from bench.results import Result
from bookbag.chassis import runtime as runtimes
from bookbag.chassis import telemetry
from bookbag.chassis.clock import new_id
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.database import bucket_of
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.settings import Platform
from bookbag.chassis.wake import Wake
from bookbag.cli.services import named
from services.messaging.events import message_sent
from services.messaging.model import MessageId, PersonId, ThreadId

EVENTS = 6_000
FAMILY = 2
"""Guardians who read each thread: so many items and mails come of one message."""
BATCH = 500
GOAL = 0.3
TOPIC = "bookbag.messaging.v1"


def measure() -> Sequence[Result]:
    """Relay and consumer, each against raw."""
    with installation(services=("messaging", "notify"), family=FAMILY, schools=1) as here:
        return asyncio.run(_measure(here))


async def _measure(here: Installation) -> Sequence[Result]:
    os.environ.update(here.environment)
    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up("bench", platform)
    async with _runtimes(platform) as (messaging, notify):
        await _send(messaging, EVENTS)
        bus = OutboxBus({TOPIC: messaging.across_schools}, "bench", messaging.wake)
        relay = Relay(
            "messaging", messaging.across_schools, bus, messaging.wake, "bench", tells=messaging.service.tells
        )
        relayed = await _until(
            relay.run, lambda: _count(messaging, "select count(*) from outbox where published_at is not null")
        )
        consumer = Consumer(notify, bus)
        told = await _until(consumer.run, lambda: _count(notify, "select count(*) from processed"))
        administrator = await asyncpg.connect(here.postgres.url("bookbag_notify"))
        deliveries = await administrator.fetchval("select count(*) from delivery")
        await administrator.close()
        raw_read, raw_written = await _raw(here)
    events, both = EVENTS / relayed, EVENTS * FAMILY / told
    assert deliveries == EVENTS * FAMILY, f"{deliveries} deliveries of {EVENTS} messages"
    raw = 1 / (1 / raw_read / FAMILY + 1 / raw_written)
    print(f"P4: relay {events:,.0f} events, fan-out {both:,.0f} deliveries per second ({EVENTS / told:,.0f} messages)")
    print(
        f"P4: raw bus {raw_read:,.0f} events, raw inserts {raw_written:,.0f} deliveries, together {raw:,.0f} deliveries"
    )
    return [
        Result("P4a", "events relayed ÷ events read and marked raw", round(events / raw_read, 3), "ratio", f"≥ {GOAL}",
               events / raw_read >= GOAL, {"relay": events, "raw": raw_read}),
        Result("P4b", "deliveries recorded ÷ raw bus and batched inserts", round(both / raw, 3), "ratio", f"≥ {GOAL}",
               both / raw >= GOAL, {"fan_out": both, "raw": raw, "raw_read": raw_read, "raw_written": raw_written}),
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


async def _raw(here: Installation) -> tuple[float, float]:
    """Events read and deliveries written per second, in batches, with nothing between."""
    connection = await asyncpg.connect(here.postgres.url("bookbag_messaging"))
    try:
        await connection.execute(
            "create table raw_outbox (like outbox including all); insert into raw_outbox overriding system value select * from outbox"
        )
        rows = await connection.fetch("select event_id from raw_outbox limit $1", BATCH)
        began, read = time.monotonic(), 0
        while rows:
            rows = await connection.fetch(
                "select * from raw_outbox where published_at is not null order by bucket, position limit $1", BATCH
            )
            await connection.execute(
                "update raw_outbox set published_at = null where event_id = any($1)", [row["event_id"] for row in rows]
            )
            read += len(rows)
        reading = (time.monotonic() - began) / read
    finally:
        await connection.close()
    connection = await asyncpg.connect(here.postgres.url("bookbag_notify"))
    try:
        for table in ("notification", "delivery", "stream_event"):
            await connection.execute(f"create table raw_{table} (like {table} including all)")
        began, written = time.monotonic(), 0
        rows = await connection.fetch(
            "select n.*, d.channel, d.delivery_id, d.state, d.due_at from notification n"
            " join delivery d using (school_id, person_id, event_id)"
        )
        began = time.monotonic()
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            columns = [[row[name] for row in some] for name in ("school_id", "person_id", "event_id", "notification_id", "thread_id",
                                                                "content_id", "author_id", "created_at", "delivery_id", "due_at")]  # fmt: skip
            async with connection.transaction():
                await connection.execute(
                    "insert into raw_notification (school_id, person_id, event_id, notification_id, kind, roles, thread_id, content_id,"
                    " author_id, created_at) select s, p, e, n, 'message', '{guardian}', t, c, a, at"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],"
                    "   $8::timestamptz[]) u (s, p, e, n, t, c, a, at)",
                    *columns[:8],
                )
                await connection.execute(
                    "insert into raw_delivery (school_id, person_id, event_id, channel, delivery_id, state, due_at, created_at, updated_at)"
                    " select s, p, e, 'email', d, 'waiting', due, due, due"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[]) u (s, p, e, d, due)",
                    *columns[:3], columns[8], columns[9],
                )  # fmt: skip
                await connection.execute(
                    "insert into raw_stream_event (school_id, person_id, number, event_id, kind, roles, thread_id, content_id, at)"
                    " select s, p, row_number() over (), e, 'message', '{guardian}', t, c, at"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[]) u (s, p, e, t, c, at)"
                    " on conflict do nothing",
                    columns[0], columns[1], columns[2], columns[4], columns[5], columns[7],
                )  # fmt: skip
            written += len(some)
        writing = (time.monotonic() - began) / written
    finally:
        await connection.close()
    return 1 / reading, 1 / writing
