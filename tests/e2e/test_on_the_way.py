"""What happens while somebody looks: the line breaks, others write, older messages come, a newer client is there."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from bookbag.local.process import wait_until
from tests.e2e.conftest import DESK, open_conversation, sign_in
from tests.e2e.letters import said, thread_about
from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("WEB-1")]
Contexts = Callable[..., BrowserContext]


def line(page: Page, state: str) -> None:
    """The page says how its line to the server is."""
    expect(page.get_by_test_id("live-state")).to_have_attribute("data-state", state)


def still(page: Page) -> None:
    """Two frames have been drawn: what was measured has taken its place."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")


def test_the_page_says_when_the_line_is_gone_is_being_made_again_and_is_back(
    product: Product, contexts: Contexts
) -> None:
    context = contexts()
    page = sign_in(context, product, "Layla", "guardian")
    context.set_offline(True)
    line(page, "offline")
    expect(page.get_by_test_id("live-state")).to_contain_text("لا توجد شبكة")
    expect(page.get_by_test_id("live-state")).to_be_in_viewport()
    context.route("**/notify/v1/stream", lambda route: route.abort())
    context.set_offline(False)
    line(page, "reconnecting")
    context.unroute("**/notify/v1/stream")
    line(page, "live")


@pytest.mark.req("MSG-11")
def test_what_is_unread_is_counted_while_one_looks_and_reading_takes_it_away(
    product: Product, contexts: Contexts
) -> None:
    with product.client("Hughes", "teacher") as teacher, product.client("Layla", "guardian") as family:
        thread = thread_about(teacher, "Sami")
        page = sign_in(contexts(), product, "Layla", "guardian")
        count = page.locator(".place-count")
        page.goto(f"/threads/{thread}")
        page.get_by_test_id("composer").wait_for()
        # What earlier journeys wrote is read now; a page that is left too soon would leave it unread.
        assert wait_until(lambda: family.get("/messaging/v1/unread").json()["messages"] == 0, 15, every=0.1)
        expect(count).to_have_count(0)
        page.goto("/more")
        line(page, "live")
        said(teacher, thread, "Sami sang.", "Sami danced.")
        expect(count).to_have_text("2")
        page.locator(".place").first.click()
        page.get_by_test_id(f"thread-row-{thread}").click()
        expect(page.get_by_text("Sami danced.")).to_be_visible()
        expect(count).to_have_count(0)


def test_a_message_is_answered_in_two_taps(product: Product, contexts: Contexts) -> None:
    with product.client("Hughes", "teacher") as teacher:
        thread = thread_about(teacher, "Sami")
        said(teacher, thread, "Can Sami stay until 16:00 on Tuesday?")
    page = sign_in(contexts(has_touch=True, is_mobile=True), product, "Layla", "guardian", f"/threads/{thread}")
    expect(page.get_by_text("Can Sami stay until 16:00 on Tuesday?").last).to_be_in_viewport()
    page.evaluate("window.taps = 0; addEventListener('pointerdown', () => window.taps++, true)")
    page.get_by_test_id("composer").tap()
    page.keyboard.type("نعم، شكرًا.")
    page.get_by_test_id("send").tap()
    expect(page.get_by_test_id("message-state").last).to_contain_text(re.compile(r"\d\d:\d\d|[٠-٩]{2}:[٠-٩]{2}"))
    assert page.evaluate("window.taps") == 2


@pytest.mark.req("MSG-1")
def test_a_long_conversation_keeps_its_place_while_older_words_come_and_new_ones_wait_below(
    product: Product, contexts: Contexts
) -> None:
    with product.client("Okafor", "teacher") as teacher:
        thread = thread_about(teacher, "Tomás")
        said(teacher, thread, *(f"Line {number} of the play." for number in range(1, 81)))
        # The worker would answer in the page's place: what it lets through cannot be held back here.
        page = sign_in(contexts(service_workers="block"), product, "Reed", "guardian", f"/threads/{thread}")
        expect(page.get_by_text("Line 80 of the play.")).to_be_in_viewport()
        held: list[Route] = []
        older = re.compile(r"/messages\?.*after=")
        page.route(older, lambda route: held.append(route))
        with page.expect_request(older):
            page.locator(".message-list-scroll").evaluate("list => { list.scrollTop = 100 }")
        first = page.locator(".message-list-row", has_text="Line 52 of the play.")
        expect(first).to_have_attribute("data-index", "1")
        still(page)
        before = first.bounding_box()
        for route in held:
            route.continue_()
        expect(first).to_have_attribute("data-index", "31")
        page.unroute(older)
        still(page)
        after = first.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) <= 2, "the words being read have moved"
        newest = page.get_by_test_id("to-newest")
        expect(newest).to_have_text("To the newest")
        said(teacher, thread, "Line 81 of the play.")
        expect(newest).to_have_text("New message")
        expect(first).to_be_in_viewport()
        newest.click()
        expect(page.get_by_text("Line 81 of the play.")).to_be_in_viewport()
        expect(newest).to_have_count(0)


@pytest.mark.req("MSG-18")
def test_without_network_the_page_opens_with_what_was_kept_and_says_so(product: Product, contexts: Contexts) -> None:
    context = contexts(viewport=DESK)
    page = sign_in(context, product, "Hughes", "teacher")
    open_conversation(page, "Isla")
    page.get_by_test_id("composer").fill("Kept on this desk.")
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("message-state").last).to_contain_text("Sent")
    address = page.url
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.close()
    context.set_offline(True)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("Kept on this desk.").last).to_be_visible()
    expect(page.get_by_test_id("live-state")).to_contain_text("You see what was kept on this device.")
    context.set_offline(False)
    line(page, "live")
    expect(page.get_by_test_id("composer")).to_be_enabled()


def test_a_newer_client_waits_until_somebody_takes_it(product: Product, contexts: Contexts) -> None:
    context = contexts(viewport=DESK)
    page = sign_in(context, product, "Hughes", "teacher", "/more")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.get_by_test_id("sign-out").wait_for()
    expect(page.get_by_test_id("take-update")).to_have_count(0)
    # The same worker under another address is a newer one to the browser.
    page.evaluate("navigator.serviceWorker.register('/sw.js?newer', {scope: '/'}).then(() => true)")
    take = page.get_by_test_id("take-update")
    expect(take).to_be_visible()
    with page.expect_navigation():
        take.click()
    page.get_by_test_id("sign-out").wait_for()
    assert page.evaluate("navigator.serviceWorker.controller.scriptURL").endswith("/sw.js?newer")
