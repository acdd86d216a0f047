"""Staying signed in and being signed out: rotation, theft, sessions of one's own, and who is refused from when on."""

from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role
from services.identity.accounts.jobs import purge_ended_sessions
from services.identity.accounts.model import fingerprint_of
from services.identity.feed import store as feed
from services.identity.roster import actions as roster
from services.identity.roster.model import Author
from services.identity.tests.conftest import PASSWORD, Browser, Small, small_school

pytestmark = pytest.mark.req("ID-1")


async def facts_about_ended_sessions(identity: Runtime, school: UUID) -> int:
    async with identity.database.tenant(school) as tx:
        return len(await feed.ended_sessions(tx))


async def test_a_token_opens_the_members_own_page(browser: Browser, school: Small):
    await browser.sign_in(school.email)
    answer = await browser.take_token(school.guardian)
    assert answer.json()["expires_in"] == 600
    me = await browser.ask("GET", "/v1/me")
    assert (me.status_code, me.json()["name"], me.json()["role"]) == (200, "Carmen Reed", "guardian")


async def test_every_use_of_the_cookie_replaces_it(browser: Browser, school: Small):
    await browser.sign_in(school.email)
    seen = {browser.refresh}
    for _ in range(3):
        assert (await browser.take_token(school.guardian)).status_code == 200
        seen.add(browser.refresh)
    assert len(seen) == 4


async def test_a_second_use_within_thirty_seconds_gets_the_same_successor(
    browser: Browser, school: Small, clock: MovableClock
):
    await browser.sign_in(school.email)
    first = browser.refresh
    await browser.take_token(school.guardian)
    successor = browser.refresh
    clock.move(timedelta(seconds=29))
    assert (await browser.take_token(school.guardian, refresh=first)).status_code == 200
    assert browser.refresh == successor


async def test_a_slow_tab_does_not_bring_a_used_token_back(browser: Browser, school: Small, clock: MovableClock):
    await browser.sign_in(school.email)
    first = browser.refresh
    await browser.take_token(school.guardian)
    await browser.take_token(school.guardian)
    newest = browser.refresh
    await browser.take_token(school.guardian, refresh=first)
    assert browser.refresh == newest
    clock.move(timedelta(minutes=10))
    assert (await browser.take_token(school.guardian)).status_code == 200


async def test_a_later_use_ends_the_whole_family_of_tokens(
    browser: Browser, school: Small, clock: MovableClock, identity: Runtime
):
    await browser.sign_in(school.email)
    stolen = browser.refresh
    await browser.take_token(school.guardian)
    clock.move(timedelta(seconds=31))
    thief = await browser.take_token(school.guardian, refresh=stolen)
    assert (thief.status_code, thief.json()["code"]) == (401, "signed-out")
    assert (await browser.take_token(school.guardian)).status_code == 401
    assert (await browser.ask("GET", "/v1/me")).status_code == 401
    assert await facts_about_ended_sessions(identity, school.id) == 1


async def test_looking_at_the_memberships_with_an_old_cookie_shows_and_ends_nothing(
    browser: Browser, school: Small, clock: MovableClock
):
    await browser.sign_in(school.email)
    old = browser.refresh
    assert (await browser.ask_by_cookie("GET", "/v1/memberships")).status_code == 200
    await browser.take_token(school.guardian)
    clock.move(timedelta(seconds=31))
    newest, browser.refresh = browser.refresh, old
    assert (await browser.ask_by_cookie("GET", "/v1/memberships")).status_code == 401
    assert (await browser.take_token(school.guardian, refresh=newest)).status_code == 200


async def test_a_session_ends_when_it_is_left_alone_for_two_weeks(browser: Browser, school: Small, clock: MovableClock):
    await browser.sign_in(school.email)
    clock.move(timedelta(days=13))
    assert (await browser.take_token(school.guardian)).status_code == 200
    clock.move(timedelta(days=14, seconds=1))
    assert (await browser.take_token(school.guardian)).status_code == 401


async def test_a_session_ends_after_thirty_days_however_much_it_is_used(
    browser: Browser, school: Small, clock: MovableClock
):
    await browser.sign_in(school.email)
    answers = []
    for _ in range(3):
        clock.move(timedelta(days=10, seconds=1))
        answers.append((await browser.take_token(school.guardian)).status_code)
    assert answers == [200, 200, 401]


@pytest.mark.parametrize("refresh", ["", "nonsense", "0" * 64])
async def test_a_cookie_that_is_none_of_ours_is_signed_out(browser: Browser, school: Small, refresh: str):
    browser.refresh = refresh
    answer = await browser.take_token(school.guardian)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed-out")


async def test_a_token_for_somebody_else_or_another_role_is_not_found(
    browser: Browser, school: Small, identity: Runtime
):
    other = await small_school(identity)
    await browser.sign_in(school.email)
    for person, role in (
        (other.guardian, "guardian"),
        (school.teacher, "teacher"),
        (school.guardian, "teacher"),
        (new_id(), "guardian"),
    ):
        assert (await browser.take_token(person, role)).status_code == 404
    assert (await browser.take_token(school.guardian)).status_code == 200


