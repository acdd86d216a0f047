"""A teacher's message reaches a family in their language, and every promise on the way is kept."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import DESK, needs_apertium, open_conversation, sign_in
from tests.support.product import Product

pytestmark = pytest.mark.e2e
Contexts = Callable[..., BrowserContext]


def write(page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()


@needs_apertium
@pytest.mark.req("MSG-1", "MSG-7", "TR-2", "TR-4", "WEB-3")
def test_a_message_arrives_in_spanish_without_reload_and_the_answer_in_english(
    product: Product, contexts: Contexts
) -> None:
    teacher = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    guardian = sign_in(contexts(), product, "Carmen", "guardian")
    open_conversation(teacher, "Maya")
    write(teacher, "Maya read a whole book at 15:10 today. We are very happy.")
    row = guardian.locator('[data-testid^="thread-row-"]', has_text="Maya").first
    row.click()
    bubble = guardian.locator('[data-testid^="message-"]', has_text=re.compile("libro.*15:10", re.DOTALL)).last
    expect(bubble).to_be_visible(timeout=20_000)
    expect(bubble).to_contain_text("Maya")
    guardian.get_by_test_id("translation-toggle").last.click()
    expect(guardian.get_by_text("Maya read a whole book at 15:10 today.")).to_be_visible()
    expect(teacher.get_by_test_id("message-state").last).to_contain_text(re.compile(r"Seen \d\d:\d\d"))
    write(guardian, "Muchas gracias. Ella está contenta.")
    answer = teacher.locator('[data-testid^="message-"]', has_text=re.compile("[Tt]hank")).last
    expect(answer).to_be_visible(timeout=20_000)
    expect(guardian.get_by_test_id("message-state").last).to_contain_text(re.compile(r"\d\d:\d\d"))


@pytest.mark.req("TR-5")
def test_a_family_whose_language_has_no_engine_sees_the_original_and_is_told_so(
    product: Product, contexts: Contexts
) -> None:
    teacher = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    open_conversation(teacher, "Gwen")
    write(teacher, "Gwen painted the sea today.")
    guardian = sign_in(contexts(), product, "Cerys", "guardian")
    guardian.locator('[data-testid^="thread-row-"]').first.click()
    expect(guardian.get_by_text("Gwen painted the sea today.")).to_be_visible()
    expect(guardian.get_by_text("Dim cyfieithiad eto").last).to_be_visible(timeout=20_000)
    assert guardian.locator("html").get_attribute("lang") == "cy"


@pytest.mark.req("NTF-1", "TR-6")
def test_who_is_not_online_gets_an_e_mail_in_their_language_that_opens_the_thread(
    product: Product, contexts: Contexts
) -> None:
    teacher = sign_in(contexts(viewport=DESK), product, "Hughes", "teacher")
    open_conversation(teacher, "Zofia")
    write(teacher, "Zofia helped a friend today.")
    outbox = contexts(viewport=DESK).new_page()
    ewa = product.person("Ewa", "guardian")
    outbox.goto("/dev/outbox")
    link = outbox.locator("a", has_text=re.compile("ewa", re.IGNORECASE)).first
    expect(link).to_be_visible(timeout=30_000)
    mails = [mail for mail in product.mails() if "\nDelivered-To: ewa." in mail]
    assert len(mails) == 1
    assert "Zofia helped" not in mails[0], "no words of a message leave by mail"
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mails[0]
    assert "Content-Language: pl" in mails[0]
    thread = re.search(rf"{product.address}(/threads/[0-9a-f-]+)", mails[0].replace("=\n", ""))
    assert thread is not None
    guardian = contexts().new_page()
    guardian.goto(thread[1])
    guardian.get_by_test_id(f"demo-person-{ewa['person']}-guardian").click()
    expect(guardian.get_by_text("Zofia helped a friend today.")).to_be_visible()


@pytest.mark.req("MSG-18", "WEB-1")
def test_what_is_written_offline_survives_a_reload_and_is_sent_once(product: Product, contexts: Contexts) -> None:
    context = contexts(viewport=DESK)
    teacher = sign_in(context, product, "Hughes", "teacher")
    teacher.evaluate("navigator.serviceWorker.ready.then(() => true)")
    open_conversation(teacher, "Gwen")
    write(teacher, "Before the tunnel.")
    expect(teacher.get_by_test_id("message-state").last).to_contain_text(re.compile("Sent|Seen"))
    assert teacher.evaluate("navigator.serviceWorker.controller !== null"), "the page would not open without network"
    context.set_offline(True)
    write(teacher, "Inside the tunnel.")
    expect(teacher.get_by_test_id("message-state").last).to_contain_text("Waiting for network")
    teacher.reload()
    expect(teacher.get_by_text("Inside the tunnel.")).to_be_visible()
    context.set_offline(False)
    expect(teacher.get_by_test_id("message-state").last).to_contain_text(re.compile("Sent|Seen"), timeout=30_000)
    with product.client("Hughes", "teacher") as client:
        threads = client.get("/messaging/v1/threads").json()["items"]
        thread = next(one for one in threads if "Gwen" in one["pupil"]["name"])
        texts = [one["text"] for one in client.get(f"/messaging/v1/threads/{thread['id']}/messages").json()["items"]]
    assert texts.count("Inside the tunnel.") == 1
