"""What every answer tells a browser, and that no other site can use a signed-in browser."""

import httpx2
import pytest

from bookbag.chassis.http import SafeHeaders
from tests.security.world import PASSWORD, World
from tests.support.house import House

ORIGINS = [
    "https://elsewhere.example",
    "null",
    "http://127.0.0.1",
    "http://localhost.elsewhere.example",
    "http://[::1",
    "file://",
]


def everything(world: World) -> dict[str, httpx2.Response]:
    """Answers of every kind."""
    thread, who = world.objects["thread"], world.headers("teacher")
    with world.product.client() as http:
        answers = {
            "page": http.get("/"),
            "health": http.get("/healthz"),
            "document": http.get("/openapi.json"),
            "nowhere": http.get("/nowhere"),
            "nowhere in a service": http.get("/messaging/nowhere"),
            "JSON": http.get("/messaging/v1/threads", headers=who),
            "JSON made": http.post(f"/messaging/v1/threads/{thread}/messages", json={"text": "x"}, headers=who),
            "nothing": http.put(f"/messaging/v1/threads/{thread}/read", json={"seq": 1}, headers=who),
            "me": http.get("/identity/v1/me", headers=who),
            "signed out": http.get("/identity/v1/me"),
            "not found": http.get(f"/messaging/v1/threads/{world.school.id}", headers=who),
            "invalid": http.post("/identity/v1/sessions", json={}),
            "wrong method": http.delete("/messaging/v1/threads", headers=who),
            "public page": http.get("/notify/v1/unsubscribe/x"),
            "keys": http.get("/identity/v1/.well-known/jwks.json"),
        }
        with http.stream("GET", "/notify/v1/stream", headers=who) as stream:
            answers["stream"] = stream
    return answers


@pytest.mark.req("OPS-3")
def test_every_answer_keeps_browsers_from_guessing_and_framing(world: World) -> None:
    for name, answer in everything(world).items():
        assert answer.headers.get_list("content-security-policy") == [SafeHeaders.POLICY], name
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], name
        assert answer.headers["referrer-policy"] in {
            "same-origin",
            "same-origin, no-referrer",
            "no-referrer, same-origin",
        }, name
        assert "server" not in answer.headers, name
        assert not [header for header in answer.headers if header.startswith("access-control-")], name
    for directive in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"):
        assert directive in SafeHeaders.POLICY
    assert "unsafe" not in SafeHeaders.POLICY


def test_nothing_of_a_member_is_kept_by_a_cache(world: World) -> None:
    answers = everything(world)
    for public in ("page", "health", "document", "keys"):
        del answers[public]
    kept = {name for name, answer in answers.items() if answer.headers.get("cache-control") != "no-store"}
    assert kept == set()


def test_a_preflight_of_another_site_is_refused(world: World) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    for path in ("/identity/v1/tokens", "/messaging/v1/threads"):
        with world.product.client() as http:
            answer = http.options(path, headers=asked)
        assert answer.status_code == 405
        assert not [header for header in answer.headers if header.startswith("access-control-")]


@pytest.fixture(scope="module")
def browser(world: World) -> str:
    """The refresh token of a signed-in guardian."""
    credentials = {"email": world.school.emails["guardian"], "password": PASSWORD}
    with world.product.client() as http:
        answer = http.post("/identity/v1/sessions", json=credentials)
        assert answer.status_code == 201, answer.text
        (cookie,) = answer.headers.get_list("set-cookie")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/identity/v1"} <= parts
    assert not [part for part in parts if part.startswith("domain")]
    assert "secure" not in parts, "this product is not on https"
    assert answer.headers["cache-control"] == "no-store"
    value = cookie.partition("=")[2].partition(";")[0]
    assert value not in answer.text
    assert len(value) >= 43
    return value


@pytest.mark.req("ID-1")
@pytest.mark.parametrize("origin", ORIGINS)
def test_another_site_cannot_use_the_cookie(world: World, browser: str, origin: str) -> None:
    person = str(world.school.people["guardian"][0])
    body = {"person": person, "role": "guardian"}
    with world.product.client({"cookie": f"bookbag_refresh={browser}", "origin": origin}) as http:
        asked = [
            http.post("/identity/v1/tokens", json=body),
            http.get("/identity/v1/memberships"),
            http.delete("/identity/v1/sessions/current"),
            http.post("/identity/v1/sessions", json={"email": "a@b.example", "password": "x"}),
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in asked] == [(403, "forbidden")] * 4
    assert not [answer for answer in asked if "set-cookie" in answer.headers]


@pytest.mark.req("ID-1")
def test_our_own_pages_can(world: World, browser: str) -> None:
    body = {"person": str(world.school.people["guardian"][0]), "role": "guardian"}
    with world.product.client({"cookie": f"bookbag_refresh={browser}", "origin": world.product.address}) as http:
        answer = http.post("/identity/v1/tokens", json=body)
    assert answer.status_code == 200
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.partition("=")[2].partition(";")[0] != browser, "a refresh token is used once"


@pytest.mark.req("ID-1")
async def test_on_https_the_cookie_travels_on_https_only(house: House) -> None:
    from services.identity.accounts import actions as accounts
    from services.identity.demo import seed

    async with house.runtime("identity", BOOKBAG_PUBLIC_URL="https://school.example") as runtime:
        await seed(runtime)
        async with house.client(runtime) as client:
            from services.identity.demo.cast import CARMEN
            from services.identity.demo.cast import PASSWORD as SHOWN

            answer = await client.post("/v1/sessions", json={"email": CARMEN.email, "password": SHOWN})
    assert answer.status_code == 201
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert accounts.USER_TOKEN_LIFE.total_seconds() == 600
