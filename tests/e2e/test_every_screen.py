"""Every screen can be used by everybody: no accessibility finding, no sideways scrolling, mirrored right to left, by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import DESK, open_conversation, sign_in, with_password
from tests.support.browsing import PHONE
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
    """The page has its heading, its line to the server and its letters."""
    page.get_by_role("heading", level=1).first.wait_for()
    page.get_by_test_id("live-state").wait_for(state="attached")
    page.evaluate("document.fonts.ready.then(() => true)")


def too_wide(page: Page) -> list[str]:
    """What one would have to scroll sideways, the page itself or a part of it."""
    return page.evaluate("""
        [...document.querySelectorAll('*')]
            .filter(one => one.scrollWidth > one.clientWidth + 1
                && (one === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)))
            .map(one => `${one.tagName}.${one.className}: ${one.scrollWidth} in ${one.clientWidth}`)
    """)


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(product: Product, contexts: Contexts, viewport: dict[str, int], scheme: str) -> None:
    # A colour on its way to another one is nobody's contrast.
    looks = {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = contexts(**looks).new_page()
    page.goto("/")
    page.get_by_test_id("sign-in-email").wait_for()
    wrong = {"sign-in": findings(page)}
    with_password(page, "carmen.garcia@families.example", "not the password")
    page.get_by_role("alert").wait_for()
    wrong["refused"] = findings(page)
    with_password(page, "carmen.garcia@families.example")
    page.locator('[data-testid^="membership-"]').first.wait_for()
    wrong["choose"] = findings(page)
    page.locator('[data-testid^="membership-"]', has_text="Hafod Road").click()
    settled(page)
    wrong["no messages"] = findings(page)
    page = sign_in(contexts(**looks), product, "Hughes", "teacher")
    open_conversation(page, "Maya")
    wrong["thread"] = findings(page)
    page.goto("/threads/00000000-0000-7000-8000-000000000000")
    page.get_by_text("This conversation cannot be shown").wait_for()
    wrong["no such thread"] = findings(page)
    for path in (*SCREENS, "/hours", "/why"):
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


def test_nothing_scrolls_sideways_on_a_narrow_phone_with_large_letters_and_send_is_in_reach(
    product: Product, contexts: Contexts
) -> None:
    context = contexts(viewport={"width": 320, "height": 640})
    context.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '200%' })"
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_test_id("sign-in-email").wait_for()
    wide = {"sign-in": too_wide(page)}
    with_password(page, "carmen.garcia@families.example")
    page.locator('[data-testid^="membership-"]').first.wait_for()
    wide["choose"] = too_wide(page)
    page.locator('[data-testid^="membership-"]', has_text="Bramley Lane").click()
    settled(page)
    for path in SCREENS:
        page.goto(path)
        settled(page)
        wide[path] = too_wide(page)
    open_conversation(page, "Maya")
    page.get_by_test_id("composer").fill("Gracias")
    expect(page.get_by_test_id("send")).to_be_in_viewport(ratio=1)
    wide["thread"] = too_wide(page)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("message-state").last).to_be_visible()
    assert {screen: found for screen, found in wide.items() if found} == {}


def test_a_message_can_be_written_with_the_keyboard_alone(product: Product, contexts: Contexts) -> None:
    page = contexts(viewport=DESK).new_page()
    page.goto("/")
    teacher = page.get_by_test_id(f"demo-person-{product.person('Hughes', 'teacher')['person']}-teacher")
    teacher.wait_for()
    walk_to(page, teacher)
    page.keyboard.press("Enter")
    settled(page)
    walk_to(page, page.get_by_test_id("new-conversation"))
    page.keyboard.press("Enter")
    walk_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("Sami")
    contact = page.locator('[data-testid^="contact-"]', has_text="Sami").first
    expect(page.locator('[data-testid^="contact-"]')).to_have_count(1)
    walk_to(page, contact)
    page.keyboard.press("Enter")
    page.get_by_test_id("composer").wait_for()
    walk_to(page, page.get_by_test_id("composer"))
    page.keyboard.type("Written without a mouse.")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[data-testid^="message-"]', has_text="Written without a mouse.").last).to_be_visible()
    expect(page.get_by_test_id("composer")).to_be_focused()
    page.keyboard.type("And one more.")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-testid^="message-"]', has_text="And one more.").last).to_be_visible()


def walk_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted element has the focus, at most as often as a patient person would."""
    for _ in range(25):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{wanted} is out of the keyboard's reach")