@pytest.mark.parametrize("by", ["cookie", "token"])
async def test_signing_out_ends_the_session_everywhere(browser: Browser, school: Small, identity: Runtime, by: str):
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    ask = browser.ask_by_cookie if by == "cookie" else browser.ask
    answer = await ask("DELETE", "/v1/sessions/current")
    assert answer.status_code == 204
    assert 'bookbag_refresh=""' in answer.headers["set-cookie"]
    assert (await browser.ask("GET", "/v1/me")).status_code == 401
    assert (await browser.take_token(school.guardian)).status_code == 401
    assert await facts_about_ended_sessions(identity, school.id) == 1


async def test_signing_out_always_succeeds(client: httpx2.AsyncClient):
    assert (await client.delete("/v1/sessions/current", headers={"authorization": "Bearer x"})).status_code == 204


async def test_signing_out_is_told_to_every_school_of_the_account(browser: Browser, school: Small, identity: Runtime):
    other = await small_school(identity, email=school.email)
    await browser.sign_in(school.email)
    await browser.ask_by_cookie("DELETE", "/v1/sessions/current")
    assert await facts_about_ended_sessions(identity, school.id) == 1
    assert await facts_about_ended_sessions(identity, other.id) == 1


async def test_ones_sessions_are_listed_and_another_device_can_be_signed_out(
    browser: Browser, school: Small, client: httpx2.AsyncClient
):
    phone = Browser(client)
    await phone.sign_in(school.email)
    await phone.take_token(school.guardian)
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    items = (await browser.ask("GET", "/v1/sessions")).json()["items"]
    assert sorted(item["current"] for item in items) == [False, True]
    [other] = [item["id"] for item in items if not item["current"]]
    assert (await browser.ask("DELETE", f"/v1/sessions/{other}")).status_code == 204
    assert (await phone.ask("GET", "/v1/me")).status_code == 401
    assert (await browser.ask("GET", "/v1/me")).status_code == 200
    assert len((await browser.ask("GET", "/v1/sessions")).json()["items"]) == 1


async def test_a_session_of_somebody_else_cannot_be_ended(
    browser: Browser, school: Small, identity: Runtime, client: httpx2.AsyncClient
):
    other, stranger = await small_school(identity), Browser(client)
    session = (await stranger.sign_in(other.email)).json()["session"]
    await stranger.take_token(other.guardian)
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    foreign = await browser.ask("DELETE", f"/v1/sessions/{session}")
    absent = await browser.ask("DELETE", f"/v1/sessions/{new_id()}")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()
    assert (await stranger.ask("GET", "/v1/me")).status_code == 200


async def test_a_new_password_ends_other_sessions_and_makes_every_token_old(
    browser: Browser, school: Small, client: httpx2.AsyncClient
):
    phone = Browser(client)
    await phone.sign_in(school.email)
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    wrong = await browser.ask("POST", "/v1/password", json={"old": "wrong", "new": "another long one"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong-credentials")
    changed = await browser.ask("POST", "/v1/password", json={"old": PASSWORD, "new": "another long one"})
    assert changed.status_code == 204
    assert (await phone.take_token(school.guardian)).status_code == 401
    assert (await browser.ask("GET", "/v1/me")).status_code == 401
    assert (await browser.take_token(school.guardian)).status_code == 200
    assert (await browser.ask("GET", "/v1/me")).status_code == 200
    assert (await browser.sign_in(school.email)).status_code == 401
    assert (await browser.sign_in(school.email, "another long one")).status_code == 201


@pytest.mark.req("ID-6")
async def test_a_membership_that_ended_lets_nobody_in_and_its_tokens_stay_dead(
    browser: Browser, school: Small, identity: Runtime
):
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    author = Author(school.office, "office")
    async with identity.database.tenant(school.id) as tx:
        await roster.end_membership(tx, school.guardian, Role.GUARDIAN, author=author, reason="left")
    assert (await browser.ask("GET", "/v1/me")).status_code == 401
    assert (await browser.take_token(school.guardian)).status_code == 404
    async with identity.database.tenant(school.id) as tx:
        await roster.add_membership(tx, school.guardian, Role.GUARDIAN, author=author)
    assert (await browser.ask("GET", "/v1/me")).status_code == 401
    assert (await browser.take_token(school.guardian)).status_code == 200


@pytest.mark.req("PRV-2")
async def test_sessions_are_forgotten_thirty_days_after_their_end(
    browser: Browser, school: Small, clock: MovableClock, identity: Runtime
):
    session = UUID((await browser.sign_in(school.email)).json()["session"])
    await browser.ask_by_cookie("DELETE", "/v1/sessions/current")

    async def kept() -> int:
        sql = "select count(*) from session s join refresh_token using (session_id) where session_id = $1"
        return await identity.database.fetchval(sql, session)

    clock.move(timedelta(days=29))
    await purge_ended_sessions(identity)
    assert await kept() == 1
    clock.move(timedelta(days=2))
    await purge_ended_sessions(identity)
    assert await kept() == 0


async def test_no_refresh_token_is_kept(browser: Browser, school: Small, identity: Runtime):
    await browser.sign_in(school.email)
    used = browser.refresh
    await browser.take_token(school.guardian)
    rows = [
        *await identity.database.fetch("select * from refresh_token"),
        *await identity.database.fetch("select * from session"),
    ]
    kept = {value for row in rows for value in row.values() if isinstance(value, str | bytes)}
    for token in (used, browser.refresh):
        assert fingerprint_of(token) in kept
        assert not kept & {token, token.encode(), bytes.fromhex(token)}
