"""Each checker turns red on the mutants of relay and consumer: a checker that cannot find the fault it is for proves nothing (R9).

A mutant stands in for one class; the sound one goes through the same test beside it and must come out clean.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest

from bookbag.chassis.bus import Delivered, Record, Subscription
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from tests.chaos import checkers
from tests.chaos.history import Kept
from tests.chaos.toy import CHANNEL, Killed, bus_of, readers, relay_of, running, settled, tell, told, toy
from tests.support.house import House

pytestmark = [pytest.mark.chaos, pytest.mark.req("OPS-4", "NTF-3")]

Noting = Callable[[str, object], None]
COUNT = 96


class CursorRelay(Relay):
    """Reads by `id > cursor`: it passes over whatever commits late."""

    cursor = 0

    async def step(self) -> int:
        rows = await self._database.fetch(
            "select * from outbox where ordinal > $1 order by ordinal limit 500", self.cursor
        )
        held = self._leases.held
        marked = 0
        for row in rows:
            record = record_of(row)
            name = f"relay/{record.bucket}"
            if name not in held:
                return marked
            marked += await self._database.fetchval(
                "select mark_published($1::smallint, $2, $3, $4, $5::uuid[])::int",
                record.bucket, name, self._leases.holder, held[name], [record.event_id],
            )  # fmt: skip
            self.cursor = row["ordinal"]
        self._wake.signal("bus")
        return marked


class SkippingRelay(Relay):
    """Shares the outbox with others by SKIP LOCKED alone, without holding keys: what one has in hand another passes by."""

    async def step(self) -> int:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select * from outbox where published_at is null order by ordinal limit 3 for update skip locked"
            )
            await asyncio.sleep(random.Random(len(rows)).random() / 20)  # the broker thinks
            for row in rows:
                await connection.execute(
                    "with head as (update outbox_head set position = position + 1 where bucket = $1 returning position)"
                    " update outbox set published_at = clock_timestamp(), position = head.position from head where event_id = $2",
                    row["bucket"], row["event_id"],
                )  # fmt: skip
        self._wake.signal("bus")
        return len(rows)


class ForgetfulConsumer(Consumer):
    """Commits its offset before the effect."""

    async def _all_buckets(self, subscription: Subscription, delivered: Sequence[Delivered]) -> None:
        for one in delivered:
            await subscription.commit(one.record.topic, one.record.bucket, one.position)
        await super()._all_buckets(subscription, delivered)


class SwallowingConsumer(Consumer):
    """Takes an event whose handler failed for done."""

    async def _handle(self, record: Record) -> str | None:
        await super()._handle(record)
        return None


async def _tell_all(runtime: Runtime, *, late: bool = False, keys: int = COUNT) -> list[Kept]:
    """Sixteen writers, or one for each key, who write in order; with `late` transactions commit in another order than they began."""
    school, slots, kept = uuid4(), asyncio.Semaphore(16), list[Kept]()

    async def write(key: int) -> None:
        async with slots:
            for seq in range(1, COUNT // keys + 1):
                value = key * 1000 + seq
                await tell(
                    runtime, school, UUID(int=key), value, held=random.Random(value).random() / 10 if late else 0
                )
                kept.append(Kept(str(value), str(key), seq, str(value)))

    await asyncio.gather(*(write(key) for key in range(1, keys + 1)))
    return kept


@pytest.mark.parametrize("relay", [Relay, CursorRelay])
async def test_a_relay_that_reads_by_cursor_is_found_out(
    fresh_house: House, relay: type[Relay], record_property: Noting
) -> None:
    async with toy(fresh_house) as runtime:
        async with running(relay_of(runtime, relay), Consumer(runtime, bus_of(runtime, "one"))):
            kept = await _tell_all(runtime, late=True)
            await settled(runtime, COUNT)
        wrong = checkers.untold(kept, await told(runtime), readers(kept), {CHANNEL})
    assert bool(wrong) is (relay is CursorRelay), wrong
    record_property("mutant", "id > cursor" if wrong else "")


@pytest.mark.parametrize("relay", [Relay, SkippingRelay])
async def test_relays_that_share_by_skip_locked_alone_are_found_out(
    fresh_house: House, relay: type[Relay], record_property: Noting
) -> None:
    async with toy(fresh_house) as runtime:
        relays = [relay_of(runtime, relay, name) for name in ("one", "two", "three")]
        async with running(*relays, Consumer(runtime, bus_of(runtime, "one"))):
            kept = await _tell_all(runtime, keys=2)
            await settled(runtime, COUNT)
        heard = await told(runtime)
        assert checkers.untold(kept, heard, readers(kept), {CHANNEL}) == []
        wrong = checkers.told_out_of_order(kept, heard)
    assert bool(wrong) is (relay is SkippingRelay), wrong
    record_property("mutant", "SKIP LOCKED relay without key lock" if wrong else "")


@pytest.mark.parametrize("consumer", [Consumer, ForgetfulConsumer])
async def test_a_consumer_that_commits_before_its_effect_is_found_out(
    fresh_house: House, consumer: type[Consumer], record_property: Noting
) -> None:
    async with toy(fresh_house) as runtime:
        async with running(relay_of(runtime)):
            kept = await _tell_all(runtime)
            runtime.state["kill_at"] = 50_001
            with pytest.raises(Killed):
                await consumer(runtime, bus_of(runtime, "one")).run()
            async with running(Consumer(runtime, bus_of(runtime, "one"))):
                await settled(runtime, COUNT)
        heard = await told(runtime)
        wrong = checkers.untold(kept, heard, readers(kept), {CHANNEL})
    assert bool(wrong) is (consumer is ForgetfulConsumer), wrong
    assert checkers.told_twice(heard) == []
    record_property("mutant", "offset before effect" if wrong else "")


@pytest.mark.parametrize("consumer", [Consumer, SwallowingConsumer])
async def test_a_consumer_that_swallows_errors_is_found_out(
    fresh_house: House, consumer: type[Consumer], record_property: Noting
) -> None:
    async with toy(fresh_house) as runtime:
        runtime.state["fail_at"] = 50_001
        async with running(relay_of(runtime), consumer(runtime, bus_of(runtime, "one"))):
            kept = await _tell_all(runtime)
            await settled(runtime, COUNT)
        across = runtime.across_schools
        events = [row["event_id"] for row in await across.fetch("select event_id from outbox")]
        done = {row["event_id"] for row in await across.fetch("select event_id from processed where consumer = 'toy'")}
        dead = {row["event_id"] for row in await across.fetch("select event_id from dead_letter")}
        heard = await told(runtime)
    wrong = checkers.unaccounted(events, done, dead)
    assert bool(wrong) is (consumer is SwallowingConsumer), wrong
    assert bool(checkers.untold(kept, heard, readers(kept), {CHANNEL})) is bool(wrong)
    record_property("mutant", "swallowed consumer error" if wrong else "")
