"""The demo: people to be without a password, on one's own machine and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role
from services.identity import demo
from services.identity.tests.conftest import MANY, Browser, cookie_of
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-1")


@pytest.fixture
def demo_folder(tmp_path: Path) -> Path:
    (tmp_path / "demo").touch()
    return tmp_path


def as_demo(folder: Path) -> dict[str, str]:
    return {
        "BOOKBAG_ENVIRONMENT": "embedded",
        "BOOKBAG_DEMO": "true",
        "BOOKBAG_DATA": str(folder),
        "BOOKBAG_HTTP_PORT": "8000",
        **MANY,
    }


@pytest.fixture
async def visited(house: House, demo_folder: Path) -> AsyncIterator[Runtime]:
    async with house.runtime("identity", **as_demo(demo_folder)) as runtime:
        await demo.seed(runtime)
        yield runtime


@pytest.fixture
async def visitor(house: House, visited: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(visited) as client:
        yield client


async def test_the_demo_school_offers_its_people_by_role(visitor: httpx2.AsyncClient):
    answer = (await visitor.get("/v1/demo/people")).json()
    assert answer["school"] == {"code": "BRLA", "name": "Bramley Lane Primary"}
    offered = {(one["name"], one["role"]): (one["language"], one["note"]) for one in answer["people"]}
    assert offered["Ms Hughes", "teacher"] == ("en", "Class teacher of Oak")
    assert offered["Carmen García", "guardian"] == ("es", "Mother of Maya (Oak) and Tomás (Willow)")
    assert offered["Mr Okafor", "guardian"][1] == "Father of Ada (Oak)"
    assert {role for _, role in offered} == {str(role) for role in Role}
    assert {language for language, _ in offered.values()} == {"en", "es", "cy", "ar", "pl", "ur"}
    assert answer["people"][0]["role"] == "teacher"


async def test_one_tap_signs_a_visitor_in(visitor: httpx2.AsyncClient):
    people = (await visitor.get("/v1/demo/people")).json()["people"]
    for one in people:
        begun = await visitor.post("/v1/demo/sessions", json={"person": one["person"], "role": one["role"]})
        assert begun.status_code == 201
        browser = Browser(visitor)
        browser.refresh = cookie_of(begun)
        assert (await browser.take_token(one["person"], one["role"])).status_code == 200
        assert (await browser.ask("GET", "/v1/me")).json()["name"] == one["name"]


async def test_the_password_of_the_readme_works_and_leads_carmen_into_both_schools(visitor: httpx2.AsyncClient):
    answer = await Browser(visitor).sign_in("carmen.garcia@families.example", demo.PASSWORD)
    assert {one["school"]["code"] for one in answer.json()["memberships"]} == {"BRLA", "HAFO"}


async def test_seeding_twice_changes_nothing(visited: Runtime):
    before = await visited.database.fetch("select * from account_person")
    await demo.seed(visited)
    assert await visited.database.fetch("select * from account_person") == before


async def test_nobody_the_demo_does_not_offer_gets_in(visitor: httpx2.AsyncClient):
    teacher = (await visitor.get("/v1/demo/people")).json()["people"][0]
    for person, role in ((str(new_id()), "teacher"), (teacher["person"], "leader")):
        answer = await visitor.post("/v1/demo/sessions", json={"person": person, "role": role})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8000",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:8001",
        "localhost.evil.example:8000",
        "x@127.0.0.1:8000",
        ":",
        "",
    ],
)
async def test_a_page_that_points_its_own_name_here_finds_nothing(visitor: httpx2.AsyncClient, host: str):
    for method, path in (("GET", "/v1/demo/people"), ("POST", "/v1/demo/sessions")):
        body = {"person": str(new_id()), "role": "teacher"} if method == "POST" else None
        answer = await visitor.request(method, path, json=body, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
async def test_every_name_of_this_machine_is_at_home(visitor: httpx2.AsyncClient, host: str):
    headers = {"host": host, "origin": f"http://{host}"}
    assert (await visitor.get("/v1/demo/people", headers=headers)).status_code == 200


async def test_a_page_of_another_site_cannot_start_a_demo_session(visitor: httpx2.AsyncClient):
    teacher = (await visitor.get("/v1/demo/people")).json()["people"][0]
    body = {"person": teacher["person"], "role": teacher["role"]}
    answer = await visitor.post("/v1/demo/sessions", json=body, headers={"origin": "http://evil.example:8000"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "missing",
    [
        {"BOOKBAG_DEMO": "false"},
        {"BOOKBAG_ENVIRONMENT": "cluster"},
        {"BOOKBAG_HTTP_HOST": "0.0.0.0"},
        {"BOOKBAG_DATA": "/nonexistent"},
    ],
)
async def test_without_a_demo_there_are_no_such_addresses(
    house: House, visited: Runtime, demo_folder: Path, missing: dict[str, str]
):
    people = await demo.people(visited)
    async with (
        house.runtime("identity", **(as_demo(demo_folder) | missing)) as runtime,
        house.client(runtime) as client,
    ):
        body = {"person": str(people[1][0].person.id), "role": people[1][0].role}
        answers = [await client.get("/v1/demo/people"), await client.post("/v1/demo/sessions", json=body)]
    absent = (await client_of_nothing(house, visited)).json()
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, absent)] * 2


async def client_of_nothing(house: House, runtime: Runtime) -> httpx2.Response:
    async with house.client(runtime) as client:
        return await client.get("/v1/there-is-no-such-address")
