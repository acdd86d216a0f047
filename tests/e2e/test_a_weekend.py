"""A weekend at a school whose staff come in only while it is open (preset A): the teacher is out at four with the draft kept, what a
family writes in the evening waits, and on Monday at eight it arrives and the phone rings. Then who waits too long shows, and what is
never let out is told to its author. Each test is later than those before it."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime
from uuid import UUID

import asyncpg
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.e2e.conftest import DESK, chromium, open_conversation, sign_in
from tests.e2e.letters import said, thread_about
from tests.e2e.test_every_screen import findings
from tests.support.house import eventually
from tests.support.policy import document, friday_ahead
from tests.support.product import Product, running

pytestmark = [pytest.mark.e2e, pytest.mark.req("POL-4", "POL-5", "MSG-5", "NTF-2")]
Contexts = Callable[..., BrowserContext]

FRIDAY = friday_ahead("a")
MONDAY = FRIDAY + timedelta(days=3)
IN_TIME = 60_000
"""Milliseconds within which a session that fell out ends."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Product]:
    """A product of its own, because its clock is moved. The school's network is this machine."""
    here = [{"name": "School building", "range": "127.0.0.0/8"}]
    with running(
        tmp_path_factory.mktemp("weekend") / "data",
        kind=request.config.getoption("--product"),
        policy=document("a", staff__access__networks=here),
    ) as one:
        yield one


@pytest.fixture(scope="module")
def browser(playwright: Playwright, product: Product) -> Iterator[Browser]:
    yield from chromium(playwright, product)


def rings_of(product: Product, name: str) -> list[datetime]:
    """When mails left for somebody, by the product's own clock."""
    mails = [message_from_string(mail) for mail in product.mails()]
    return [parsedate_to_datetime(mail["Date"]) for mail in mails if name in mail["To"].lower()]


def test_a_teacher_is_out_at_four_and_on_monday_at_eight_the_message_arrives_and_the_phone_rings(
    product: Product, contexts: Contexts
) -> None:
    product.moves_its_clock(FRIDAY.replace(hour=15, minute=57))
    desk = contexts(viewport=DESK)
    teacher = sign_in(desk, product, "Hughes", "teacher")
    open_conversation(teacher, "Maya")
    conversation = teacher.url
    teacher.get_by_test_id("composer").fill("On Monday we go to the")
    product.moves_its_clock(FRIDAY.replace(hour=16, minute=1))
    teacher.get_by_test_id("closed").wait_for(timeout=IN_TIME)
    expect(teacher.get_by_test_id("composer")).to_have_count(0)
    teacher.close()

    evening = FRIDAY.replace(hour=18)
    product.moves_its_clock(evening)
    guardian = sign_in(contexts(now=evening), product, "Carmen", "guardian")
    open_conversation(guardian, "Maya")
    note = guardian.get_by_test_id("rules-note")
    expect(note).to_have_attribute("data-state", "held", timeout=20_000)
    expect(note).to_contain_text("lunes 08:00")
    expect(note).to_contain_text("lunes 15:00")
    urgent = guardian.get_by_test_id("urgent-note")
    expect(urgent).to_contain_text("For anything urgent please phone the office.")
    expect(urgent.get_by_role("link")).to_have_attribute("href", "tel:01632960118")
    assert findings(guardian) == []
    guardian.get_by_test_id("composer").fill("Maya preguntó por la piscina.")
    guardian.get_by_test_id("send").click()
    expect(guardian.get_by_test_id("message-state").last).to_contain_text("lunes 08:00", timeout=20_000)

    product.moves_its_clock(MONDAY.replace(hour=7, minute=55))
    with product.client("Carmen", "guardian") as http:
        assert [one["state"] for one in http.get("/messaging/v1/held").json()["items"]] == ["held"]
    assert rings_of(product, "hughes") == []

    opens = MONDAY.replace(hour=8)
    product.moves_its_clock(opens + timedelta(seconds=5))
    outbox = contexts(viewport=DESK).new_page()
    outbox.goto("/dev/outbox")
    expect(outbox.locator("a", has_text=re.compile("hughes", re.IGNORECASE)).first).to_be_visible(timeout=60_000)
    (rang,) = rings_of(product, "hughes")
    assert opens <= rang < opens + timedelta(minutes=5)
    teacher = desk.new_page()
    teacher.goto(conversation)
    expect(teacher.get_by_test_id("composer")).to_have_value("On Monday we go to the", timeout=30_000)
    # As written, or translated already.
    bubble = teacher.locator('[data-testid^="message-"]', has_text=re.compile("piscina|swimming pool"))
    expect(bubble.first).to_be_visible(timeout=20_000)
    expect(teacher.get_by_test_id("owed-note")).to_contain_text("15:00")


