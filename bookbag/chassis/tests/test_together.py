"""Events that a handler takes many at a time: cheaper, and neither order nor anybody else's effect suffers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from google.protobuf.wrappers_pb2 import BoolValue, Int64Value

from bookbag.chassis import consumer, operations
from bookbag.chassis.bus import Record
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.database import bucket_of
from bookbag.chassis.hearing import EventCall, EventsCall, in_waves
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service, Together
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House, eventually

TOPIC = "google.protobuf"


@dataclass
class Heard:
    """Takes numbers together and truths alone; fails on the numbers in `bad`, and cannot do those in `away` now. `calls` are the sizes of
    what came at once."""

    bad: frozenset[int] = frozenset()
    away: frozenset[int] = frozenset()
    calls: list[int] = field(default_factory=list)

    async def take_numbers(self, call: EventsCall, events: Sequence[Int64Value]) -> None:
        self.calls.append(len(events))
        if any(event.value in self.away for event in events):
            raise DependencyAway("sibling")
        async with call.effect() as (tx, new):
            for record, event in zip(call.records, events, strict=True):
                if event.value in self.bad:
                    raise ValueError
                if record.event_id in new:
                    await tx.execute("insert into effect values ($1, $2, $3)", tx.school, record.key, event.value)

    async def take_truth(self, call: EventCall, _: BoolValue) -> None:
        async with call.effect() as tx:
            await tx.execute("insert into effect values ($1, $2, $3)", tx.school, call.record.key, -1)


@asynccontextmanager
async def hearing(house: House, heard: Heard) -> AsyncGenerator[Runtime]:
    """A toy service that has not begun to consume."""
    toy = Service(
        name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),), tells=[Int64Value, BoolValue],
        hears={Int64Value: Together(heard.take_numbers), BoolValue: heard.take_truth},
    )  # fmt: skip
    await house.owner(
        "toy",
        "create table effect (school_id uuid, key uuid, value bigint, at bigint generated always as identity);"
        " grant select, insert on effect to bookbag_toy_app, bookbag_toy_worker",
    )
    async with house.runtime(toy) as runtime:
        yield runtime


@asynccontextmanager
async def consuming(runtime: Runtime) -> AsyncGenerator[None]:
    bus = OutboxBus({TOPIC: runtime.across_schools}, "one", runtime.wake)
    relay = Relay("toy", runtime.across_schools, bus, runtime.wake, "one", tells=[Int64Value, BoolValue])
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(Consumer(runtime, bus).run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def tell(runtime: Runtime, school: UUID, key: UUID, *values: int | bool) -> None:
    async with runtime.database.tenant(school) as tx:
        for value in values:
            await tx.tell(BoolValue(value=value) if isinstance(value, bool) else Int64Value(value=value), key=key)


async def effects(runtime: Runtime, key: UUID) -> list[int]:
    rows = await runtime.across_schools.fetch("select value from effect where key = $1 order by at", key)
    return [row["value"] for row in rows]


@pytest.mark.req("NTF-3")
async def test_many_events_of_a_school_are_taken_together_and_in_order_per_key(fresh_house: House) -> None:
    heard, school, keys = Heard(), uuid4(), [uuid4() for _ in range(6)]
    async with hearing(fresh_house, heard) as runtime:
        for key in keys:
            await tell(runtime, school, key, *range(20))
        async with consuming(runtime):
            for key in keys:

                async def all_there(key: UUID = key) -> bool:
                    return await effects(runtime, key) == list(range(20))

                await eventually(all_there, seconds=30)
    assert max(heard.calls) >= 20


async def test_what_is_fetched_while_others_are_handled_comes_in_its_turn(
    fresh_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "BATCH", 64)
    monkeypatch.setattr(consumer, "PLENTY", 1)
    school, keys = uuid4(), [uuid4() for _ in range(6)]
    async with hearing(fresh_house, Heard()) as runtime:
        for key in keys:
            await tell(runtime, school, key, *range(20))
        async with consuming(runtime):

            async def all_there() -> bool:
                return [await effects(runtime, key) for key in keys] == [list(range(20))] * len(keys)

            await eventually(all_there, seconds=30)


async def test_another_type_of_the_same_key_keeps_its_place(fresh_house: House) -> None:
    heard, school, key = Heard(), uuid4(), uuid4()
    async with hearing(fresh_house, heard) as runtime:
        await tell(runtime, school, key, 1, 2, True, 3, 4)
        async with consuming(runtime):

            async def all_there() -> bool:
                return await effects(runtime, key) == [1, 2, -1, 3, 4]

            await eventually(all_there, seconds=30)


async def test_a_bad_event_spoils_no_other_and_parks_its_key_alone(fresh_house: House) -> None:
    heard, school, good, bad = Heard(bad=frozenset({7})), uuid4(), uuid4(), uuid4()
    async with hearing(fresh_house, heard) as runtime:
        await tell(runtime, school, bad, 6, 7, 8)
        await tell(runtime, school, good, 1, 2, 3)

        async def dead() -> bool:
            return bool(await operations.dead_letters(runtime.across_schools))

        async def all_there() -> bool:
            return await effects(runtime, bad) == [6, 8] and await effects(runtime, good) == [1, 2, 3]

        async with consuming(runtime):
            await eventually(dead, seconds=30)
            await eventually(all_there, seconds=30)
            heard.bad = frozenset()
            assert await operations.replay(runtime.across_schools, None) == 1

            async def replayed() -> bool:
                return await effects(runtime, bad) == [6, 8, 7]

            await eventually(replayed, seconds=30)


async def test_what_is_away_for_one_bucket_holds_up_no_other(fresh_house: House) -> None:
    heard, school = Heard(away=frozenset({7})), uuid4()
    held_up, *_, other = sorted((uuid4() for _ in range(20)), key=bucket_of)
    async with hearing(fresh_house, heard) as runtime:
        await tell(runtime, school, held_up, 6, 7, 8)
        await tell(runtime, school, other, 1, 2, 3)

        async def others_there() -> bool:
            return await effects(runtime, other) == [1, 2, 3]

        async def all_there() -> bool:
            return await effects(runtime, held_up) == [6, 7, 8]

        async with consuming(runtime):
            await eventually(others_there, seconds=30)
            assert 7 not in await effects(runtime, held_up)
            heard.away = frozenset()
            await eventually(all_there, seconds=30)
        assert await operations.dead_letters(runtime.across_schools) == []


@pytest.mark.parametrize(("attempts", "at_once"), [(1, 20), (2, 1)], ids=["one death", "two deaths"])
async def test_what_was_in_hand_at_a_death_goes_on_together_and_alone_only_after_the_second(
    fresh_house: House, attempts: int, at_once: int
) -> None:
    heard, school, key = Heard(), uuid4(), uuid4()
    async with hearing(fresh_house, heard) as runtime:
        await tell(runtime, school, key, *range(20))
        await runtime.across_schools.execute(
            "insert into attempt (school_id, consumer, event_id, attempts) select school_id, 'toy', event_id, $1 from outbox",
            attempts,
        )

        async def all_there() -> bool:
            return await effects(runtime, key) == list(range(20))

        async with consuming(runtime):
            await eventually(all_there, seconds=30)
        assert await operations.dead_letters(runtime.across_schools) == []
        assert await runtime.across_schools.fetchval("select count(*) from attempt") == 0
    assert max(heard.calls) == at_once


async def test_events_whose_effect_is_there_already_have_none_again(fresh_house: House) -> None:
    heard, school, key = Heard(), uuid4(), uuid4()
    async with hearing(fresh_house, heard) as runtime:
        await tell(runtime, school, key, 1, 2, 3)
        rows = await runtime.across_schools.fetch("select event_id from outbox order by ordinal")
        async with runtime.database.tenant(school) as tx:
            await tx.execute("insert into processed values ($1, 'toy', $2)", school, rows[1]["event_id"])
        records = [
            Record(school, row["event_id"], TOPIC, 0, key, "", b"", None, None, datetime.now(UTC)) for row in rows
        ]
        await heard.take_numbers(
            EventsCall(runtime, records, datetime.now(UTC)), [Int64Value(value=value) for value in (1, 2, 3)]
        )
        assert await effects(runtime, key) == [1, 3]


def record(key: str, kind: str, school: int = 1) -> Record:
    return Record(UUID(int=school), uuid4(), "t", 0, UUID(int=ord(key)), kind, b"", None, None, datetime.now(UTC))


def test_waves_put_together_what_may_be_and_keep_the_order_of_each_key() -> None:
    a1, b1, a2, c1, a3 = record("a", "m"), record("b", "m"), record("a", "r"), record("c", "m", 2), record("a", "m")
    assert in_waves([a1, b1, a2, c1, a3], most=10, together={"m", "r"}) == [[[a1, b1], [c1]], [[a2]], [[a3]]]
    assert in_waves([a1, b1, a2, c1, a3], most=10, together={"r"}) == [[[a1], [b1], [c1]], [[a2]], [[a3]]]
    assert in_waves([], most=10, together={"m"}) == []


def test_a_group_holds_whole_keys_and_what_is_too_much_of_one_comes_in_the_next_wave() -> None:
    a1, b1, a2, c1, a3, c2 = (record(key, "m") for key in "abacac")
    assert in_waves([a1, b1, a2, c1, c2], most=3, together={"m"}) == [[[a1, a2, b1], [c1, c2]]]
    assert in_waves([a1, b1, a2, c1, a3, c2], most=2, together={"m"}) == [[[a1, a2], [b1], [c1, c2]], [[a3]]]
