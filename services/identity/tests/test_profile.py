"""Finding a school, reading oneself, and choosing the language one reads."""

from datetime import timedelta

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.runtime import Runtime
from services.identity.tests.conftest import Small, small_school
from tests.support.house import House


@pytest.mark.req("POL-1")
async def test_anybody_finds_a_school_by_its_code_and_learns_no_more(client: httpx2.AsyncClient, school: Small):
    found = await client.get(f"/v1/schools/{school.code.lower()}")
    assert found.json() == {"code": school.code, "name": "Test Primary", "language": "en", "country": "GB"}
    assert (await client.get("/v1/schools/NOPE")).status_code == 404
    assert (await client.get("/v1/schools/not-a-code")).status_code == 422


@pytest.mark.req("TR-2")
async def test_a_member_chooses_the_language_they_read(house: House, client: httpx2.AsyncClient, school: Small):
    headers = house.bearer(school.id, school.guardian, "guardian")
    me = await client.get("/v1/me", headers=headers)
    assert (me.json()["language"], me.json()["version"], me.headers["etag"]) == ("es", 1, '"1"')
    changed = await client.patch("/v1/me", json={"language": "CY"}, headers=headers | {"if-match": me.headers["etag"]})
    assert (changed.status_code, changed.json()["language"], changed.headers["etag"]) == (200, "cy", '"2"')
    assert (await client.get("/v1/me", headers=headers)).json() == changed.json()


@pytest.mark.req("TR-2")
@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        (None, 428, "precondition-missing"),
        ('"2"', 412, "edit-conflict"),
        ("1", 412, "edit-conflict"),
        ('W/"1"', 412, "edit-conflict"),
    ],
)
async def test_a_choice_made_on_an_old_page_changes_nothing(
    house: House, client: httpx2.AsyncClient, school: Small, if_match: str | None, status: int, code: str
):
    headers = house.bearer(school.id, school.guardian, "guardian")
    sent = headers | ({"if-match": if_match} if if_match is not None else {})
    answer = await client.patch("/v1/me", json={"language": "cy"}, headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await client.get("/v1/me", headers=headers)).json()["language"] == "es"


@pytest.mark.req("TR-2")
@pytest.mark.parametrize(
    "body", [{"language": "xx"}, {"language": "klingon"}, {"language": 7}, {"language": "en", "name": "X"}, {}]
)
async def test_what_cannot_be_chosen_is_refused(house: House, client: httpx2.AsyncClient, school: Small, body: object):
    headers = house.bearer(school.id, school.guardian, "guardian") | {"if-match": "*"}
    answer = await client.patch("/v1/me", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@pytest.mark.req("ID-1")
async def test_tokens_that_do_not_count_are_signed_out(
    house: House, client: httpx2.AsyncClient, identity: Runtime, school: Small, clock: MovableClock
):
    other = await small_school(identity)
    good = house.token(school.id, school.guardian, "guardian", clock=clock)
    header, payload, signature = good.split(".")
    refused = {
        "none": None,
        "not a token": "Bearer x",
        "other scheme": f"Basic {good}",
        "broken signature": f"Bearer {header}.{payload}.{signature[:-4]}AAAA",
        "no signature": f"Bearer {header}.{payload}.",
        "too long": "Bearer " + "a" * 3000,
        "a role one does not have": f"Bearer {house.token(school.id, school.guardian, 'leader', clock=clock)}",
        "no role at all": f"Bearer {house.token(school.id, school.guardian, 'king', clock=clock)}",
        "a person of another school": f"Bearer {house.token(school.id, other.guardian, 'guardian', clock=clock)}",
        "a school that is none": f"Bearer {house.token(new_id(), school.guardian, 'guardian', clock=clock)}",
        "an old epoch": f"Bearer {house.token(school.id, school.guardian, 'guardian', epoch=0, clock=clock)}",
    }
    for why, authorization in refused.items():
        headers = {"authorization": authorization} if authorization else {}
        answer = await client.get("/v1/me", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "signed-out"), why
    assert (await client.get("/v1/me", headers={"authorization": f"Bearer {good}"})).status_code == 200
    clock.move(timedelta(minutes=10))
    assert (await client.get("/v1/me", headers={"authorization": f"Bearer {good}"})).status_code == 401


async def test_the_public_keys_are_public_and_nothing_else_is(client: httpx2.AsyncClient):
    answer = await client.get("/v1/.well-known/jwks.json")
    [key] = answer.json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    assert "d" not in key
