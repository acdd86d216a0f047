"""Whatever the bus: events leave exactly when their transaction commits, arrive in order per key, and take effect once."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue

from bookbag.chassis import operations
from bookbag.chassis.bus import LARGEST_EVENT
from bookbag.chassis.consumer import ATTEMPTS, DEATHS
from bookbag.chassis.database import BUCKETS, EventTooLarge, Undeclared
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.tests.bus_contract.installation import (
    HeldBack,
    Installation,
    effects,
    eventually,
    has,
    is_now,
    put_in_outbox,
    tell,
)
from bookbag.chassis.tests.bus_contract.toy import TOPIC, Heard


async def test_an_event_takes_effect_when_its_transaction_commits_and_never_otherwise(
    installation: Installation,
) -> None:
    school, key = uuid4(), uuid4()
    async with installation.running(Heard()) as runtime:
        with pytest.raises(ZeroDivisionError):
            async with runtime.database.tenant(school) as tx:
                await tx.tell(Int64Value(value=1), key=key)
                raise ZeroDivisionError
        await tell(runtime, school, key, 2)
        await eventually(lambda: has(runtime, key, [2]))


async def test_an_event_the_manifest_does_not_name_is_refused(installation: Installation) -> None:
    async with installation.still() as runtime:
        with pytest.raises(Undeclared):
            async with runtime.database.tenant(uuid4()) as tx:
                await tx.tell(StringValue(value="x"), key=uuid4())


@pytest.mark.req("NTF-3")
async def test_order_per_key_holds_across_several_relays_and_consumers(installation: Installation) -> None:
    school, keys = uuid4(), [uuid4() for _ in range(12)]
    async with installation.running(Heard(), relays=2, consumers=2) as runtime:

        async def write(key: UUID) -> None:
            for value in range(20):
                await tell(runtime, school, key, value)

        await asyncio.gather(*(write(key) for key in keys))
        for key in keys:
            await eventually(lambda key=key: has(runtime, key, list(range(20))))


@pytest.mark.req("NTF-3")
async def test_late_commits_are_not_passed_over(installation: Installation) -> None:
    """Sixteen writers commit in another order than they began; a cursor over ids would lose some of them."""
    school, key_of = uuid4(), {value: uuid4() for value in range(48)}
    async with installation.running(Heard()) as runtime:
        slots = asyncio.Semaphore(12)

        async def write(value: int) -> None:
            async with slots, runtime.database.tenant(school) as tx:
                await tx.tell(Int64Value(value=value), key=key_of[value])
                await tx.execute("select pg_sleep($1)", random.Random(value).random() / 5)

        await asyncio.gather(*(write(value) for value in key_of))
        for value, key in key_of.items():
            await eventually(lambda key=key, value=value: has(runtime, key, [value]))


@pytest.mark.req("NTF-3")
async def test_a_record_that_comes_again_changes_nothing(installation: Installation) -> None:
    school, key = uuid4(), uuid4()
    heard = Heard()
    async with installation.running(heard) as runtime:
        await tell(runtime, school, key, 7)
        await eventually(lambda: has(runtime, key, [7]))
        await installation.deliver_all_again(runtime)
    async with installation.running(heard) as runtime:
        await tell(runtime, school, key, 8)
        await eventually(lambda: has(runtime, key, [7, 8]))
    assert heard.calls == [7, 8], "a handler is not asked again for what is done"


@pytest.mark.req("NTF-4", "OPS-6")
async def test_a_poison_record_parks_its_key_while_others_go_on_and_takes_effect_once_when_replayed(
    installation: Installation,
) -> None:
    school, poisoned, healthy = uuid4(), uuid4(), uuid4()
    cured = False

    async def fail_on_one(call: EventCall, event: Int64Value) -> None:
        if event.value == 1 and not cured:
            raise ZeroDivisionError

    heard = Heard(fail_on_one)
    async with installation.running(heard) as runtime:
        for value in (1, 2):
            await tell(runtime, school, poisoned, value)
        await tell(runtime, school, healthy, 3)
        await eventually(lambda: has(runtime, healthy, [3]))
        assert await effects(runtime, poisoned) == [], "the key waits behind its first record"

        async def died() -> bool:
            return len(await operations.dead_letters(runtime.across_schools)) == 1

        await eventually(died)
        assert heard.calls.count(1) == ATTEMPTS
        await eventually(lambda: has(runtime, poisoned, [2]))
        cured = True
        assert await operations.replay(runtime.across_schools, None) == 1
        await eventually(lambda: has(runtime, poisoned, [2, 1]))
        assert await operations.dead_letters(runtime.across_schools) == []


async def test_a_dependency_that_is_away_parks_nothing_and_loses_nothing(installation: Installation) -> None:
    school, key = uuid4(), uuid4()
    away = True

    async def ask(call: EventCall, event: Int64Value) -> None:
        if away:
            raise DependencyAway("sibling")

    heard = Heard(ask)
    async with installation.running(heard) as runtime:
        await tell(runtime, school, key, 1)

        async def tried_often() -> bool:
            return len(heard.calls) > DEATHS + 1

        await eventually(tried_often)
        status = await operations.outbox_status(runtime.across_schools)
        assert status.parked == 0
        assert await operations.dead_letters(runtime.across_schools) == []
        away = False
        await eventually(lambda: has(runtime, key, [1]))


async def deadly(installation: Installation, heard: Heard, school: UUID, key: UUID) -> UUID:
    """Tell a record of which the table says that processes died of it. Gives the event's id."""
    async with installation.still(heard) as runtime:
        event = await tell(runtime, school, key, 1)
        await runtime.across_schools.execute(
            "insert into attempt (school_id, consumer, event_id, attempts) values ($1, 'toy', $2, $3)",
            school,
            event,
            DEATHS,
        )
    return event


