"""Signing in: who gets in, what a stranger can learn (nothing), and how often anybody may try."""

import asyncio
import time

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.problems import Problem
from bookbag.chassis.runtime import Runtime
from services.identity.accounts.passwords import Passwords
from services.identity.tests.conftest import MANY, PASSWORD, Browser, Small, small_school
from tests.support.house import House

pytestmark = pytest.mark.req("ID-1")


async def test_the_right_password_begins_a_session_and_shows_whom_one_may_be(browser: Browser, school: Small):
    answer = await browser.sign_in(school.email)
    assert answer.status_code == 201
    [membership] = answer.json()["memberships"]
    assert membership == {
        "person": str(school.guardian),
        "role": "guardian",
        "name": "Carmen Reed",
        "first_name": "Carmen",
        "language": "es",
        "school": {
            "id": str(school.id),
            "code": school.code,
            "name": "Test Primary",
            "zone": "Europe/London",
            "language": "en",
        },
    }


async def test_an_email_is_the_same_in_capitals_and_with_spaces_around_it(browser: Browser, school: Small):
    assert (await browser.sign_in(f" {school.email.upper()} ")).status_code == 201


async def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, school: Small):
    cookie = (await browser.sign_in(school.email)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/identity/v1" in cookie
    assert "Secure" not in cookie  # this house is reached by plain http on loopback


async def test_the_refresh_cookie_stays_on_https_where_there_is_https(house: House, clock: MovableClock, school: Small):
    async with (
        house.runtime("identity", clock=clock, BOOKBAG_PUBLIC_URL="https://school.example", **MANY) as runtime,
        house.client(runtime) as client,
    ):
        assert "Secure" in (await Browser(client).sign_in(school.email)).headers["set-cookie"]


async def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(browser: Browser, school: Small):
    wrong = await browser.sign_in(school.email, "not the password")
    unknown = await browser.sign_in("nobody@families.example")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == "wrong-credentials"
    assert wrong.json() == unknown.json()
    assert set(wrong.headers) == set(unknown.headers)


async def test_an_unknown_email_costs_as_much_time_as_a_wrong_password(house: House):
    dear = {"BOOKBAG_IDENTITY_PASSWORD_MEMORY_KIB": "32768", "BOOKBAG_IDENTITY_PASSWORD_PASSES": "4", **MANY}
    async with house.runtime("identity", **dear) as runtime, house.client(runtime) as client:
        school = await small_school(runtime)

        async def fastest(email: str) -> float:
            taken: list[float] = []
            for _ in range(5):
                begun = time.perf_counter()
                assert (await Browser(client).sign_in(email, "wrong")).status_code == 401
                taken.append(time.perf_counter() - begun)
            return min(taken)

        assert 0.5 < await fastest("nobody.at.all@families.example") / await fastest(school.email) < 2


async def test_ten_tries_are_allowed_and_then_even_the_right_password_waits(browser: Browser, school: Small):
    for _ in range(10):
        assert (await browser.sign_in(school.email, "wrong")).status_code == 401
    refused = await browser.sign_in(school.email)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


async def test_an_unknown_email_is_limited_like_a_known_one(browser: Browser, school: Small):
    nobody = f"nobody.{school.id.hex}@families.example"
    answers = [(await browser.sign_in(nobody)).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


async def test_a_success_forgets_the_failures_before_it(browser: Browser, school: Small):
    for _ in range(9):
        await browser.sign_in(school.email, "wrong")
    assert (await browser.sign_in(school.email)).status_code == 201
    for _ in range(9):
        assert (await browser.sign_in(school.email, "wrong")).status_code == 401


async def test_one_address_cannot_try_all_emails(fresh_house: House):
    # all tests come from one address: an installation of its own, where nobody tried before
    few = {"BOOKBAG_IDENTITY_SIGN_IN_TRIES_PER_ADDRESS": "3", "BOOKBAG_REDIS_URL": "redis://127.0.0.1:1/0"}
    async with fresh_house.runtime("identity", **few) as runtime, fresh_house.client(runtime) as client:
        answers = [(await Browser(client).sign_in(f"a{n}@families.example")).status_code for n in range(4)]
    assert answers == [401, 401, 401, 429]


@pytest.mark.req("OPS-4")
async def test_the_limit_holds_while_redis_is_away(house: House, clock: MovableClock, school: Small):
    async with (
        house.runtime("identity", clock=clock, BOOKBAG_REDIS_URL="redis://127.0.0.1:1/0", **MANY) as runtime,
        house.client(runtime) as client,
    ):
        browser = Browser(client)
        assert (await browser.sign_in(school.email)).status_code == 201
        answers = [(await browser.sign_in(school.email, "wrong")).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


async def test_a_rush_of_sign_ins_is_told_to_come_back():
    passwords = Passwords(memory_kib=8192, passes=2, workers=1, queue=1)
    answers = await asyncio.gather(*(passwords.check(PASSWORD, None) for _ in range(4)), return_exceptions=True)
    assert [answer for answer in answers if answer is False] == [False, False]
    refused = [answer for answer in answers if isinstance(answer, Problem)]
    assert [(problem.kind.code, problem.retry_after) for problem in refused] == [("unavailable", 2)] * 2
    assert not await passwords.check(PASSWORD, None)  # and there is room again
    passwords.close()


async def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(house: House, browser: Browser, school: Small):
    dearer = {"BOOKBAG_IDENTITY_PASSWORD_PASSES": "3", **MANY}
    async with house.runtime("identity", **dearer) as runtime, house.client(runtime) as client:
        assert (await Browser(client).sign_in(school.email)).status_code == 201
        kept = await runtime.database.fetchval("select password_hash from account where email_key = $1", school.email)
    assert ",t=3," in kept
    assert (await browser.sign_in(school.email)).status_code == 201


async def test_one_account_leads_into_two_schools(browser: Browser, identity: Runtime, school: Small):
    other = await small_school(identity, email=school.email)
    answer = await browser.sign_in(school.email)
    assert {one["school"]["code"] for one in answer.json()["memberships"]} == {school.code, other.code}
    assert (await browser.take_token(other.guardian)).json()["member"]["school"]["code"] == other.code


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a@b.example"},
        {"email": "a@b.example", "password": ""},
        {"email": "a" * 255, "password": "x"},
        {"email": "a\x00@b.example", "password": "x"},
        {"email": "a@b.example", "password": "x", "remember": True},
        {"email": 7, "password": "x"},
        [],
    ],
)
async def test_credentials_that_are_none_are_refused_by_name(client: httpx2.AsyncClient, body: object):
    answer = await client.post("/v1/sessions", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-input"


async def test_a_page_of_another_site_cannot_sign_anybody_in(client: httpx2.AsyncClient, school: Small):
    credentials = {"email": school.email, "password": PASSWORD}
    foreign = await client.post("/v1/sessions", json=credentials, headers={"origin": "https://elsewhere.example"})
    assert foreign.status_code == 403
    own = await client.post("/v1/sessions", json=credentials, headers={"origin": "http://127.0.0.1:8000"})
    assert own.status_code == 201


async def test_a_form_post_is_not_a_sign_in(client: httpx2.AsyncClient, school: Small):
    answer = await client.post("/v1/sessions", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code in {415, 422}
