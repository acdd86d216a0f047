"""Nobody gets past the terms without accepting exactly the words that are due; new words ask again."""

import json
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.rules import digest_of
from bookbag.school.roles import Role
from services.identity.policy import drafts, editing
from services.identity.policy import store as policy
from services.identity.roster import actions as roster
from services.identity.roster.model import OPERATOR
from services.identity.tests.conftest import Browser, Small, small_school
from services.identity.tests.test_roster import record_of
from tests.support.house import House, eventually

pytestmark = pytest.mark.req("POL-11")


@pytest.fixture
async def newcomer(identity: Runtime, browser: Browser) -> Small:
    """A guardian who has signed in for the first time and accepted nothing."""
    school = await small_school(identity, accepted=False)
    await browser.sign_in(school.email)
    assert (await browser.take_token(school.guardian)).json()["terms_accepted"] is False
    return school


async def accept(browser: Browser, **changed: object) -> httpx2.Response:
    """Accept the terms as they are read, but for what is changed."""
    due = (await browser.ask("GET", "/v1/terms")).json()["due"]
    given = {name: due[name] for name in ("version", "language", "digest")} | changed
    return await browser.ask("POST", "/v1/terms/acceptances", json=given)


async def change_terms(identity: Runtime, school: UUID, *, version: str, role: str = "guardians") -> None:
    """A leader saves other words under another version."""
    async with identity.database.tenant(school) as tx:
        data = json.loads((await policy.versions(tx))[-1].data)
        data["terms"][role] |= {"version": version, "text": {"en": f"The words of {version}."}}
        draft = drafts.read_draft(None, data)
        await editing.append_version(tx, draft, author=OPERATOR, reason="new terms", counts_from=None, newest=None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/me"), ("GET", "/v1/sessions"), ("PATCH", "/v1/me"), ("GET", "/v1/policy/explain")]
)
async def test_every_door_but_the_terms_is_closed_until_they_are_accepted(
    browser: Browser, newcomer: Small, method: str, path: str
):
    body = {"json": {"language": "en"}, "headers": {"if-match": "*"}} if method == "PATCH" else {}
    refused = await browser.ask(method, path, **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "terms-not-accepted")
    assert refused.json()["version"] == "2026-09"
    assert (await browser.ask("GET", "/v1/terms")).status_code == 200
    assert (await accept(browser)).status_code == 204
    assert (await browser.take_token(newcomer.guardian)).json()["terms_accepted"] is True
    assert (await browser.ask(method, path, **body)).status_code == 200


async def test_whoever_does_not_accept_can_still_sign_out(browser: Browser, newcomer: Small):
    assert (await browser.ask("DELETE", "/v1/sessions/current")).status_code == 204
    assert (await browser.ask("GET", "/v1/terms")).status_code == 401


async def test_an_acceptance_keeps_who_when_and_the_exact_words(
    house: House, browser: Browser, newcomer: Small, identity: Runtime, clock: MovableClock
):
    due = (await browser.ask("GET", "/v1/terms")).json()["due"]
    assert (await accept(browser)).status_code == 204
    async with identity.database.tenant(newcomer.id) as tx:
        row = await tx.fetchrow("select * from terms_acceptance where school_id = $1", newcomer.id)
    assert row is not None
    assert (row["person_id"], row["role"], row["version"]) == (newcomer.guardian, "guardian", "2026-09")
    assert row["accepted_at"] == clock.now()
    assert row["digest"] == digest_of(due["version"], due["language"], due["text"])
    assert (await record_of(house, newcomer.id))[-1] == (
        newcomer.guardian, "guardian", "terms-accepted", newcomer.guardian, "2026-09",
    )  # fmt: skip


async def test_accepting_twice_keeps_the_first(
    browser: Browser, newcomer: Small, identity: Runtime, clock: MovableClock
):
    await accept(browser)
    first = clock.now()
    clock.move(timedelta(minutes=5))
    assert (await accept(browser)).status_code == 204
    async with identity.database.tenant(newcomer.id) as tx:
        rows = await tx.fetch("select accepted_at from terms_acceptance where school_id = $1", newcomer.id)
    assert [row["accepted_at"] for row in rows] == [first]


