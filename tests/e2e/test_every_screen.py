"""Every screen can be used by everybody: no accessibility finding, no sideways scrolling, mirrored right to left, by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import DESK, PHONE, open_conversation, sign_in
from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("WEB-1")]

AXE = Path("web/node_modules/axe-core/axe.min.js")
SCREENS = ("/threads", "/new", "/more")
Contexts = Callable[..., BrowserContext]


def findings(page: Page) -> list[str]:
    """What axe finds on the page as it is."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in result["violations"]]


def settled(page: Page) -> None:
    page.get_by_test_id("live-state").wait_for(state="attached")
    page.wait_for_load_state("networkidle") if False else page.wait_for_function("document.fonts.status === 'loaded'")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(product: Product, contexts: Contexts, viewport: dict[str, int], scheme: str) -> None:
    context = contexts(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto("/")
    page.get_by_test_id("sign-in-email").wait_for()
    wrong = {"sign-in": findings(page)}
    page = sign_in(context, product, "Hughes", "teacher")
    open_conversation(page, "Maya")
    wrong["thread"] = findings(page)
    for path in SCREENS:
        page.goto(path)
        settled(page)
        wrong[path] = findings(page)
    assert {screen: found for screen, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("name", "language", "direction"), [("Layla", "ar", "rtl"), ("Ayesha", "ur", "rtl"), ("Cerys", "cy", "ltr")]
)
def test_the_page_is_in_the_readers_language_and_direction(
    product: Product, contexts: Contexts, name: str, language: str, direction: str
) -> None:
    page = sign_in(contexts(), product, name, "guardian")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    page.goto("/more")
    settled(page)
    assert findings(page) == []


def test_nothing_scrolls_sideways_on_a_narrow_phone_with_large_letters(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(viewport={"width": 320, "height": 640}), product, "Hughes", "teacher")
    page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '200%' })"
    )
    for path in SCREENS:
        page.goto(path)
        settled(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} pixels too wide"


def test_a_message_can_be_written_with_the_keyboard_alone(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    open_conversation(page, "Sami")
    page.get_by_test_id("composer").focus()
    page.keyboard.type("Written without a mouse.")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-testid^="message-"]', has_text="Written without a mouse.").last).to_be_visible()
