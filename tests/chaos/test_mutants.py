"""Each checker turns red on its mutant: a checker that cannot find the fault it is for proves nothing (R9)."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis.bus import Delivered, Subscription
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.outbox_bus import OutboxBus, record_of
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from services.messaging.tests.builders import Oak
from tests.chaos import checkers
from tests.chaos.history import Kept, Outcome, Told, Write
from tests.support.house import House, eventually

pytestmark = pytest.mark.chaos

TOPIC = "google.protobuf"


class CursorRelay(Relay):
    """The mutant that reads by `id > cursor`: it passes over whatever commits late."""

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


class ForgetfulConsumer(Consumer):
    """The mutant that commits its offset before the effect."""

    async def _bucket(self, subscription: Subscription, group: Sequence[Delivered]) -> None:
        last = group[-1]
        await subscription.commit(last.record.topic, last.record.bucket, last.position)
        await self._handle_all([one.record for one in group])


class Killed(BaseException):
    """The process dies here."""


async def _take(call: EventCall, event: Int64Value) -> None:
    trouble = call.runtime.state.get("kill_at")
    if trouble is not None and event.value == trouble:
        call.runtime.state["kill_at"] = None
        raise Killed
    async with call.effect() as tx:
        await tx.execute("insert into effect (school_id, message) values ($1, $2)", tx.school, event.value)


TOY = Service(
    name="toy",
    settings=ServiceSettings,
    migrations=(("chassis", CHASSIS),),
    tells=[Int64Value],
    hears={Int64Value: _take},
)


async def _workload(runtime: Runtime, *, late: bool) -> list[Kept]:
    """Sixteen writers; with `late` their transactions commit in another order than they began."""
    school, slots = uuid4(), asyncio.Semaphore(16)

    async def write(value: int) -> None:
        async with slots, runtime.database.tenant(school) as tx:
            await tx.tell(Int64Value(value=value), key=UUID(int=value))
            if late:
                await tx.execute("select pg_sleep($1)", random.Random(value).random() / 10)
        runtime.signal("outbox")

    await asyncio.gather(*(write(value) for value in range(1, 97)))
    return [Kept(str(value), str(value), 1, str(value)) for value in range(1, 97)]


async def _told(runtime: Runtime) -> list[Told]:
    rows = await runtime.across_schools.fetch("select message from effect")
    return [Told("reader", "effect", str(row["message"])) for row in rows]


async def _settled(runtime: Runtime, seconds: float) -> None:
    """Wait until the number of effects stands still, at all 96 or below."""
    seen: list[int] = []

    async def still() -> bool:
        seen.append(len(await _told(runtime)))
        return seen[-1] == 96 or (len(seen) > seconds / 0.02 and len(set(seen[-40:])) == 1)

    await eventually(still, seconds=30)


@pytest.mark.req("OPS-4", "NTF-3")
@pytest.mark.parametrize("relay", [Relay, CursorRelay])
async def test_a_relay_that_reads_by_cursor_is_found_out(fresh_house: House, relay: type[Relay]) -> None:
    async with fresh_house.runtime(TOY) as runtime:
        await _effects_table(fresh_house)
        bus = OutboxBus({TOPIC: runtime.across_schools}, "one", runtime.wake)
        tasks = [
            asyncio.create_task(
                relay("toy", runtime.across_schools, bus, runtime.wake, "one", tells=[Int64Value]).run()
            ),
            asyncio.create_task(Consumer(runtime, bus).run()),
        ]
        kept = await _workload(runtime, late=True)
        await _settled(runtime, 2)
        wrong = checkers.untold(kept, await _told(runtime), {one.thread: {"reader"} for one in kept}, {"effect"})
        assert bool(wrong) is (relay is CursorRelay), wrong
        await _end(tasks)


@pytest.mark.req("OPS-4", "NTF-3")
@pytest.mark.parametrize("consumer", [Consumer, ForgetfulConsumer])
async def test_a_consumer_that_commits_before_its_effect_is_found_out(
    fresh_house: House, consumer: type[Consumer]
) -> None:
    async with fresh_house.runtime(TOY) as runtime:
        await _effects_table(fresh_house)
        bus = OutboxBus({TOPIC: runtime.across_schools}, "one", runtime.wake)
        relay = asyncio.create_task(
            Relay("toy", runtime.across_schools, bus, runtime.wake, "one", tells=[Int64Value]).run()
        )
        kept = await _workload(runtime, late=False)
        runtime.state["kill_at"] = 50
        with pytest.raises(Killed):
            await consumer(runtime, bus).run()
        again = asyncio.create_task(Consumer(runtime, bus).run())
        await _settled(runtime, 2)
        told = await _told(runtime)
        wrong = checkers.untold(kept, told, {one.thread: {"reader"} for one in kept}, {"effect"})
        assert bool(wrong) is (consumer is ForgetfulConsumer), wrong
        assert checkers.told_twice(told) == []
        await _end([relay, again])


async def _effects_table(house: House) -> None:
    await house.owner(
        "toy",
        "create table effect (school_id uuid, message bigint); grant select, insert on effect to bookbag_toy_app, bookbag_toy_worker",
    )


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.req("MSG-18")
@pytest.mark.parametrize("mutant", [False, True], ids=["sound", "key ignored"])
async def test_a_server_that_ignores_the_idempotency_key_is_found_out(fresh_house: House, mutant: bool) -> None:
    async with fresh_house.runtime("messaging") as runtime, fresh_house.client(runtime) as http:
        oak = await Oak.built(fresh_house, runtime, http)
        if mutant:
            await _ignore_keys(fresh_house)
        writes = [
            Write(1, oak.thread, f"value {number}", f"key-number-{number}", outcome=Outcome.OK) for number in range(20)
        ]
        for write in writes:
            for _ in range(2):  # the answer to the first request was lost
                answer = await oak.teacher.post(f"/threads/{oak.thread}/messages", {"text": write.value}, key=write.key)
                assert answer.status_code == 201
        kept = [
            Kept(message["id"], oak.thread, message["seq"], message["text"])
            for message in await oak.teacher.messages(oak.thread, limit=100)
        ]
        assert checkers.lost(writes, kept) == []
        assert bool(checkers.doubled(kept)) is mutant


async def _ignore_keys(house: House) -> None:
    """Make `post_message` anew with a key of its own for each call."""
    connection = await asyncpg.connect(house.databases.urls["messaging"].owner)
    try:
        source: str = await connection.fetchval("select pg_get_functiondef('post_message'::regproc)")
        sound = "values (p_school, p_person, p_key,"
        assert sound in source
        await connection.execute(source.replace(sound, "values (p_school, p_person, gen_random_uuid()::text,"))
    finally:
        await connection.close()


def _write(value: str, outcome: Outcome = Outcome.OK, **more: object) -> Write:
    return Write(client=1, thread="t", value=value, key=value, outcome=outcome, **more)  # type: ignore[arg-type]


def _kept(value: str, seq: int) -> Kept:
    return Kept(value, "t", seq, value)


def test_the_checkers_find_what_they_are_for_and_nothing_in_a_good_history() -> None:
    writes = [_write("a"), _write("b"), _write("c", Outcome.UNKNOWN), _write("d", Outcome.REFUSED)]
    good = [_kept("a", 1), _kept("b", 2), _kept("c", 3)]
    for judged in (
        checkers.lost(writes, good),
        checkers.doubled(good),
        checkers.invented(writes, good),
        checkers.out_of_order(writes, good),
    ):
        assert judged == []
    assert checkers.lost(writes, good[1:]) == ["a"]
    assert checkers.doubled([*good, _kept("a", 4)]) == ["a"]
    assert checkers.invented(writes, [*good, _kept("d", 4)]) == ["d"]
    assert checkers.out_of_order(writes, [_kept("a", 1), _kept("b", 3)])
    assert checkers.out_of_order(writes, [_kept("a", 2), _kept("b", 1)])
    told = [Told("p", "live", "a", 1), Told("p", "live", "b", 2), Told("p", "live", "c", 3)]
    readers = {"t": {"p"}}
    assert checkers.untold(good, told, readers, {"live"}) == []
    assert len(checkers.untold(good, told[1:], readers, {"live"})) == 1
    assert checkers.told_twice(told) == []
    assert len(checkers.told_twice([*told, told[0]])) == 1
    assert checkers.told_out_of_order(good, told) == []
    assert len(checkers.told_out_of_order(good, [Told("p", "live", "b", 1), Told("p", "live", "a", 2)])) == 1
