"""Everybody gets at every door the answer that matrix.yaml says, over real sockets, and no more than its fields."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter

from bookbag.chassis.clock import SystemClock, new_id
from bookbag.chassis.tokens import ServiceSigner, UserSigner
from bookbag.cli.services import named
from bookbag.local.keys import ensure_keys
from tests.security.matrix import ALL, ROWS, RPCS, MatrixError, Row, missing, read
from tests.security.world import FOREIGN, World, long_ago

TOKEN_ROWS = [row for row in ROWS if row.door == "token"]
COOKIE = "bookbag_refresh"


@pytest.mark.req("OPS-3")
def test_every_route_and_every_rpc_has_a_row() -> None:
    assert missing(ROWS, RPCS, ALL) == set()


def test_a_route_without_a_row_is_found() -> None:
    (messaging,) = named("messaging")
    assert messaging.routes is not None
    routes = APIRouter(prefix="/v1")

    @routes.get("/exports/{thread}")
    async def planted() -> None: ...

    parent = APIRouter()
    parent.include_router(routes)
    planted_in = [replace(one, routes=parent) if one is messaging else one for one in ALL]
    assert "GET /messaging/v1/exports/{thread}" in missing(ROWS, RPCS, planted_in)
    assert missing(ROWS[1:], RPCS, ALL) == {ROWS[0].route}
    assert missing(ROWS, RPCS[1:], ALL) == {RPCS[0].rpc}


def test_a_row_that_forgets_somebody_is_refused() -> None:
    text = "groups: {}\nrpcs: []\nroutes: [{route: GET /a, proves: [], door: token, answers: {204: [teacher]}}]"
    with pytest.raises(MatrixError, match="nothing said about"):
        read(text)


@pytest.fixture(scope="module")
def http(world: World) -> Iterator[httpx2.Client]:
    with world.product.client() as client:
        yield client


def ask(http: httpx2.Client, world: World, row: Row, headers: Mapping[str, str], **changed: str) -> httpx2.Response:
    """One request of a row; of a stream no more than its beginning."""
    path = row.place(world.objects, **changed)
    sent = {"idempotency-key": new_id().hex} | dict(row.headers) | dict(headers)
    with http.stream(row.method, path, headers=sent, json=row.body(world.objects, **changed)) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        http.cookies.clear()
        return answer


def answer_of(answer: httpx2.Response) -> str:
    if answer.headers.get("content-type") == "application/problem+json":
        return f"{answer.status_code} {answer.json()['code']}"
    return str(answer.status_code)


def paths_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place of a JSON value, without the places of lists, and what is there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from paths_of(inner, path)
    else:
        yield path, value


def surplus(shown: list[tuple[str, Any]], row: Row) -> set[str]:
    """What is shown beyond the row's fields; an empty list or nothing in the place of fields is none."""
    fields = row.fields or ()
    return {
        path
        for path, value in shown
        if path not in fields
        and not any(field.endswith(".*") and path.startswith(field[:-1]) for field in fields)
        and not (value in ([], None) and any(field.startswith(f"{path}.") for field in fields))
    }


def without_time(answer: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k != "date"}


@pytest.mark.parametrize("row", TOKEN_ROWS, ids=lambda row: row.route)
@pytest.mark.req("MSG-1", "MSG-11", "MSG-14", "ID-10", "ID-11")
def test_everybody_gets_the_answer_of_the_row(http: httpx2.Client, world: World, row: Row) -> None:
    got: dict[str, str] = {}
    for persona in row.answers:
        headers = world.headers(persona)
        answer = ask(http, world, row, headers)
        got[persona] = answer_of(answer)
        if answer.status_code in {200, 201} and row.fields is not None:
            shown = list(paths_of(answer.json()))
            assert surplus(shown, row) == set(), persona
            for empty in row.empty.get(persona, ()):
                assert not [value for path, value in shown if path.startswith(empty) and value not in ([], None)], (
                    persona
                )
    assert got == dict(row.answers)


@pytest.mark.parametrize("row", [row for row in TOKEN_ROWS if row.unlike], ids=lambda row: row.route)
@pytest.mark.req("MSG-1", "MSG-11", "MSG-14")
def test_not_yours_and_not_there_look_alike(http: httpx2.Client, world: World, row: Row) -> None:
    assert row.unlike is not None
    silent = ("404", "204") if "seen" in row.route else ("404",)
    refused = [persona for persona, answer in row.answers.items() if answer.startswith(silent)]
    assert refused
    for persona in refused:
        headers = world.headers(persona)
        there = ask(http, world, row, headers)
        nowhere = ask(http, world, row, headers | {"idempotency-key": new_id().hex}, **{row.unlike: str(new_id())})
        assert without_time(there) == without_time(nowhere), persona


