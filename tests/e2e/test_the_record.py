"""What leaders do is on the record: read in the app by those who may, kept as a table, and proved on the command line."""

import asyncio
import csv
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import DESK, sign_in
from tests.e2e.letters import thread_about
from tests.e2e.test_every_screen import findings, settled, too_wide
from tests.support.browsing import PHONE
from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("PRV-4")]

Contexts = Callable[..., BrowserContext]
REASON = "=threats at the gate"


@pytest.fixture(scope="module")
def suspended(product: Product) -> str:
    """A guardian who was suspended and let back by the head teacher; gives their name."""
    guardian = product.person("Ewa", "guardian")
    with product.client("Rowe", "leader") as leader:
        place = f"/identity/v1/people/{guardian['person']}/suspension"
        assert leader.post(place, json={"reason": REASON}).status_code == 204
        assert leader.delete(place).status_code == 204
    return guardian["name"]


def read_record(page: Page) -> None:
    page.goto("/more")
    settled(page)
    page.get_by_test_id("to-record").click()
    page.get_by_test_id("record-entries").wait_for()
    page.get_by_test_id("record-state").wait_for()


@pytest.mark.req("WEB-1", "WEB-2")
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_leader_reads_who_did_what_to_whom_and_why(
    product: Product, contexts: Contexts, suspended: str, viewport: dict[str, int], scheme: str
) -> None:
    page = sign_in(contexts(viewport=viewport, color_scheme=scheme, reduced_motion="reduce"), product, "Rowe", "leader")
    read_record(page)
    entry = page.get_by_test_id("record-guardian-suspended").first
    for text in ("Access was paused", "Mrs Rowe", "School leader", suspended, REASON):
        expect(entry).to_contain_text(text)
    assert (findings(page), too_wide(page)) == ([], [])
    if viewport is PHONE:
        page.get_by_test_id("record-which").click()
    page.get_by_test_id("record-act").select_option("guardian-reinstated")
    expect(page.get_by_test_id("record-guardian-suspended")).to_have_count(0)
    expect(page.get_by_test_id("record-guardian-reinstated").first).to_be_visible()
    page.get_by_test_id("record-act").select_option("")
    page.get_by_test_id("record-guardian-suspended").first.get_by_role("button", name=suspended).click()
    expect(page.get_by_test_id("record-everybody")).to_be_visible()
    expect(page.get_by_test_id("record-entries")).not_to_contain_text("Ayesha Khan")
    expect(page.get_by_test_id("record-guardian-suspended").first).to_be_attached()
    page.get_by_test_id("record-from").fill("2199-01-01")
    expect(page.get_by_text("Nothing of this kind")).to_be_visible()
    assert (findings(page), too_wide(page)) == ([], [])


def test_safeguarding_keeps_it_as_a_table_and_that_is_recorded(
    product: Product, contexts: Contexts, suspended: str
) -> None:
    page = sign_in(contexts(viewport=DESK), product, "Dunn", "safeguarding")
    read_record(page)
    page.get_by_test_id("record-act").select_option("guardian-suspended")
    expect(page.get_by_test_id("record-guardian-reinstated")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_test_id("record-save").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
    assert {row["act"] for row in rows} == {"guardian-suspended"}
    assert (rows[0]["by"], rows[0]["whom"], rows[0]["reason"]) == ("Mrs Rowe", suspended, f"'{REASON}")
    page.get_by_test_id("record-act").select_option("record-exported")
    expect(page.get_by_test_id("record-record-exported").first).to_contain_text("Mr Dunn")


@pytest.mark.req("MSG-15")
def test_who_read_about_a_childs_safety_stands_among_the_acts_of_all_services(
    product: Product, contexts: Contexts, suspended: str
) -> None:
    with product.client("Daniel", "guardian") as http:
        written = http.post(
            f"/messaging/v1/threads/{thread_about(http, 'Maya')}/messages",
            json={"text": "She is afraid.", "about_safety": True},
            headers={"idempotency-key": str(uuid4())},
        )
        assert written.status_code == 201, written.text
    with product.client("Dunn", "safeguarding") as lead:
        assert lead.get("/messaging/v1/safety").json()["items"]
    page = sign_in(contexts(viewport=DESK), product, "Rowe", "leader")
    read_record(page)
    expect(page.get_by_test_id("record-guardian-suspended").first).to_be_attached()
    entry = page.get_by_test_id("record-safety-read").first
    for text in ("Read what was said about a child’s safety", "Mr Dunn", "Maya Reed García"):
        expect(entry).to_contain_text(text)
    page.get_by_test_id("record-act").select_option("safety-read")
    expect(page.get_by_test_id("record-guardian-suspended")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_test_id("record-save").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
    assert {(row["service"], row["act"]) for row in rows} == {("messaging", "safety-read")}
    assert (rows[0]["by"], rows[0]["whom"]) == ("Mr Dunn", "Maya Reed García")


def test_others_are_not_even_offered_it(product: Product, contexts: Contexts) -> None:
    page = sign_in(contexts(), product, "Hughes", "teacher")
    page.goto("/more")
    settled(page)
    expect(page.get_by_test_id("to-record")).to_have_count(0)
    page.goto("/record")
    expect(page.get_by_role("alert")).to_contain_text("Your role may not do this")


def bookbag(product: Product, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bookbag", "audit", *words, "--data", str(product.folder)],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip


def swap_byte(product: Product, code: str, act: str = "guardian-suspended") -> None:
    """In a thread of its own: the browser's loop runs in this one."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, _swap_byte(product, code, act)).result()


async def _swap_byte(product: Product, code: str, act: str) -> None:
    """Change one letter of a reason, as somebody may who owns the tables; doing it again undoes it."""
    connection = await asyncpg.connect(product.environment()["BOOKBAG_IDENTITY_OWNER_URL"])
    try:
        school = await connection.fetchval("select school_id from school_code where code = $1", code)
        async with connection.transaction():
            await connection.execute("select set_config('bookbag.school', $1, true)", str(school))
            done = await connection.execute(
                "update audit_entry set reason = translate(reason, 'tT', 'Tt') where act = $1"
                " and seq = (select max(seq) from audit_entry where act = $1)",
                act,
            )
        assert done == "UPDATE 1"
    finally:
        await connection.close()


@pytest.mark.req("OPS-6")
def test_the_record_is_proved_on_the_command_line_and_one_changed_byte_is_named(
    product: Product, suspended: str
) -> None:
    with product.http() as client:
        code = client.get("/identity/v1/demo/people").json()["school"]["code"]
    whole = bookbag(product, "verify", "--school", code)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    swap_byte(product, code)
    try:
        changed = bookbag(product, "verify", "--school", code)
    finally:
        swap_byte(product, code)
    assert changed.returncode == 1
    assert f"WRONG  identity {code}: entry " in changed.stdout
    assert "was changed: its hash does not fit what it says" in changed.stdout
    again = bookbag(product, "verify", "--school", code)
    assert again.returncode == 0, again.stdout + again.stderr
    assert bookbag(product, "verify").returncode == 0
