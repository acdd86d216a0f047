"""What is said about a child's safety stands where those whom the school alerts look, with the message one press away."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import DESK, sign_in
from tests.e2e.letters import thread_about
from tests.e2e.test_every_screen import findings, too_wide
from tests.support.browsing import PHONE
from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("MSG-15")]
Contexts = Callable[..., BrowserContext]


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_safeguarding_finds_what_was_raised_and_reads_it(
    product: Product, contexts: Contexts, viewport: dict[str, int]
) -> None:
    words = f"She is afraid to go home. ({uuid4().hex[:6]})"
    with product.client("Daniel", "guardian") as http:
        raised = http.post(
            f"/messaging/v1/threads/{thread_about(http, 'Maya')}/messages",
            json={"text": words, "about_safety": True},
            headers={"idempotency-key": str(uuid4())},
        )
        assert raised.status_code == 201, raised.text
    page = sign_in(contexts(viewport=viewport), product, "Dunn", "safeguarding")
    page.get_by_test_id("to-safety").click()
    expect(page.get_by_test_id("raised").locator("li").first).to_contain_text(words)
    expect(page.get_by_test_id("raised").locator("li").first).to_contain_text("Maya Reed García")
    assert (findings(page), too_wide(page)) == ([], [])
    page.get_by_test_id(f"raised-{raised.json()['id']}").click()
    expect(page.get_by_text(words).last).to_be_visible()