@pytest.mark.parametrize("route", ["guardianships/{}/end", "people/{}/suspension"])
@pytest.mark.req("ID-11")
def test_a_leader_finds_nothing_of_another_school(http: httpx2.Client, world: World, route: str) -> None:
    theirs = world.foreign.links["foreign guardian"], world.foreign.people["foreign guardian"][0]
    answers = [
        http.post(f"/identity/v1/{route.format(one)}", json={"reason": "x"}, headers=world.headers("leader"))
        for one in (theirs["people" in route], new_id())
    ]
    assert [answer_of(one) for one in answers] == ["404 not-found"] * 2
    assert answers[0].content == answers[1].content


@pytest.fixture(scope="module")
def false_tokens(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Headers of a guardian who may read the thread, each with one thing wrong."""
    house = world.product.house
    school, person, role = world.at("guardian")
    forged = ensure_keys(tmp_path_factory.mktemp("forged"), ("messaging",))
    true_key, false_key = (keys.signing_keys / "users.json" for keys in (house.keys, forged))
    false_key.write_text(
        json.dumps(json.loads(false_key.read_text()) | {"kid": json.loads(true_key.read_text())["kid"]})
    )
    forger = UserSigner(false_key, SystemClock())
    token = house.token(school, person, role)
    head, claims, signature = token.split(".")

    def part(**values: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    service = ServiceSigner("messaging", house.keys.signing_keys / "service-messaging.json", SystemClock())
    tokens = {
        "garbage": "garbage",
        "three parts of garbage": "a.b.c",
        "very long": token + "A" * 5000,
        "forged key": forger.sign(school=school, person=person, role=role, session=new_id(), epoch=1, terms=""),
        "no algorithm": f"{part(alg='none')}.{claims}.",
        "signature of other claims": f"{head}.{part(**(said | {'role': 'leader'}))}.{signature}",
        "expired": house.token(school, person, role, clock=long_ago()),
        "old epoch": house.token(school, person, role, epoch=0),
        "ended session": house.token(school, person, role, session=world.sessions["ended session"][0]),
        "another school's": house.token(world.foreign.id, person, role),
        "another role's": house.token(school, person, "leader"),
        "a role there is not": house.token(school, person, "operator"),
        "nobody's": house.token(school, new_id(), role),
        "a service's": service.sign("identity", school),
        "a service's, signed for people": service.sign("bookbag", school),
    }
    return {"none": {}} | {name: {"authorization": f"Bearer {token}"} for name, token in tokens.items()} | {
        "empty": {"authorization": "Bearer"},
        "basic": {"authorization": f"Basic {token}"},
        "in another header": {"x-authorization": f"Bearer {token}", "cookie": f"token={token}"},
    }  # fmt: skip


@pytest.mark.parametrize("row", TOKEN_ROWS, ids=lambda row: row.route)
@pytest.mark.req("ID-1")
def test_a_false_token_opens_no_door(
    http: httpx2.Client, world: World, false_tokens: dict[str, dict[str, str]], row: Row
) -> None:
    answers = {name: ask(http, world, row, headers) for name, headers in false_tokens.items()}
    assert {name: answer_of(one) for name, one in answers.items()} == dict.fromkeys(answers, "401 signed-out")
    assert len({one.content for one in answers.values()}) == 1
    assert {one.headers["www-authenticate"] for one in answers.values()} == {"Bearer"}


@pytest.mark.parametrize("row", TOKEN_ROWS, ids=lambda row: row.route)
@pytest.mark.req("POL-11")
def test_nobody_gets_past_the_terms_at_any_door_of_any_service(http: httpx2.Client, world: World, row: Row) -> None:
    answers: dict[str, str] = {}
    for persona in ("guardian", "teacher", "leader", "pupil"):
        for held in ("", "an older version"):
            token = world.product.house.token(*world.at(persona), terms=held)
            answers[f"{persona} {held}"] = answer_of(ask(http, world, row, {"authorization": f"Bearer {token}"}))
    if row.route.endswith(("/v1/terms", "/v1/terms/acceptances")):
        assert "403 terms-not-accepted" not in answers.values()
    else:
        assert answers == dict.fromkeys(answers, "403 terms-not-accepted")


@pytest.mark.parametrize("row", [row for row in ROWS if row.door in {"public", "leave"}], ids=lambda row: row.route)
@pytest.mark.req("ID-1", "POL-1")
def test_a_public_door_answers_everybody_alike(
    http: httpx2.Client, world: World, false_tokens: dict[str, dict[str, str]], row: Row
) -> None:
    (expected,) = set(row.answers.values())
    for name, headers in false_tokens.items():
        answer = ask(http, world, row, headers)
        assert answer_of(answer) == expected, name
        if answer.status_code == 200:
            assert surplus(list(paths_of(answer.json())), row) == set()


@pytest.mark.parametrize("row", [row for row in ROWS if row.door == "cookie"], ids=lambda row: row.route)
@pytest.mark.req("ID-1", "ID-10")
def test_a_cookie_opens_what_is_its_holders(http: httpx2.Client, world: World, row: Row) -> None:
    async def sessions(runtime: Any) -> dict[str, tuple[Any, str]]:
        from tests.security.world import _begin_session

        return {
            name: await _begin_session(runtime, (world.foreign if name in FOREIGN else world.school).emails[name])
            for name in row.answers
        }

    for persona, (_, refresh) in world.product.as_identity(sessions).items():
        answer = ask(http, world, row, {"cookie": f"{COOKIE}={refresh}"})
        assert answer_of(answer) == row.answers[persona], persona
        if answer.status_code == 200:
            shown = list(paths_of(answer.json()))
            assert surplus(shown, row) == set()
            assert not (names_of_others(world, persona) & {value for _, value in shown if isinstance(value, str)})
        elif row.unlike is not None and answer.status_code == 404:
            nowhere = ask(http, world, row, {"cookie": f"{COOKIE}={refresh}"}, **{row.unlike: str(new_id())})
            assert answer.content == nowhere.content


@pytest.mark.parametrize("row", [row for row in ROWS if row.door == "cookie"], ids=lambda row: row.route)
@pytest.mark.req("ID-1")
def test_a_false_cookie_opens_nothing(
    http: httpx2.Client, world: World, false_tokens: dict[str, dict[str, str]], row: Row
) -> None:
    cookies = {
        "none": {}, "garbage": {"cookie": f"{COOKIE}=garbage"}, "empty": {"cookie": f"{COOKIE}="},
        "another name": {"cookie": f"refresh={world.sessions['guardian'][1]}"},
        "guessed": {"cookie": f"{COOKIE}={'0' * len(world.sessions['guardian'][1])}"},
        "ended session": {"cookie": f"{COOKIE}={world.sessions['ended session'][1]}"},
        "a token instead": world.headers("guardian"),
    }  # fmt: skip
    answers = {name: ask(http, world, row, headers) for name, headers in cookies.items()}
    assert {name: answer_of(one) for name, one in answers.items()} == dict.fromkeys(answers, "401 signed-out")
    assert len({one.content for one in answers.values()}) == 1


def names_of_others(world: World, persona: str) -> set[str]:
    school = world.foreign if persona in FOREIGN else world.school
    both = world.school.names | world.foreign.names
    return set(both.values()) - {school.names[persona]}


@pytest.mark.req("MSG-1", "ID-10")
def test_a_guardian_sees_no_other_adult_of_any_family(http: httpx2.Client, world: World) -> None:
    """Of the other adults of a family, only those who wrote in a thread of one's own child are named there."""
    silent = {"ended guardian", "suspended guardian", "other child's guardian", "spare guardian"}
    for persona in ("guardian", "second guardian", "parent as guardian"):
        for row in TOKEN_ROWS:
            if row.method != "GET" or row.answers[persona] != "200" or "stream" in row.route:
                continue
            text = ask(http, world, row, world.headers(persona)).text
            assert not {name for name in silent if world.school.names[name] in text}, row.route
            assert not {name for name in world.foreign.names.values() if name in text}, row.route


@pytest.mark.req("POL-1")
def test_nobody_of_another_school_reads_a_name_of_ours(http: httpx2.Client, world: World) -> None:
    for row in TOKEN_ROWS:
        if "stream" in row.route:
            continue
        for persona in FOREIGN:
            text = ask(http, world, row, world.headers(persona)).text
            assert not {name for name in world.school.names.values() if name in text}, row.route
            assert str(world.school.id) not in text


def test_what_a_refusal_says_names_nobody(http: httpx2.Client, world: World) -> None:
    everybody = [*world.school.names.values(), *world.foreign.names.values()]
    for row in TOKEN_ROWS:
        for persona, expected in row.answers.items():
            if expected.startswith("4"):
                text = ask(http, world, row, world.headers(persona)).text
                assert not {name for name in everybody if name in text}, (row.route, persona)