@pytest.mark.req("OPS-4")
async def test_a_record_that_kills_its_process_again_and_again_becomes_a_dead_letter(
    installation: Installation,
) -> None:
    school, key = uuid4(), uuid4()
    heard = Heard()
    await deadly(installation, heard, school, key)
    async with installation.running(heard) as runtime:

        async def died() -> bool:
            return len(await operations.dead_letters(runtime.across_schools)) == 1

        await eventually(died)
        assert heard.calls == []


async def test_a_frozen_relay_that_wakes_marks_nothing(installation: Installation) -> None:
    school, key = uuid4(), uuid4()
    async with installation.still() as runtime:
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


async def test_lag_is_what_is_published_and_not_yet_committed(installation: Installation) -> None:
    school, keys = uuid4(), [uuid4() for _ in range(10)]
    async with installation.running(Heard(), consumers=0) as runtime:
        bus = installation.bus(runtime, "looking")

        async def behind() -> int:
            return sum((await bus.lag("toy", [TOPIC])).values())

        assert await behind() == 0
        for key in keys:
            await tell(runtime, school, key, 1)
        await eventually(lambda: is_now(behind, 10))
        await bus.close()
    async with installation.running(Heard(), relays=0) as runtime:
        bus = installation.bus(runtime, "looking")
        await eventually(lambda: is_now(behind, 0))
        assert len(await bus.lag("toy", [TOPIC])) == BUCKETS
        await bus.close()


