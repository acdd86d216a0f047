"""A person sees as whom they act, changes it and their language in place, and is told in words when they may not."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import DESK, needs_apertium, open_conversation, sign_in, tap_person, with_password
from tests.e2e.letters import said, thread_about
from tests.support.product import Product

pytestmark = pytest.mark.e2e
Contexts = Callable[..., BrowserContext]


@pytest.mark.req("ID-1", "WEB-1")
def test_a_guardian_in_two_schools_chooses_one_and_comes_to_the_conversation_she_was_sent_to(
    product: Product, contexts: Contexts
) -> None:
    with product.client("Hughes", "teacher") as teacher:
        thread = thread_about(teacher, "Maya")
        said(teacher, thread, "Bring a hat tomorrow.")
    page = contexts(locale="es-ES").new_page()
    page.goto(f"/threads/{thread}")
    with_password(page, "carmen.garcia@families.example", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    with_password(page, "carmen.garcia@families.example")
    choices = page.locator('[data-testid^="membership-"]')
    expect(choices).to_have_count(2)
    choices.filter(has_text="Bramley Lane Primary").click()
    expect(page.locator('[data-testid^="message-"]').last).to_be_visible()
    assert page.url.endswith(f"/threads/{thread}")
    header = page.get_by_role("banner")
    expect(header.locator(".header-school")).to_have_text("Bramley Lane Primary")
    page.get_by_test_id("role-switch").select_option(label="Familia · Hafod Road Primary")
    expect(header.locator(".header-school")).to_have_text("Hafod Road Primary")
    expect(page.get_by_text("Bring a hat tomorrow.")).to_have_count(0)


@pytest.mark.req("ID-2", "ID-10", "WEB-1")
def test_a_teacher_who_is_also_a_father_sees_each_role_alone_and_keeps_it_over_a_reload(
    product: Product, contexts: Contexts
) -> None:
    with product.client("Hughes", "teacher") as teacher:
        said(teacher, thread_about(teacher, "Ada"), "Ada built a bridge of paper.")
    page = sign_in(contexts(), product, "Okafor", "teacher")
    about_ada = page.locator('[data-testid^="thread-row-"]', has_text="Ada built a bridge of paper.")
    expect(page.get_by_role("banner")).to_contain_text("as Teacher")
    expect(about_ada).to_have_count(0)
    page.get_by_test_id("role-switch").select_option(label="as Guardian")
    expect(about_ada).to_be_visible()
    page.reload()
    expect(about_ada).to_be_visible()
    expect(page.locator(".choice-brief")).to_have_text("as Guardian")


@needs_apertium
@pytest.mark.req("TR-2", "WEB-3")
def test_another_language_is_there_at_once_and_for_what_is_written_next(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(), product, "Reed", "guardian")
    page.goto("/more")
    page.get_by_test_id("language-select").select_option("es")
    expect(page.get_by_role("heading", level=1)).to_have_text("Más")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    with product.client("Hughes", "teacher") as teacher:
        thread = thread_about(teacher, "Maya")
        said(teacher, thread, "The green book is on the table at 14:20.")
    page.goto(f"/threads/{thread}")
    expect(
        page.locator('[data-testid^="message-"]', has_text=re.compile("libro verde.*14:20", re.DOTALL)).last
    ).to_be_visible(timeout=20_000)
    page.goto("/more")
    page.get_by_test_id("language-select").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("More")
    page.goto(f"/threads/{thread}")
    expect(page.get_by_text("The green book is on the table at 14:20.")).to_be_visible()
    expect(page.get_by_text("libro verde")).to_have_count(0)


@pytest.mark.req("ID-11")
def test_a_suspended_person_is_told_so_in_words_and_comes_back_in_when_it_ends(
    product: Product, contexts: Contexts
) -> None:
    page = sign_in(contexts(), product, "Cerys", "guardian")
    suspension = f"/identity/v1/people/{product.person('Cerys', 'guardian')['person']}/suspension"
    with product.client("Rowe", "leader") as leader:
        assert leader.post(suspension, json={"reason": "A journey"}).status_code == 204
        try:
            expect(page.get_by_role("alert")).to_have_text(re.compile("Your access is paused"), timeout=8_000)
            tap_person(page, product, "Cerys", "guardian")
            expect(page.get_by_role("alert")).to_have_text(re.compile("Your access is paused"))
        finally:
            assert leader.delete(suspension).status_code == 204
    page.reload()
    expect(page.get_by_test_id("live-state")).to_have_attribute("data-state", "live")


@pytest.mark.req("ID-1")
def test_signing_out_leaves_nothing_on_the_device(product: Product, contexts: Contexts) -> None:
    context = contexts()
    page = sign_in(context, product, "Hughes", "teacher")
    open_conversation(page, "Maya")
    page.get_by_test_id("composer").fill("Something to keep for a moment.")
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("message-state").last).to_contain_text(re.compile("Sent|Seen"))
    page.goto("/more")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as told:
        page.get_by_test_id("sign-out").click()
    assert told.value.status == 204
    page.get_by_test_id("sign-in-email").wait_for()
    assert (
        page.evaluate("indexedDB.databases().then(all => all.filter(one => one.name.startsWith('bookbag')).length)")
        == 0
    )
    assert [cookie for cookie in context.cookies() if cookie["name"] == "bookbag_refresh"] == []
    page.goto("/threads")
    page.get_by_test_id("sign-in-email").wait_for()


@pytest.mark.req("ID-1")
def test_a_session_ended_elsewhere_ends_this_page_within_seconds(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(viewport=DESK), product, "Layla", "guardian")
    with product.client("Layla", "guardian") as client:
        for session in client.get("/identity/v1/sessions").json()["items"]:
            if not session["current"]:
                client.delete(f"/identity/v1/sessions/{session['id']}")
    page.get_by_test_id("sign-in-email").wait_for(timeout=8_000)
