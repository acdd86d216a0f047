"""Leases have one holder each, are shared evenly, and carry a fence that only grows."""

from bookbag.chassis.lease import Leases
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House

TOY = Service(name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),))
NAMES = [str(number) for number in range(8)]


async def test_two_holders_share_the_leases_and_never_hold_the_same_one(fresh_house: House) -> None:
    async with fresh_house.runtime(TOY) as runtime:
        first = Leases(runtime.across_schools, "kind", NAMES, "first")
        second = Leases(runtime.across_schools, "kind", NAMES, "second")
        await first.renew()
        assert len(first.held) == 8
        for _ in range(3):
            await second.renew()
            await first.renew()
        assert len(first.held) == len(second.held) == 4
        assert not first.held.keys() & second.held.keys()


async def test_what_is_given_back_is_taken_at_once_with_a_higher_fence(fresh_house: House) -> None:
    async with fresh_house.runtime(TOY) as runtime:
        first = Leases(runtime.across_schools, "kind", ["one"], "first")
        second = Leases(runtime.across_schools, "kind", ["one"], "second")
        await first.renew()
        fence = first.held_of("one")
        await second.renew()
        assert second.held == {}
        await first.give_back()
        await second.renew()
        assert fence is not None
        assert second.held_of("one") == fence + 1


async def test_a_holder_whose_lease_was_taken_over_finds_out_at_its_next_renewal(fresh_house: House) -> None:
    async with fresh_house.runtime(TOY) as runtime:
        first = Leases(runtime.across_schools, "kind", ["one"], "first")
        second = Leases(runtime.across_schools, "kind", ["one"], "second")
        await first.renew()
        await runtime.across_schools.execute("update lease set expires_at = '-infinity'")
        await second.renew()
        await first.renew()
        assert first.held == {}
        assert second.held_of("one") is not None