@pytest.mark.req("OPS-4", "NTF-3")
async def test_what_a_frozen_relay_publishes_late_changes_neither_order_nor_effects(installation: Installation) -> None:
    """The first relay is held back between reading and publishing; the second takes over and publishes the same, and newer ones."""
    school, key = uuid4(), uuid4()
    async with installation.still() as runtime:
        database = runtime.across_schools
        bus = installation.bus(runtime, "both")
        held_back = HeldBack(bus)
        frozen, quick = installation.relay(runtime, held_back, "frozen"), installation.relay(runtime, bus, "quick")
        for relay in (frozen, quick):
            await relay._leases.renew()
            await relay.step()
        for value in (1, 2, 3):
            await tell(runtime, school, key, value)
        late = asyncio.create_task(frozen.step())
        await asyncio.wait_for(held_back.publishes.wait(), 10)
        await database.execute("update lease set expires_at = '-infinity'")
        await quick._leases.renew()
        await tell(runtime, school, key, 4)

        async def told() -> bool:
            await quick.step()
            return await database.fetchval("select count(*) from outbox where published_at is null") == 0

        await eventually(told)
        held_back.thawed.set()
        assert await late == 0, "it marks nothing"
        assert await installation.published(runtime) == (
            [1, 2, 3, 4, 1, 2, 3] if installation.is_kafka else [1, 2, 3, 4]
        )
        await quick._leases.give_back()
        await bus.close()
    async with installation.running(Heard()) as runtime:
        await eventually(lambda: has(runtime, key, [1, 2, 3, 4]))
        await tell(runtime, school, key, 5)
        await eventually(lambda: has(runtime, key, [1, 2, 3, 4, 5]))


@pytest.mark.req("NTF-4", "OPS-6")
async def test_what_is_no_event_is_refused_by_the_relay_and_its_bucket_goes_on(installation: Installation) -> None:
    school, key = uuid4(), uuid4()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with installation.still() as runtime:
        for kind, payload, at in (
            ("google.protobuf.Int64Value", b"\xff\xff\xff", datetime.now(UTC)),
            ("google.protobuf.Int64Value", b"\x00" * (LARGEST_EVENT + 1), datetime.now(UTC)),
            ("google.protobuf.Nobody", b"", long_ago),
        ):
            await put_in_outbox(runtime, school, key, kind, payload, at)
    async with installation.running(Heard()) as runtime:
        await tell(runtime, school, key, 1)
        await eventually(lambda: has(runtime, key, [1]))

        async def refused() -> set[str]:
            return {letter.error for letter in await operations.dead_letters(runtime.across_schools)}

        await eventually(lambda: is_now(refused, {"DecodeError", "TooLarge", "UnknownType"}))
        status = await operations.outbox_status(runtime.across_schools)
        assert status.waiting == 0
        assert await operations.replay(runtime.across_schools, None) == 3
        await eventually(lambda: is_now(refused, {"DecodeError", "TooLarge", "UnknownType"}))


async def test_a_type_that_a_newer_release_knows_waits_for_it_with_its_key(installation: Installation) -> None:
    school, key, other = uuid4(), uuid4(), uuid4()
    async with installation.running(Heard()) as runtime:
        event = await put_in_outbox(runtime, school, key, "google.protobuf.Nobody", b"", datetime.now(UTC))
        await tell(runtime, school, key, 1)
        await tell(runtime, school, other, 2)
        await eventually(lambda: has(runtime, other, [2]))
        assert await effects(runtime, key) == []
        assert await operations.dead_letters(runtime.across_schools) == []
        await runtime.across_schools.execute("delete from outbox where event_id = $1", event)
        await eventually(lambda: has(runtime, key, [1]))


async def test_an_event_that_is_too_large_is_refused_where_it_is_told(installation: Installation) -> None:
    async with installation.still() as runtime:
        runtime.database.tells = frozenset({"google.protobuf.BytesValue"})
        with pytest.raises(EventTooLarge):
            async with runtime.database.tenant(uuid4()) as tx:
                await tx.tell(BytesValue(value=b"x" * LARGEST_EVENT), key=uuid4())


@pytest.mark.req("OPS-6")
async def test_a_dropped_dead_letter_stays_dropped_when_its_record_comes_again(installation: Installation) -> None:
    school, key = uuid4(), uuid4()
    heard = Heard()
    event = await deadly(installation, heard, school, key)
    async with installation.running(heard) as runtime:

        async def died() -> bool:
            return len(await operations.dead_letters(runtime.across_schools)) == 1

        await eventually(died)
        assert await operations.drop(runtime.across_schools, [event]) == 1
        await installation.deliver_all_again(runtime)
    async with installation.running(heard) as runtime:
        await tell(runtime, school, key, 2)
        await eventually(lambda: has(runtime, key, [2]))
    assert heard.calls == [2]
