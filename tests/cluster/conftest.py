"""One installation for all tests of this folder, which run in the order of ORDER: each leaves it as whole as it found it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from bookbag.local.process import wait_until
from tests.cluster import outside, people
from tests.cluster.figures import note
from tests.cluster.installation import Installation, installed
from tests.cluster.outside import Outside
from tests.cluster.place import Place, leaving, left
from tests.support.browsing import watched
from tests.support.product import CHROMIUM, FLAGS

ORDER = (
    "test_figures",
    "test_image",
    "test_installed",
    "test_journey",
    "test_edges",
    "test_load",
    "test_upgrade",
    "test_uninstalled",
    "test_given_back",
)
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
    """The product on the cluster, with nobody in it."""
    made = installed(place, servers, tmp_path_factory.mktemp("installation"))
    print(f"\ninstalled and ready after {made.seconds:.1f} s\n\n{made.said}")
    note(install_to_ready_seconds=round(made.seconds, 1))
    return made


@pytest.fixture(scope="session")
def leader(installation: Installation) -> dict[str, str]:
    """Makes the first school: what its leader signs in with."""
    said = installation.page.type("5. The first school")
    return {"email": "ada@school.example", "password": said.partition("with the password ")[2].split()[0]}


@pytest.fixture(scope="session")
def put_down(installation: Installation, leader: dict[str, str]) -> str:
    """Takes a backup of all while there is only the first school: the name of its folder."""
    return folder_of(installation.page.type("Backup", 0))


@pytest.fixture(scope="session")
def inhabited(installation: Installation, put_down: str) -> None:
    """Puts in the people of the demo schools."""
    people.put_in(installation)


@pytest.fixture(scope="session")
def part(installation: Installation, inhabited: None) -> str:
    """Takes a backup of one of their schools: the name of its folder."""
    return folder_of(installation.page.type("Backup", 1, names={"=OAKS": f"={people.SCHOOL}"}))


def folder_of(said: str) -> str:
    """Where a backup is, as the last line of its words has it; what kubectl says comes after."""
    return next(line for line in said.splitlines() if " are in " in line).rpartition("/")[2].rstrip(".")


@pytest.fixture(scope="session")
def uninstalled(installation: Installation, part: str) -> set[str]:
    """Uninstalls: what was there before."""
    before = left()
    installation.page.type("Uninstall", 0)
    return before


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
    """Makes browser contexts that look like a phone; see `watched`. Where the cluster runs on this machine, pods that end take interfaces
    of its network with them, and Chromium then breaks off what is on its way: nobody goes in before they are gone."""
    assert wait_until(lambda: not leaving(), 120, every=0.5), leaving()
    yield from watched(browser, installation.place.url, seconds=30)
