"""Events leave exactly when their transaction commits, arrive in order per key, and take effect once."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from google.protobuf.wrappers_pb2 import Int64Value, StringValue

from bookbag.chassis import operations
from bookbag.chassis.consumer import ATTEMPTS, DEATHS, Consumer
from bookbag.chassis.database import Undeclared
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House, eventually

TOPIC = "google.protobuf"


@dataclass
class Heard:
    """What a handler took effect of, read back from the database, and how it is told to misbehave."""

    trouble: Callable[[EventCall, Int64Value], Awaitable[None]] | None = None
    calls: list[int] = field(default_factory=list)

    async def take(self, call: EventCall, event: Int64Value) -> None:
        self.calls.append(event.value)
        if self.trouble is not None:
            await self.trouble(call, event)
        async with call.effect() as tx:
            await tx.execute(
                "insert into effect (school_id, event_id, key, value) values ($1, $2, $3, $4)",
                tx.school, call.record.event_id, call.record.key, event.value,
            )  # fmt: skip


def toy(heard: Heard) -> Service:
    return Service(
        name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),), tells=[Int64Value],
        hears={Int64Value: heard.take},
    )  # fmt: skip


@asynccontextmanager
async def running(house: House, heard: Heard, *, relays: int = 1, consumers: int = 1) -> AsyncGenerator[Runtime]:
    """A toy service whose relay and consumer run, several of each where asked."""
    async with house.runtime(toy(heard), working=True) as runtime:
        await house.owner(
            "toy",
            "create table if not exists effect (school_id uuid, event_id uuid, key uuid, value bigint, at bigint generated always as"
            " identity); grant select, insert on effect to bookbag_toy_app, bookbag_toy_worker",
        )
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number in range(relays):
                bus = OutboxBus({TOPIC: runtime.across_schools}, f"relay {number}", runtime.wake)
                relay = Relay("toy", runtime.across_schools, bus, runtime.wake, f"relay {number}")
                tasks.append(group.create_task(relay.run()))
            for number in range(consumers):
                bus = OutboxBus({TOPIC: runtime.across_schools}, f"consumer {number}", runtime.wake)
                tasks.append(group.create_task(Consumer(runtime, bus).run()))
            try:
                yield runtime
            finally:
                for task in tasks:
                    task.cancel()


async def tell(runtime: Runtime, school: UUID, key: UUID, value: int) -> UUID:
    async with runtime.database.tenant(school) as tx:
        event = await tx.tell(Int64Value(value=value), key=key)
    runtime.signal("outbox")
    return event


async def effects(runtime: Runtime, key: UUID) -> list[int]:
    rows = await runtime.across_schools.fetch("select value from effect where key = $1 order by at", key)
    return [row["value"] for row in rows]


async def has(runtime: Runtime, key: UUID, values: list[int]) -> bool:
    return await effects(runtime, key) == values


async def test_an_event_takes_effect_when_its_transaction_commits_and_never_otherwise(fresh_house: House) -> None:
    school, key = uuid4(), uuid4()
    async with running(fresh_house, Heard()) as runtime:
        with pytest.raises(ZeroDivisionError):
            async with runtime.database.tenant(school) as tx:
                await tx.tell(Int64Value(value=1), key=key)
                raise ZeroDivisionError
        await tell(runtime, school, key, 2)
        await eventually(lambda: has(runtime, key, [2]))


async def test_an_event_the_manifest_does_not_name_is_refused(fresh_house: House) -> None:
    async with fresh_house.runtime(toy(Heard()), working=False) as runtime:
        with pytest.raises(Undeclared):
            async with runtime.database.tenant(uuid4()) as tx:
                await tx.tell(StringValue(value="x"), key=uuid4())


@pytest.mark.req("NTF-3")
async def test_order_per_key_holds_across_several_relays_and_consumers(fresh_house: House) -> None:
    school, keys = uuid4(), [uuid4() for _ in range(12)]
    async with running(fresh_house, Heard(), relays=2, consumers=2) as runtime:

        async def write(key: UUID) -> None:
            for value in range(20):
                await tell(runtime, school, key, value)

        await asyncio.gather(*(write(key) for key in keys))
        for key in keys:
            await eventually(lambda key=key: has(runtime, key, list(range(20))), seconds=30)


@pytest.mark.req("NTF-3")
async def test_late_commits_are_not_passed_over(fresh_house: House) -> None:
    """Sixteen writers commit in another order than they began; a cursor over ids would lose some of them."""
    school, key_of = uuid4(), {value: uuid4() for value in range(48)}
    async with running(fresh_house, Heard()) as runtime:
        slots = asyncio.Semaphore(12)

        async def write(value: int) -> None:
            async with slots, runtime.database.tenant(school) as tx:
                await tx.tell(Int64Value(value=value), key=key_of[value])
                await tx.execute("select pg_sleep($1)", random.Random(value).random() / 5)

        await asyncio.gather(*(write(value) for value in key_of))
        for value, key in key_of.items():
            await eventually(lambda key=key, value=value: has(runtime, key, [value]), seconds=20)


@pytest.mark.req("NTF-3")
async def test_a_record_that_comes_again_changes_nothing(fresh_house: House) -> None:
    school, key = uuid4(), uuid4()
    heard = Heard()
    async with running(fresh_house, heard) as runtime:
        await tell(runtime, school, key, 7)
        await eventually(lambda: has(runtime, key, [7]))
        await runtime.across_schools.execute("delete from bus_offset")
    async with running(fresh_house, heard) as runtime:
        await tell(runtime, school, key, 8)
        await eventually(lambda: has(runtime, key, [7, 8]))


@pytest.mark.req("NTF-4", "OPS-6")
async def test_a_poison_record_parks_its_key_while_others_go_on_and_takes_effect_once_when_replayed(
    fresh_house: House,
) -> None:
    school, poisoned, healthy = uuid4(), uuid4(), uuid4()
    cured = False

    async def fail_on_one(call: EventCall, event: Int64Value) -> None:
        if event.value == 1 and not cured:
            raise ZeroDivisionError

    heard = Heard(fail_on_one)
    async with running(fresh_house, heard) as runtime:
        for value in (1, 2):
            await tell(runtime, school, poisoned, value)
        await tell(runtime, school, healthy, 3)
        await eventually(lambda: has(runtime, healthy, [3]))
        assert await effects(runtime, poisoned) == [], "the key waits behind its first record"

        async def died() -> bool:
            return len(await operations.dead_letters(runtime.across_schools)) == 1

        await eventually(died, seconds=15)
        assert heard.calls.count(1) == ATTEMPTS
        await eventually(lambda: has(runtime, poisoned, [2]))
        cured = True
        assert await operations.replay(runtime.across_schools, None) == 1
        await eventually(lambda: has(runtime, poisoned, [2, 1]))
        assert await operations.dead_letters(runtime.across_schools) == []


async def test_a_dependency_that_is_away_parks_nothing_and_loses_nothing(fresh_house: House) -> None:
    school, key = uuid4(), uuid4()
    away = True

    async def ask(call: EventCall, event: Int64Value) -> None:
        if away:
            raise DependencyAway("sibling")

    heard = Heard(ask)
    async with running(fresh_house, heard) as runtime:
        await tell(runtime, school, key, 1)

        async def tried_often() -> bool:
            return len(heard.calls) > DEATHS + 1

        await eventually(tried_often)
        status = await operations.outbox_status(runtime.across_schools)
        assert status.parked == 0
        assert await operations.dead_letters(runtime.across_schools) == []
        away = False
        await eventually(lambda: has(runtime, key, [1]))


@pytest.mark.req("OPS-4")
async def test_a_record_that_kills_its_process_again_and_again_becomes_a_dead_letter(fresh_house: House) -> None:
    school, key = uuid4(), uuid4()
    heard = Heard()
    async with fresh_house.runtime(toy(heard), working=True) as runtime:
        event = await tell(runtime, school, key, 1)
        await runtime.across_schools.execute(
            "insert into attempt (school_id, consumer, event_id, attempts) values ($1, 'toy', $2, $3)",
            school,
            event,
            DEATHS,
        )
    async with running(fresh_house, heard) as runtime:

        async def died() -> bool:
            return len(await operations.dead_letters(runtime.across_schools)) == 1

        await eventually(died)
        assert heard.calls == []


async def test_a_frozen_relay_that_wakes_marks_nothing(fresh_house: House) -> None:
    school, key = uuid4(), uuid4()
    async with fresh_house.runtime(toy(Heard()), working=True) as runtime:
        database = runtime.across_schools
        event = await tell(runtime, school, key, 1)
        bucket = await database.fetchval("select bucket from outbox where event_id = $1", event)
        name = f"relay/{bucket}"
        old = await database.fetchrow("select * from take_leases($1, 'frozen', 5)", [name])
        await database.execute("update lease set expires_at = '-infinity' where name = $1", name)
        await database.fetchrow("select * from take_leases($1, 'other', 5)", [name])
        marked = await database.fetchval(
            "select mark_published($1::smallint, $2, 'frozen', $3, $4)", bucket, name, old["fence"], [event]
        )
        assert marked is False
        assert await database.fetchval("select published_at from outbox where event_id = $1", event) is None