@pytest.mark.req("MSG-16")
def test_a_family_that_waits_longer_than_promised_shows_to_leaders_until_nobody_waits(
    product: Product, contexts: Contexts
) -> None:
    product.moves_its_clock(MONDAY.replace(hour=14))
    with product.client("Carmen", "guardian") as http:
        thread = thread_about(http, "Maya")
        said(http, thread, "¿Puede llamarme?")
    product.moves_its_clock(MONDAY.replace(hour=15, minute=20))
    leader = sign_in(contexts(viewport=DESK), product, "Rowe", "leader")
    leader.goto("/more")
    leader.get_by_test_id("to-overdue").click()
    overdue = leader.get_by_test_id("overdue")
    expect(overdue).to_contain_text("Maya Reed García")
    expect(overdue).to_contain_text("Ms Hughes")
    expect(overdue).not_to_contain_text("llamarme")
    assert findings(leader) == []
    teacher = sign_in(contexts(), product, "Hughes", "teacher", f"/threads/{thread}")
    expect(teacher.get_by_test_id("owed-note")).to_contain_text("15:00")
    assert findings(teacher) == []
    teacher.get_by_test_id("settle").click()
    expect(teacher.get_by_test_id("owed-note")).to_have_count(0)
    leader.reload()
    expect(leader.get_by_text("Nobody waits longer than promised")).to_be_visible()


@pytest.mark.req("MSG-5", "ID-11")
def test_the_author_of_a_message_that_was_never_let_out_is_told(product: Product, contexts: Contexts) -> None:
    person = product.person("Ewa", "guardian")["person"]
    suspension = f"/identity/v1/people/{person}/suspension"
    product.moves_its_clock(MONDAY.replace(hour=17))
    with product.client("Ewa", "guardian") as http:
        said(http, thread_about(http, "Zofia"), "Zofia jutro nie przyjdzie.")
    with product.client("Rowe", "leader") as http:
        assert http.post(suspension, json={"reason": "Shouted at the office."}).status_code == 204
    product.moves_its_clock(MONDAY + timedelta(days=1, hours=8, seconds=5))
    wait_until_stopped(product, person)
    with product.client("Rowe", "leader") as http:
        assert http.delete(suspension).status_code == 204
    page = sign_in(contexts(), product, "Ewa", "guardian")
    told = page.get_by_test_id("stopped")
    expect(told).to_contain_text("Zofia jutro nie przyjdzie.")
    expect(told).to_contain_text("Nikt jej nie przeczytał")
    assert findings(page) == []
    page.get_by_test_id("put-away").click()
    expect(told).to_have_count(0)


def wait_until_stopped(product: Product, person: str) -> None:
    """Until the product has decided, which nobody in the app can see. In a thread of its own: the browser's loop runs in this one."""

    async def wait() -> None:
        connection = await asyncpg.connect(product.environment()["BOOKBAG_MESSAGING_OWNER_URL"])

        async def stopped() -> bool:
            sql = "select state from held_message where author_id = $1"
            return await connection.fetchval(sql, UUID(person)) == "stopped"

        try:
            await eventually(stopped, seconds=60)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, wait()).result()
