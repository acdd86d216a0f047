"""A school that lets its staff in during working hours and from its own network: the working day ends on the screen too (POL-4)."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from bookbag.school.policy.parse import as_data, parse
from bookbag.school.policy.presets import preset_text
from tests.e2e.conftest import DESK, chromium, open_conversation, sign_in, tap_person
from tests.e2e.test_every_screen import findings
from tests.support.policy import friday_ahead
from tests.support.product import Product, running

pytestmark = [pytest.mark.e2e, pytest.mark.req("POL-4")]
Contexts = Callable[..., BrowserContext]

# Each test is later than those before it, because a version of the rules counts from when it was saved.
FRIDAY = friday_ahead("a").replace(hour=10)
THURSDAY = FRIDAY - timedelta(days=1)
MONDAY = FRIDAY + timedelta(days=3)
TUESDAY = FRIDAY + timedelta(days=4)

IN_TIME = 60_000
"""Milliseconds within which a session that fell out ends."""

HERE, SCHOOL = "127.0.0.0/8", "203.0.113.0/24"


def leader_of(product: Product) -> str:
    return next(one["name"] for one in product.people if one["role"] == "leader")


def let_staff_in(product: Product, network: str, **access: Any) -> None:
    """The leader saves that staff come in as preset A says, where the school's network is this one."""
    staff = as_data(parse(preset_text("a")))["staff"]
    networks = [{"name": "School building", "range": network}]
    access = staff["access"] | {"networks": networks} | access
    change_rules(product, lambda rules: rules["staff"].update(hours=staff["hours"], access=access))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Product]:
    """A product of its own, because its clock is moved."""
    folder = tmp_path_factory.mktemp("closed") / "data"
    with running(folder, kind=request.config.getoption("--product"), policy=None) as one:
        yield one


@pytest.fixture(scope="module")
def browser(playwright: Playwright, product: Product) -> Iterator[Browser]:
    yield from chromium(playwright, product)


def closed_page(page: Page) -> None:
    page.get_by_test_id("closed").wait_for(timeout=IN_TIME)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Closed until")
    expect(page.get_by_role("heading", level=1)).to_contain_text("08:00")
    expect(page.get_by_test_id("composer")).to_have_count(0)


def test_when_the_day_ends_a_teacher_is_out_with_the_draft_kept_and_finds_it_in_the_morning(
    product: Product, contexts: Contexts
) -> None:
    product.moves_its_clock(THURSDAY)
    let_staff_in(product, HERE)
    product.moves_its_clock(THURSDAY.replace(hour=15, minute=58))
    page = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    open_conversation(page, "Maya")
    page.get_by_test_id("composer").fill("On Friday we go to the")
    product.moves_its_clock(THURSDAY.replace(hour=16, minute=1))
    closed_page(page)
    assert findings(page) == []
    page.reload()
    closed_page(page)
    family = sign_in(contexts(), product, "Carmen", "guardian")
    expect(family.get_by_test_id("closed")).to_have_count(0)
    product.moves_its_clock(FRIDAY.replace(hour=8, minute=1))
    page.get_by_test_id("come-back").click()
    expect(page.get_by_test_id("composer")).to_have_value("On Friday we go to the", timeout=30_000)


@pytest.mark.req("PRV-4")
def test_a_leader_whom_the_hours_keep_out_too_comes_in_for_a_reason(product: Product, contexts: Contexts) -> None:
    product.moves_its_clock(FRIDAY)
    let_staff_in(product, HERE, exempt_from_hours=[])
    product.moves_its_clock(FRIDAY.replace(hour=19))
    page = contexts().new_page()
    page.goto("/")
    tap_person(page, product, leader_of(product), "leader")
    closed_page(page)
    page.get_by_test_id("glass-reason").fill("A child has not come home.")
    page.get_by_test_id("break-glass").click()
    page.locator('[data-testid="live-state"][data-state="live"]').wait_for(state="attached", timeout=30_000)
    expect(page.get_by_test_id("closed")).to_have_count(0)


