"""A consumer in which something hangs: its process ends, and the next one goes on. One that only waits is left alone."""

from uuid import uuid4

import pytest

from bookbag.chassis.tests.bus_contract.installation import Installation, eventually, has, tell
from bookbag.chassis.watchdog import Sight

pytestmark = [pytest.mark.req("OPS-4")]

TOLD, OTHER = ("told", 0), ("told", 1)


@pytest.mark.slow
async def test_a_process_whose_consumer_hangs_ends_and_the_next_one_goes_on(installation: Installation) -> None:
    installation.settings["BOOKBAG_STUCK_AFTER_SECONDS"] = "10"
    school, key = uuid4(), uuid4()
    async with installation.still() as runtime:
        await tell(runtime, school, key, 1)
        with installation.worker("hangs") as hanging:

            async def has_ended() -> bool:
                return hanging.poll() is not None

            await eventually(has_ended)
            assert hanging.returncode == 1
        assert "Stuck" in (installation.house.folder / "hangs.log").read_text()
        with installation.worker("second") as second:
            await eventually(lambda: has(runtime, key, [1]))
            assert second.poll() is None


def test_who_finishes_nothing_while_records_wait_stands_still() -> None:
    before = Sight(5, 0, {TOLD: 3, OTHER: 0})
    assert Sight(5, 0, {TOLD: 4, OTHER: 0}).stands_still_since(before, [TOLD, OTHER])


@pytest.mark.parametrize(
    ("now", "ours"),
    [
        (Sight(6, 0, {TOLD: 9, OTHER: 0}), [TOLD, OTHER]),
        (Sight(5, 1, {TOLD: 4, OTHER: 0}), [TOLD, OTHER]),
        (Sight(5, 0, {TOLD: 0, OTHER: 7}), [TOLD, OTHER]),
        (Sight(5, 0, {TOLD: 4, OTHER: 0}), [OTHER]),
        (Sight(5, 0, {TOLD: 2, OTHER: 0}), []),
    ],
    ids=["it finished one", "it waits for what is away", "what waits is new", "it is another's bucket", "others work"],
)
def test_who_has_a_reason_does_not_stand_still(now: Sight, ours: list[tuple[str, int]]) -> None:
    assert not now.stands_still_since(Sight(5, 0, {TOLD: 3, OTHER: 0}), ours)


def test_who_has_no_bucket_stands_still_when_nobody_goes_on() -> None:
    before = Sight(5, 0, {TOLD: 3, OTHER: 0})
    assert Sight(5, 0, {TOLD: 3, OTHER: 0}).stands_still_since(before, [])
