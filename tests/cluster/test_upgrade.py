"""Another version comes and goes while people write: nobody is refused."""

from collections.abc import Callable

import pytest

from bookbag.local.process import pause, wait_until
from tests.cluster.figures import note
from tests.cluster.installation import READY_WITHIN, Installation
from tests.cluster.load import Load
from tests.cluster.place import RELEASE, helm, pods
from tests.cluster.test_load import lost

pytestmark = pytest.mark.req("OPS-4")


def images() -> set[str]:
    return {one["spec"]["containers"][0]["image"] for one in pods()}


def back(installation: Installation) -> None:
    helm("rollback", RELEASE, "--wait", "--timeout", READY_WITHIN)


def forth(installation: Installation) -> None:
    installation.upgrade(installation.place.images[1])


@pytest.mark.parametrize(("name", "change", "ends_with"), [("upgrade", forth, 1), ("rollback", back, 0)])
def test_a_rolling_change_under_load_refuses_no_request(
    name: str, change: Callable[[Installation], None], ends_with: int, installation: Installation
) -> None:
    with Load(installation) as load:
        pause(3)
        change(installation)
        pause(3)
    note(**{name: load.report.told()})
    print(f"\n{name}: {load.report.told()}")
    assert wait_until(lambda: images() == {installation.place.images[ends_with]}, 60, every=0.5)
    assert not load.report.refused
    assert not load.report.given_up
    assert lost(installation, load.report) == set()
