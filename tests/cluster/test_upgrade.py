"""Another version comes and goes while people write: nobody is refused."""

import pytest

from bookbag.local.process import pause, wait_until
from tests.cluster.figures import note
from tests.cluster.installation import Installation
from tests.cluster.load import Load
from tests.cluster.place import pods
from tests.cluster.test_load import lost

pytestmark = [pytest.mark.req("OPS-4"), pytest.mark.usefixtures("inhabited")]


def images() -> set[str]:
    return {one["spec"]["containers"][0]["image"] for one in pods()}


@pytest.mark.parametrize(("name", "block", "ends_with"), [("Upgrade", 1, 1), ("Rollback", 0, 0)])
def test_a_rolling_change_under_load_refuses_no_request(
    name: str, block: int, ends_with: int, installation: Installation
) -> None:
    with Load(installation) as load:
        pause(3)
        installation.page.type(name, block)
        pause(3)
    note(**{name.lower(): load.report.told()})
    print(f"\n{name}: {load.report.told()}")
    assert wait_until(lambda: images() == {installation.place.images[ends_with]}, 60, every=0.5)
    assert not load.report.refused
    assert not load.report.given_up
    assert lost(installation, load.report) == set()
