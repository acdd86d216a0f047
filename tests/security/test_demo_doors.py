"""The demo's sign-ins and its mail page open only where all agree: the switch, one's own machine, and a folder made as a demo.

One's own machine is the embedded run or the stack, listening on loopback.
"""

from itertools import product as combinations
from pathlib import Path

import pytest

from bookbag.chassis.clock import new_id
from bookbag.cli.commands import _extra_routes, _pages
from tests.support.house import House

EVERY = [
    {
        "BOOKBAG_DEMO": demo, "BOOKBAG_ENVIRONMENT": environment, "BOOKBAG_HTTP_HOST": host, "BOOKBAG_DATA": folder,
        "BOOKBAG_HTTP_PORT": "8000",
    }
    for demo, environment, host, folder in combinations(
        ("1", "0"), ("embedded", "stack", "cluster"), ("127.0.0.1", "0.0.0.0", "192.0.2.1"), ("made as a demo", "plain")
    )
]  # fmt: skip
OPEN = [
    said for said in EVERY
    if said["BOOKBAG_DEMO"] == "1" and said["BOOKBAG_ENVIRONMENT"] in {"embedded", "stack"}
    and said["BOOKBAG_HTTP_HOST"] == "127.0.0.1" and said["BOOKBAG_DATA"] == "made as a demo"
]  # fmt: skip
HOME = {"host": "127.0.0.1:8000"}


def settings_of(said: dict[str, str], folder: Path) -> dict[str, str]:
    data = folder / said["BOOKBAG_DATA"].replace(" ", "-")
    data.mkdir(exist_ok=True)
    if said["BOOKBAG_DATA"] == "made as a demo":
        (data / "demo").touch()
    return said | {"BOOKBAG_DATA": str(data)}


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("said", EVERY, ids=lambda said: " ".join(said.values()))
def test_the_mail_page_opens_in_two_cases_of_many(house: House, tmp_path: Path, said: dict[str, str]) -> None:
    with house.settings(**settings_of(said, tmp_path)) as platform:
        of_pages = {getattr(route, "path", "") for route in _pages(platform)}
        of_services = {getattr(route, "path", "") for route in _extra_routes(platform)}
    assert ("/dev/outbox" in of_pages) == (said in OPEN)
    files = {"/objects/{key:path}"}
    assert of_services == (of_pages | files if said["BOOKBAG_ENVIRONMENT"] == "embedded" else set())


def test_two_cases_are_open() -> None:
    assert [said["BOOKBAG_ENVIRONMENT"] for said in OPEN] == ["embedded", "stack"]


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("said", EVERY, ids=lambda said: " ".join(said.values()))
async def test_the_sign_ins_open_in_two_cases_of_many(house: House, tmp_path: Path, said: dict[str, str]) -> None:
    from services.identity.demo import seed

    async with house.runtime("identity", **settings_of(said, tmp_path)) as runtime, house.client(runtime) as client:
        await seed(runtime)
        people = await client.get("/v1/demo/people", headers=HOME)
        visitor = {"person": str(new_id()), "role": "guardian"}
        if said in OPEN:
            assert people.status_code == 200
            visitor["person"] = next(one["person"] for one in people.json()["people"] if one["role"] == "guardian")
        session = await client.post("/v1/demo/sessions", json=visitor, headers=HOME)
        assert (people.status_code, session.status_code) == ((200, 201) if said in OPEN else (404, 404))
        if said not in OPEN:
            assert (people.json()["code"], session.json()["code"]) == ("not-found", "not-found")


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(
    "host",
    [
        "elsewhere.example:8000",
        "127.0.0.1:9999",
        "127.0.0.1.elsewhere.example:8000",
        "a@127.0.0.1:8000",
        "0.0.0.0:8000",
        "x:y",
    ],
)
async def test_a_name_that_points_here_does_not_get_in(house: House, tmp_path: Path, host: str) -> None:
    async with house.runtime("identity", **settings_of(OPEN[0], tmp_path)) as runtime, house.client(runtime) as client:
        visitor = {"person": str(new_id()), "role": "guardian"}
        answers = [
            await client.get("/v1/demo/people", headers={"host": host}),
            await client.post("/v1/demo/sessions", json=visitor, headers={"host": host}),
        ]
    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.req("OPS-1")
async def test_another_site_cannot_sign_a_visitor_in(house: House, tmp_path: Path) -> None:
    async with house.runtime("identity", **settings_of(OPEN[0], tmp_path)) as runtime, house.client(runtime) as client:
        visitor = {"person": str(new_id()), "role": "guardian"}
        answer = await client.post(
            "/v1/demo/sessions", json=visitor, headers=HOME | {"origin": "https://elsewhere.example"}
        )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
