"""Two worker processes; one is killed, stopped or frozen with work in hand. Nothing is lost, doubled or out of order."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis import operations
from bookbag.chassis.consumer import ATTEMPTS, DIED, Consumer
from bookbag.chassis.database import Row
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.tests.bus_contract.installation import Installation, effects, eventually, tell
from bookbag.chassis.tests.bus_contract.toy import Heard
from tests.support.house import House

pytestmark = [pytest.mark.slow, pytest.mark.req("OPS-4", "NTF-3")]


class Writer:
    """Writes rounds of one event for each key, and knows what there must be in the end."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._school = uuid4()
        self._keys = [uuid4() for _ in range(12)]
        self._rounds = 0

    async def write(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            await asyncio.gather(*(tell(self._runtime, self._school, key, self._rounds) for key in self._keys))
            self._rounds += 1

    async def until_works(self, worker: str) -> None:
        """Write on until a worker has taken effect of something."""

        async def works() -> bool:
            await self.write()
            return await self._runtime.across_schools.fetchval(
                "select exists (select from effect where worker = $1)", worker
            )

        await eventually(works)

    async def until_done(self) -> None:
        async def done() -> bool:
            count = await self._runtime.across_schools.fetchval("select count(*) from effect")
            return count >= self._rounds * len(self._keys)

        await eventually(done)

    async def prove(self) -> None:
        for key in self._keys:
            assert await effects(self._runtime, key) == list(range(self._rounds))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP], ids=lambda how: how.name)
async def test_another_worker_takes_over(installation: Installation, how: signal.Signals) -> None:
    async with installation.still() as runtime:
        writer = Writer(runtime)
        with installation.worker("first") as first, installation.worker("second") as second:
            await writer.until_works("first")
            await writer.until_works("second")
            await writer.write(5)
            first.send_signal(how)
            await writer.write(15)
            await writer.until_done()
            if how is signal.SIGSTOP:
                first.send_signal(signal.SIGCONT)
            await writer.write(10)
            await writer.until_done()
            await writer.prove()
            assert second.poll() is None
            assert first.poll() is None if how is signal.SIGSTOP else first.wait(20) is not None


async def test_what_the_next_holder_has_finished_meanwhile_is_left_alone(fresh_house: House) -> None:
    """The rows that count attempts, and those of parked records, are gone when the slower of two holders comes to them."""
    heard, school, key = Heard(), uuid4(), uuid4()
    installation = Installation(fresh_house, "outbox")
    async with installation.still(heard) as runtime:
        await tell(runtime, school, key, 1)
        row = await runtime.across_schools.fetchrow("select * from outbox where key = $1", key)
        assert row is not None
        consumer = Consumer(runtime, installation.bus(runtime, "slower"))
        assert await consumer._deaths(record_of(row)) == 0
        await consumer._try_key(row)
        assert heard.calls == []


@asynccontextmanager
async def parked(house: House, heard: Heard) -> AsyncGenerator[tuple[Runtime, Consumer, Row]]:
    """A replayed dead letter of the toy service, as it waits for its consumer."""
    installation, key = Installation(house, "outbox"), uuid4()
    async with installation.still(heard) as runtime:
        database = runtime.across_schools
        event = await tell(runtime, uuid4(), key, 1)
        await database.execute(
            "insert into dead_letter (school_id, consumer, event_id, topic, bucket, key, type, payload, occurred_at, attempts, error)"
            " select school_id, 'toy', event_id, topic, bucket, key, type, payload, occurred_at, 3, 'Planted' from outbox"
        )
        assert await operations.replay(database, [event]) == 1
        row = await database.fetchrow("select * from parked_record")
        assert row is not None
        yield runtime, Consumer(runtime, installation.bus(runtime, "toy")), row


async def test_a_replayed_record_that_kills_its_process_whenever_it_is_tried_is_given_up_again(
    fresh_house: House,
) -> None:
    heard = Heard()
    async with parked(fresh_house, heard) as (runtime, consumer, row):
        # What processes leave behind that count a try and die of it.
        await runtime.across_schools.execute("update parked_record set attempts = $1", ATTEMPTS)
        await consumer._try_key(row)
        assert heard.calls == []
        assert [one.error for one in await operations.dead_letters(runtime.across_schools)] == [DIED]


async def test_a_replayed_record_is_not_given_up_because_something_is_away(fresh_house: House) -> None:
    async def away(call: EventCall, event: Int64Value) -> None:
        raise DependencyAway("sibling")

    heard = Heard(away)
    async with parked(fresh_house, heard) as (runtime, consumer, row):
        for _ in range(ATTEMPTS + 1):
            with pytest.raises(DependencyAway):
                await consumer._try_key(row)
        heard.trouble = None
        await consumer._try_key(row)
        assert await effects(runtime, row["key"]) == [1]
        assert await operations.dead_letters(runtime.across_schools) == []
