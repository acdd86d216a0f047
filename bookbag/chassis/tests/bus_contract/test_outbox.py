"""What only the bus of one machine can lose: it reads several databases, and holds its buckets by leases that run out."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis import lease
from bookbag.chassis.bus import Delivered, Subscription
from bookbag.chassis.database import Database
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.tests.bus_contract.installation import Installation, eventually, tell
from bookbag.chassis.tests.bus_contract.toy import TOPIC, Heard
from tests.support.house import House

AWAY = "bookbag.away.v1"


@pytest.fixture
def installation(fresh_house: House) -> Installation:
    return Installation(fresh_house, "outbox", {"BOOKBAG_BUS": "outbox"})


class Away:
    """Another service's database, which told nothing and does not answer for a while."""

    def __init__(self, database: Database) -> None:
        self.transaction = database.transaction
        self.is_away = False

    async def fetch(self, statement: str, *arguments: object) -> Sequence[object]:
        if self.is_away:
            raise DependencyAway("postgresql of away")
        return []


async def polled(subscription: Subscription) -> list[int]:
    found: list[Delivered] = []

    async def some() -> bool:
        found.extend(await subscription.poll(100, 0.2))
        return bool(found)

    await eventually(some)
    return [Int64Value.FromString(one.record.payload).value for one in found]


@pytest.mark.req("NTF-3", "OPS-4")
async def test_a_topic_that_cannot_be_read_costs_no_record_of_another(installation: Installation) -> None:
    async with installation.running(Heard(), consumers=0) as runtime:
        other = Away(runtime.across_schools)
        bus = OutboxBus({TOPIC: runtime.across_schools, AWAY: other}, "member", runtime.wake)  # type: ignore[dict-item]
        subscription = await bus.subscribe("toy", [TOPIC, AWAY])
        try:
            await eventually(lambda: held(subscription, AWAY))
            other.is_away = True
            await tell(runtime, uuid4(), uuid4(), 7)
            await eventually(lambda: waits(bus))
            with pytest.raises(DependencyAway):
                await polled(subscription)
            other.is_away = False
            assert await polled(subscription) == [7]
        finally:
            await subscription.close()


async def waits(bus: OutboxBus) -> bool:
    return sum((await bus.lag("toy", [TOPIC])).values()) == 1


async def held(subscription: Subscription, topic: str) -> bool:
    return any(one == topic for one, _ in subscription.assigned())


@pytest.mark.req("NTF-3", "OPS-4")
async def test_what_was_let_go_while_a_lease_could_not_be_renewed_comes_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for longer than a holder believes in its lease, and for less than the lease itself lives."""
    async with installation.running(Heard(), consumers=0) as runtime:
        bus = OutboxBus({TOPIC: runtime.across_schools}, "member", runtime.wake)
        subscription = await bus.subscribe("toy", [TOPIC])
        try:
            await tell(runtime, uuid4(), uuid4(), 7)
            assert await polled(subscription) == [7]
            (leases,) = subscription._leases.values()
            fences = leases.held
            with monkeypatch.context() as late:
                late.setattr(lease, "MARGIN", lease.LIFE)
                await leases.renew()
                assert subscription.assigned() == [], "whoever handles a record now lets go of it"
            await leases.renew()
            assert leases.held == fences
            assert await polled(subscription) == [7]
        finally:
            await subscription.close()
