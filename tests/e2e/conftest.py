"""One product for all journeys, and browser contexts that look like a phone or a desk."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from services.identity.demo.cast import PASSWORD
from tests.support.browsing import watched
from tests.support.product import CHROMIUM, Product, running

DESK = {"width": 1280, "height": 800}
HERE = Path(__file__).parent
LONGEST = {
    HERE / f"test_{name}.py" for name in ("every_screen", "from_nothing", "the_record", "a_weekend", "the_rules")
}
"""Modules that go first, so that of two processes none waits long for the other's last one."""
STACK_TIMEOUT = 300
"""Seconds that a journey may take, where the first of them waits for a stack to start."""

needs_apertium = pytest.mark.skipif(
    which("apertium") is None and os.environ.get("CI") != "true", reason="Apertium is not installed"
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path not in LONGEST)
    if config.getoption("--product") == "stack":
        for item in items:
            if item.path.is_relative_to(HERE) and item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(STACK_TIMEOUT))


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Product]:
    """The product with its demo school: as the embedded run or, with `--product=stack`, as many processes."""
    with running(tmp_path_factory.mktemp("product") / "data", kind=request.config.getoption("--product")) as one:
        yield one


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one driver of a process, which bears no second."""
    if not CHROMIUM.exists():
        pytest.fail("Chromium is missing: apt-get install chromium")
    with sync_playwright() as one:
        yield one


@pytest.fixture(scope="session")
def browser(playwright: Playwright, product: Product) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    yield from chromium(playwright, product)


def chromium(playwright: Playwright, product: Product) -> Iterator[Browser]:
    """A browser for one product, closed afterwards; also for modules that have a product of their own."""
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=product.flags)
    yield browser
    browser.close()


@pytest.fixture
def contexts(browser: Browser, product: Product) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts that look like a phone; see `watched`."""
    yield from watched(browser, product.address, seconds=15)


def sign_in(context: BrowserContext, product: Product, name: str, role: str, path: str = "/") -> Page:
    """A new page on which a person of the demo school is signed in, by one tap."""
    page = context.new_page()
    enter(page, product, name, role, path)
    return page


def enter(page: Page, product: Product, name: str, role: str, path: str = "/") -> None:
    """Sign a person of the demo school in, by one tap, and wait until the page is told what happens."""
    page.goto(path)
    tap_person(page, product, name, role)
    page.locator('[data-testid="live-state"][data-state="live"]').wait_for(state="attached")


def tap_person(page: Page, product: Product, name: str, role: str) -> None:
    """The one tap by which a visitor of the demo becomes somebody."""
    page.get_by_test_id(f"demo-person-{product.person(name, role)['person']}-{role}").click()


def with_password(page: Page, email: str, password: str = PASSWORD) -> None:
    """Send the sign-in form."""
    page.get_by_test_id("sign-in-email").fill(email)
    page.get_by_test_id("sign-in-password").fill(password)
    page.get_by_test_id("sign-in-submit").click()


def open_conversation(page: Page, pupil: str) -> None:
    """From anywhere, open the conversation with a pupil's family or about a pupil, starting it when there is none."""
    page.goto("/new")
    page.get_by_role("searchbox").fill(pupil)
    page.locator('[data-testid^="contact-"]', has_text=pupil).first.click()
    page.get_by_test_id("composer").wait_for()
