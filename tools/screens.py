"""Takes a picture of every screen, as phone and desk, light and dark, left to right and right to left, into build/screens/.

The product is started with its demo school in a folder of its own; a short conversation is written first, so that there is something to
see. `--readme` also makes the pictures of the README anew.
"""

import argparse
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import DESK, enter, open_conversation, with_password
from tests.support.browsing import PHONE
from tests.support.product import CHROMIUM, Product, running

PLACE = Path("build/screens")
PICTURES = Path("docs/pictures")

CONVERSATIONS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Maya": (
        ("Hughes", "teacher", "Maya read a whole book today. We are very happy!"),
        ("Carmen", "guardian", "Muchas gracias. Ella está muy contenta."),
        ("Hughes", "teacher", "The school trip is on Friday at 09:15. Please bring a coat and a snack."),
    ),
    "Sami": (
        ("Hughes", "teacher", "Sami helped a friend in the garden today."),
        ("Layla", "guardian", "شكرًا جزيلًا! أخبرنا بذلك في البيت."),
    ),
    "Gwen": (("Hughes", "teacher", "Gwen painted the sea today. It hangs beside the door of Oak."),),
    "Hamza": (
        ("Okafor", "teacher", "Hamza told the class about the moon. Everyone listened."),
        ("Ayesha", "guardian", "بہت شکریہ! وہ گھر پر بھی چاند کی باتیں کرتا ہے۔"),
    ),
}

READERS: Sequence[tuple[str, str, str | None, str]] = (
    ("Hughes", "teacher", "Maya", "en"),
    ("Carmen", "guardian", "Maya", "es"),
    ("Layla", "guardian", "Sami", "ar"),
    ("Ayesha", "guardian", "Hamza", "ur"),
    ("Ewa", "guardian", None, "pl"),
)
"""Name, role, the child whose conversation is opened (nobody has written about Ewa's: her pages are empty), language."""


def main() -> None:
    """Start the product, write, take the pictures, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="also write docs/pictures")
    parser.add_argument("--only", default="", metavar="WORD", help="keep only pictures with this word in their name")
    parser.add_argument("--product", default="up", choices=["up", "stack"], help="how it runs")
    asked = parser.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "data", kind=asked.product) as product,
        sync_playwright() as playwright,
    ):
        _write(product)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=product.flags)
        for name, picture in _pictures(browser, product):
            if asked.only not in name:
                continue
            picture(PLACE / f"{name}.png")
            print(PLACE / f"{name}.png")
        if asked.readme:
            _for_readme()
        browser.close()


def _write(product: Product) -> None:
    for pupil, lines in CONVERSATIONS.items():
        thread = None
        for number, (name, role, text) in enumerate(lines):
            with product.client(name, role) as client:
                if thread is None:
                    found = client.get("/messaging/v1/contacts", params={"q": pupil}).json()["items"][0]
                    who = {"pupil": found["pupil"]["id"], "seat": found["seat"]["id"]}
                    opened = client.post(
                        "/messaging/v1/threads", json=who, headers={"idempotency-key": f"open-{pupil}-key"}
                    )
                    thread = opened.json()["id"]
                client.post(
                    f"/messaging/v1/threads/{thread}/messages",
                    json={"text": text},
                    headers={"idempotency-key": f"say-{pupil}-{number}"},
                )


@contextmanager
def _page(browser: Browser, product: Product, viewport: Mapping[str, int], scheme: str) -> Generator[Page]:
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        base_url=product.address,
        locale="en-GB",
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if viewport is PHONE else 1,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def _pictures(browser: Browser, product: Product) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Name and shutter of each picture."""
    for form, viewport in (("phone", PHONE), ("desk", DESK)):
        for scheme in ("light", "dark"):
            variant = f"{form}-{scheme}"
            yield from _doors(browser, product, viewport, scheme, variant)
            with _page(browser, product, viewport, scheme) as page:
                enter(page, product, "Rowe", "leader")
                page.goto("/record")
                yield f"record-leader-en-{variant}", _shutter(page, '[data-testid="record-entries"]')
            for name, role, pupil, language in READERS:
                who = f"{role}-{language}-{variant}"
                with _page(browser, product, viewport, scheme) as page:
                    enter(page, product, name, role)
                    for path in ("threads", "new", "more"):
                        page.goto(f"/{path}")
                        yield f"{path}-{who}", _shutter(page, "main h1")
                    if pupil is None:
                        continue
                    open_conversation(page, pupil)
                    yield f"thread-{who}", _shutter(page, '[data-testid^="message-"]')
                    if name == "Hughes":
                        page.context.set_offline(True)
                        page.get_by_test_id("composer").fill("Written in the tunnel.")
                        page.get_by_test_id("send").click()
                        yield f"offline-{who}", _shutter(page, '[data-testid="live-state"][data-state="offline"]')
                        page.context.set_offline(False)


def _doors(
    browser: Browser, product: Product, viewport: Mapping[str, int], scheme: str, variant: str
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """What stands before anybody has come in."""
    with _page(browser, product, viewport, scheme) as page:
        page.goto("/")
        page.get_by_test_id("sign-in-email").wait_for()
        yield f"sign-in-{variant}", _shutter(page, ".demo-person")
        with_password(page, "carmen.garcia@families.example", "not the password")
        yield f"sign-in-refused-{variant}", _shutter(page, "[role=alert]")
        with_password(page, "carmen.garcia@families.example")
        yield f"choose-{variant}", _shutter(page, '[data-testid^="membership-"]')


def _shutter(page: Page, sight: str) -> Callable[[Path], object]:
    """Takes the picture once what it is about stands still in its letters."""
    page.locator(sight).first.wait_for()
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(400)
    return lambda path: page.screenshot(path=str(path))


def _for_readme() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for source, target in (
        ("thread-guardian-es-phone-light", "thread-es"),
        ("thread-teacher-en-desk-light", "threads-teacher"),
        ("thread-guardian-ar-phone-dark", "thread-ar-dark"),
    ):
        (PICTURES / f"{target}.png").write_bytes((PLACE / f"{source}.png").read_bytes())


if __name__ == "__main__":
    main()
