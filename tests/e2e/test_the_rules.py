"""The school's rules on screen: a leader changes them with the meaning beside them, staff read them, and new terms come first."""

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx2
import pytest
from playwright.sync_api import BrowserContext, expect

from bookbag.local.process import wait_until
from tests.e2e.conftest import DESK, sign_in, tap_person
from tests.e2e.letters import thread_about
from tests.e2e.test_every_screen import findings
from tests.support.browsing import PHONE
from tests.support.product import Product

pytestmark = pytest.mark.e2e
Contexts = Callable[..., BrowserContext]


@pytest.mark.req("POL-2", "POL-8", "WEB-1")
def test_a_leader_changes_a_rule_sees_what_it_means_and_staff_read_it(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(viewport=DESK), product, "Rowe", "leader")
    page.goto("/more")
    page.get_by_test_id("to-rules").click()
    before = page.get_by_test_id("policy-version").inner_text()
    page.get_by_test_id("tab-terms").click()
    page.get_by_label("At most, for each child").fill("4")
    expect(page.get_by_test_id("changes")).to_contain_text("guardians.per_child")
    expect(page.get_by_test_id("meaning")).to_contain_text("Each child has at most 4 guardians here.")
    page.get_by_test_id("review-changes").click()
    page.get_by_test_id("policy-reason").fill("Grandparents asked for it.")
    page.get_by_test_id("save-policy").click()
    expect(page.get_by_role("alert")).to_contain_text("Saved")
    expect(page.get_by_test_id("policy-version")).not_to_have_text(before)
    page.get_by_test_id("tab-history").click()
    expect(page.get_by_test_id("policy-history").locator("li").first).to_contain_text("Grandparents asked for it.")
    expect(page.get_by_test_id("policy-history").locator("li").first).to_contain_text("Mrs Rowe")
    teacher = sign_in(contexts(), product, "Hughes", "teacher")
    teacher.goto("/rules")
    expect(teacher.get_by_test_id("meaning")).to_contain_text("Each child has at most 4 guardians here.")
    expect(teacher.get_by_test_id("tab-hours")).to_have_count(0)


@pytest.mark.req("POL-2", "MSG-15", "TR-6")
def test_a_leader_writes_the_emergency_words_in_one_more_language_and_the_family_reads_them(
    product: Product, contexts: Contexts
) -> None:
    words = "Si un niño está en peligro ahora, llame al 112."
    page = sign_in(contexts(viewport=DESK), product, "Rowe", "leader", "/rules")
    page.goto("/rules")
    page.get_by_test_id("tab-messages").click()
    page.get_by_test_id("safety-words-more").select_option("es")
    expect(page.get_by_test_id("faults")).to_contain_text("safety.words.es it is empty")
    page.get_by_test_id("safety-words-es").fill(words)
    expect(page.get_by_test_id("changes")).to_contain_text(words)
    page.get_by_test_id("review-changes").click()
    page.get_by_test_id("policy-reason").fill("Families asked for it.")
    page.get_by_test_id("save-policy").click()
    expect(page.get_by_role("alert")).to_contain_text("Saved")
    with product.client("Carmen", "guardian") as http:
        place = f"/messaging/v1/threads/{thread_about(http, 'Maya')}"

        def reads_them() -> bool:
            return http.get(place).json()["composing"]["safety"]["words"] == words

        assert wait_until(reads_them, 5, every=0.1)


@pytest.mark.req("POL-2", "WEB-1")
def test_a_mistake_is_shown_where_it_is_and_cannot_be_saved(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(viewport=DESK), product, "Rowe", "leader", "/rules")
    page.goto("/rules")
    page.get_by_test_id("tab-document").click()
    document = page.get_by_test_id("policy-yaml")
    document.fill(re.sub('(outside"?: "?)hold', r"\1later", document.input_value(), count=1))
    expect(page.get_by_test_id("faults")).to_contain_text("messages.families.outside")
    expect(page.get_by_test_id("review-changes")).to_be_disabled()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.req("WEB-1")
def test_axe_finds_nothing_on_the_leaders_pages(product: Product, contexts: Contexts, viewport: dict[str, int]) -> None:
    page = sign_in(contexts(viewport=viewport, reduced_motion="reduce"), product, "Rowe", "leader")
    page.goto("/rules")
    wrong: dict[str, list[str]] = {}
    for tab in ("rules", "hours", "messages", "calendar", "terms", "document", "history"):
        page.get_by_test_id(f"tab-{tab}").click()
        page.locator(".leading-main :is(h2, h3, .week-title)").first.wait_for()
        wrong[tab] = findings(page)
    page.goto("/paused")
    page.locator('[data-testid^="suspend-"]').first.wait_for()
    wrong["paused"] = findings(page)
    assert {tab: found for tab, found in wrong.items() if found} == {}


def new_terms_for_pupils(leader: httpx2.Client, version: str) -> None:
    """The school gives its pupils another text to sign."""
    shown = leader.get("/identity/v1/policy").json()
    data = shown["data"]
    data["terms"]["pupils"] |= {"version": version, "text": {"en": f"I am kind to everybody. ({version})"}}
    saved = leader.post(
        "/identity/v1/policy/versions",
        json={"data": data, "reason": "new words"},
        headers={"if-match": f'"{shown["newest"]}"'},
    )
    assert saved.status_code == 201, saved.text


@pytest.mark.req("POL-11")
def test_new_terms_come_before_everything_and_a_pupil_signs_them_with_name_and_date(
    product: Product, contexts: Contexts
) -> None:
    page = sign_in(contexts(), product, "Maya", "pupil")
    with product.client("Rowe", "leader") as leader:
        new_terms_for_pupils(leader, f"e2e {datetime.now(ZoneInfo('UTC')):%H%M%S%f}")
    terms = page.get_by_test_id("terms")
    expect(terms).to_contain_text("I am kind to everybody.", timeout=15_000)
    expect(page.get_by_test_id("live-state")).to_have_count(0)
    assert findings(page) == []
    expect(page.get_by_test_id("accept-terms")).to_be_disabled()
    page.get_by_test_id("terms-name").fill("Maya")
    page.get_by_test_id("accept-terms").click()
    expect(page.locator('[data-testid="live-state"][data-state="live"]')).to_be_attached()
    page.reload()
    expect(page.get_by_role("banner")).to_contain_text("Bramley Lane Primary")
    expect(terms).to_have_count(0)


@pytest.mark.req("ID-11")
def test_a_leader_pauses_a_guardians_access_and_gives_it_back(product: Product, contexts: Contexts) -> None:
    person = product.person("Ewa", "guardian")["person"]
    guardian = sign_in(contexts(), product, "Ewa", "guardian")
    page = sign_in(contexts(viewport=DESK), product, "Rowe", "leader")
    page.goto("/paused")
    page.get_by_test_id(f"suspend-{person}").click()
    page.get_by_test_id("suspend-reason").fill("Shouted at the office.")
    page.get_by_test_id("suspend-now").click()
    expect(page.get_by_test_id("suspended-now")).to_contain_text("Shouted at the office.")
    expect(guardian.get_by_test_id("sign-in-email")).to_be_visible()
    page.get_by_test_id(f"reinstate-{person}").click()
    expect(page.get_by_test_id(f"suspend-{person}")).to_be_visible()
    tap_person(guardian, product, "Ewa", "guardian")
    expect(guardian.locator('[data-testid="live-state"][data-state="live"]')).to_be_attached()
