"""A Friday evening and the Monday after it: a message waits, is said to wait, and arrives when the hours open (preset B). Then the
leader changes the hours, both sides see it, and the record proves who did."""

import re
from collections.abc import Callable, Generator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.e2e.conftest import DESK, chromium, open_conversation, sign_in
from tests.e2e.test_the_record import bookbag, swap_byte
from tests.support.policy import friday_ahead
from tests.support.product import Product, running

pytestmark = [pytest.mark.e2e, pytest.mark.req("POL-5", "MSG-5")]
Contexts = Callable[..., BrowserContext]

FRIDAY_EVENING = friday_ahead("b").replace(hour=18)
MONDAY_MORNING = (FRIDAY_EVENING + timedelta(days=3)).replace(hour=8, second=5)
MONDAY_AFTERNOON = MONDAY_MORNING.replace(hour=16, minute=10)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Generator[Product]:
    """A product of its own, because its clock is moved."""
    folder = tmp_path_factory.mktemp("quiet") / "data"
    with running(folder, kind=request.config.getoption("--product"), policy=None) as one:
        yield one


@pytest.fixture(scope="module")
def browser(playwright: Playwright, product: Product) -> Generator[Browser]:
    yield from chromium(playwright, product)


def test_a_friday_evening_is_seen_on_monday_morning(product: Product, contexts: Contexts) -> None:
    product.moves_its_clock(FRIDAY_EVENING)
    guardian = sign_in(contexts(now=FRIDAY_EVENING), product, "Carmen", "guardian")
    open_conversation(guardian, "Maya")
    note = guardian.get_by_test_id("rules-note")
    expect(note).to_have_attribute("data-state", "held", timeout=20_000)
    expect(note).to_contain_text("lunes 08:00")
    expect(note).to_contain_text("martes 08:00")
    guardian.get_by_test_id("composer").fill("Maya preguntó por la piscina.")
    guardian.get_by_test_id("send").click()
    expect(guardian.get_by_test_id("message-state").last).to_contain_text("lunes 08:00", timeout=20_000)
    guardian.get_by_test_id("about-safety").check()
    expect(guardian.get_by_test_id("safety-words")).to_be_visible()
    guardian.get_by_test_id("about-safety").uncheck()
    product.moves_its_clock(MONDAY_MORNING)
    teacher = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    teacher.locator('[data-testid^="thread-row-"]', has_text="Maya").first.click()
    # As written, or translated already.
    bubble = teacher.locator('[data-testid^="message-"]', has_text=re.compile("piscina|swimming pool"))
    expect(bubble.first).to_be_visible(timeout=20_000)
    expect(guardian.get_by_test_id("rules-note")).to_have_attribute("data-state", "now", timeout=45_000)

    product.moves_its_clock(MONDAY_AFTERNOON)
    the_day_ends_at(product, "16:00")
    for page in (guardian, teacher):
        expect(page.get_by_test_id("rules-note")).to_have_attribute("data-state", "held", timeout=45_000)
    expect(guardian.get_by_test_id("rules-note")).to_contain_text("martes 08:00")

    with product.http() as client:
        code = client.get("/identity/v1/demo/people").json()["school"]["code"]
    whole = bookbag(product, "verify", "--school", code)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    swap_byte(product, code, "policy-changed")
    changed = bookbag(product, "verify", "--school", code)
    assert (changed.returncode, "was changed" in changed.stdout) == (1, True), changed.stdout


def the_day_ends_at(product: Product, time: str) -> None:
    """The leader lets the working day of staff end earlier."""
    with product.client("Rowe", "leader") as http:
        found = http.get("/identity/v1/policy")
        rules = found.json()["data"]
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday"):
            rules["staff"]["hours"][day] = [{"from": "08:00", "to": time}]
        saved = http.post(
            "/identity/v1/policy/versions",
            json={"data": rules, "reason": "The day ends at four."},
            headers={"if-match": found.headers["etag"]},
        )
        assert saved.status_code == 201, saved.text