def change_rules(product: Product, change: Callable[[dict[str, Any]], None]) -> None:
    """The leader saves the rules that count with one change."""
    with product.client(leader_of(product), "leader") as http:
        found = http.get("/identity/v1/policy")
        rules = found.json()["data"]
        change(rules)
        saved = http.post(
            "/identity/v1/policy/versions",
            json={"data": rules, "reason": "For a test."},
            headers={"if-match": found.headers["etag"]},
        )
        assert saved.status_code == 201, saved.text


@pytest.mark.req("POL-2", "POL-5")
def test_a_leader_changes_the_hours_and_the_screens_of_a_teacher_and_a_family_follow_and_say_why(
    product: Product, contexts: Contexts
) -> None:
    product.moves_its_clock(MONDAY)
    let_staff_in(product, HERE)
    teacher = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    open_conversation(teacher, "Maya")
    family = sign_in(contexts(locale="en-GB"), product, "Daniel", "guardian")
    family.goto("/new")
    family.locator('[data-testid^="contact-"]').first.click()
    family.get_by_test_id("composer").wait_for()
    expect(family.get_by_test_id("rules-note")).to_have_attribute("data-state", "now")

    def only_in_the_evening(rules: dict[str, Any]) -> None:
        evening = {"days": "school_days", "monday": [{"from": "19:00", "to": "20:00"}]}
        rules["staff"]["hours"] = evening
        rules["lessons"]["hours"] = "never"
        rules["answers"]["slots"] = "staff"
        rules["messages"]["families"] |= {"hours": "staff", "outside": "refuse"}

    began = time.monotonic()
    change_rules(product, only_in_the_evening)
    expect(family.get_by_test_id("rules-note")).to_have_attribute("data-state", "refused")
    teacher.get_by_test_id("closed").wait_for(timeout=IN_TIME)
    print(f"both screens followed after {time.monotonic() - began:.1f} s")
    expect(teacher.get_by_test_id("why-may_enter")).to_contain_text("19:00")
    expect(teacher.get_by_test_id("why-may_send")).to_have_count(0)
    assert findings(teacher) == []
    family.get_by_test_id("why-link").click()
    expect(family.get_by_test_id("why-here")).to_contain_text("19:00")
    expect(family.get_by_test_id("why-may_send")).to_have_attribute("data-answer", "refused")
    expect(family.get_by_test_id("why-may_send_about_safety")).to_have_attribute("data-answer", "now")
    assert findings(family) == []

    began = time.monotonic()
    change_rules(product, lambda rules: rules["staff"]["access"].update(hours="always"))
    expect(teacher.get_by_test_id("closed")).to_have_count(0, timeout=IN_TIME)
    print(f"the closed page opened by itself after {time.monotonic() - began:.1f} s")
    teacher.goto("/why")
    expect(teacher.get_by_test_id("why-may_enter")).to_have_attribute("data-answer", "yes")
    family.goto("/more")
    expect(family.get_by_test_id("to-why")).to_be_visible()


@pytest.mark.req("OPS-3")
def test_nobody_comes_in_by_saying_that_they_are_at_school(product: Product) -> None:
    at_school = "203.0.113.7"
    forged = {
        "x-forwarded-for": at_school,
        "forwarded": f"for={at_school}",
        "x-real-ip": at_school,
        "x-client-ip": at_school,
    }
    product.moves_its_clock(TUESDAY)
    let_staff_in(product, SCHOOL)
    with product.http() as http:
        for name, role, code in (("Hughes", "teacher", "outside-network"), ("Carmen", "guardian", None)):
            who = {"person": product.person(name, role)["person"], "role": role}
            assert http.post("/identity/v1/demo/sessions", json=who).status_code == 201
            end = time.monotonic() + 10
            while _refusal(http, who, {}) != code:  # the rules before may still count for a moment
                assert time.monotonic() < end, "the new rules are not obeyed"
            for headers in (forged, forged | {"x-forwarded-for": f"{at_school}, 127.0.0.1"}):
                assert _refusal(http, who, headers) == code


def _refusal(http: Any, who: dict[str, str], headers: dict[str, str]) -> str | None:
    return http.post("/identity/v1/tokens", json=who, headers=headers).json().get("code")
