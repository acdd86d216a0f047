"""One installation for all tests of this folder, which run in the order of ORDER: each leaves it as whole as it found it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.cluster import outside, people
from tests.cluster.figures import note
from tests.cluster.installation import Installation, installed
from tests.cluster.outside import Outside
from tests.cluster.place import Place
from tests.support.browsing import watched
from tests.support.product import CHROMIUM, FLAGS

ORDER = ("test_image", "test_installed", "test_journey", "test_edges", "test_load", "test_upgrade", "test_uninstalled")
WITHOUT = "no cluster was given; `make cluster-test` gives one"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if item.path.parent.name == "cluster"]
    mine.sort(key=lambda item: ORDER.index(item.path.stem))
    for item in mine:
        item.add_marker(pytest.mark.timeout(600))
    items[:] = [item for item in items if item not in mine] + mine


@pytest.fixture(scope="session")
def place() -> Place:
    given = Place.told()
    if given is None:
        pytest.skip(WITHOUT)
    return given


@pytest.fixture(scope="session")
def servers(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """What an operator brings."""
    with outside.running(place.host, tmp_path_factory.mktemp("outside")) as ones:
        yield ones


@pytest.fixture(scope="session")
def installation(place: Place, servers: Outside, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The product on the cluster, with the people of the demo schools in it."""
    made = installed(place, servers, tmp_path_factory.mktemp("installation"))
    print(f"\ninstalled and ready after {made.seconds:.1f} s")
    note(install_to_ready_seconds=round(made.seconds, 1))
    people.put_in(made)
    return made


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as one:
        yield one


@pytest.fixture(scope="session")
def browser(playwright: Playwright, installation: Installation) -> Iterator[Browser]:
    one = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *installation.flags])
    yield one
    one.close()


@pytest.fixture
def contexts(browser: Browser, installation: Installation) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts that look like a phone; see `watched`."""
    yield from watched(browser, installation.place.url, seconds=30)