@pytest.mark.parametrize("changed", [{"version": "2027-01"}, {"digest": "0" * 64}])
async def test_other_words_than_those_due_cannot_be_accepted(
    browser: Browser, newcomer: Small, changed: dict[str, str]
):
    refused = await accept(browser, **changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "terms-changed")
    assert (await browser.take_token(newcomer.guardian)).json()["terms_accepted"] is False


async def test_a_new_version_asks_whoever_is_in_again_within_seconds(
    browser: Browser, newcomer: Small, identity: Runtime
):
    await accept(browser)
    await browser.take_token(newcomer.guardian)
    assert (await browser.ask("GET", "/v1/me")).status_code == 200
    old = (await browser.ask("GET", "/v1/terms")).json()["due"]
    await change_terms(identity, newcomer.id, version="2027-01")

    async def refused() -> bool:
        return (await browser.ask("GET", "/v1/me")).status_code == 403

    await eventually(refused, seconds=5)
    again = {name: old[name] for name in ("version", "language", "digest")}
    assert (await browser.ask("POST", "/v1/terms/acceptances", json=again)).status_code == 409
    assert (await browser.take_token(newcomer.guardian)).json()["terms_accepted"] is False
    due = (await browser.ask("GET", "/v1/terms")).json()["due"]
    assert (due["version"], due["text"]) == ("2027-01", "The words of 2027-01.")
    assert (await accept(browser)).status_code == 204
    await browser.take_token(newcomer.guardian)
    assert (await browser.ask("GET", "/v1/me")).status_code == 200


async def test_new_terms_for_staff_do_not_ask_families(browser: Browser, newcomer: Small, identity: Runtime):
    await accept(browser)
    await change_terms(identity, newcomer.id, version="2027-01", role="staff")
    assert (await browser.take_token(newcomer.guardian)).json()["terms_accepted"] is True


async def test_accepting_as_a_parent_is_not_accepting_as_a_teacher(
    browser: Browser, newcomer: Small, identity: Runtime
):
    async with identity.database.tenant(newcomer.id) as tx:
        await roster.add_membership(tx, newcomer.guardian, Role.TEACHER)
    await accept(browser)
    assert (await browser.take_token(newcomer.guardian)).json()["terms_accepted"] is True
    assert (await browser.take_token(newcomer.guardian, "teacher")).json()["terms_accepted"] is False


async def test_words_cannot_change_under_a_version_that_was_accepted(identity: Runtime, school: Small):
    with pytest.raises(PolicyRefused, match=r"terms\.guardians\.version"):
        await change_terms(identity, school.id, version="2026-09")


class Pupil:
    """A pupil at the terms, whose agreement is made with name and date."""

    def __init__(self, house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock) -> None:
        self._headers = house.bearer(school.id, school.pupil, "pupil", terms="", clock=clock)
        self._client = client

    async def sign(self, signature: dict[str, str] | None) -> httpx2.Response:
        due = (await self._client.get("/v1/terms", headers=self._headers)).json()["due"]
        assert due["agreement"] == "name_and_date"
        given = {name: due[name] for name in ("version", "language", "digest")} | {"signature": signature}
        return await self._client.post("/v1/terms/acceptances", json=given, headers=self._headers)


async def test_a_pupil_signs_with_name_and_todays_date(
    house: House, client: httpx2.AsyncClient, identity: Runtime, school: Small, clock: MovableClock
):
    async with identity.database.tenant(school.id) as tx:
        await roster.add_membership(tx, school.pupil, Role.PUPIL)
    pupil = Pupil(house, client, school, clock)
    today = clock.now().date()
    for missing in (None, {"name": "  ", "date": str(today)}, {"name": "Maya", "date": str(today - timedelta(days=2))}):
        refused = await pupil.sign(missing)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input"), missing
    local = clock.now().astimezone(ZoneInfo("Europe/London")).date()
    assert (await pupil.sign({"name": " Maya ", "date": str(local)})).status_code == 204
    async with identity.database.tenant(school.id) as tx:
        row = await tx.fetchrow(
            "select signed_name, signed_on from terms_acceptance where school_id = $1 and role = 'pupil'", school.id
        )
    assert row is not None
    assert tuple(row) == ("Maya", local)


async def test_the_terms_are_read_in_a_language_and_else_in_the_schools_own(browser: Browser, newcomer: Small):
    in_urdu = (await browser.ask("GET", "/v1/terms", params={"language": "ur"})).json()["due"]
    assert in_urdu["language"] == "en"
    assert in_urdu["accepted"] is False
