"""Whatever is sent, the answer is a refusal in words under a stable code, and never a failure of ours."""

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from tests.security.answers import wrong_with
from tests.security.matrix import ROWS, Row
from tests.security.world import PERSONAS, World

WRITES = [row for row in ROWS if row.send is not None]
LIMIT = 64 * 1024

ABANDONED = "Resetting connection with an active transaction"
"""What asyncpg notes when somebody leaves a stream in the middle of a look; it rolls back and goes on."""


@pytest.fixture(scope="module")
def http(world: World) -> Iterator[httpx2.Client]:
    with world.product.client() as client:
        yield client


def welcome(row: Row) -> str:
    """Somebody whom the row lets in."""
    return next((one for one in PERSONAS if row.answers.get(one, "").startswith("2")), "teacher")


def headers_for(world: World, row: Row) -> dict[str, str]:
    return world.headers(welcome(row)) | dict(row.headers)


def send(http: httpx2.Client, world: World, row: Row, body: bytes, **headers: str) -> httpx2.Response:
    sent = headers_for(world, row) | {"content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return http.request(row.method, row.place(world.objects), content=body, headers=sent)


def code_of(answer: httpx2.Response) -> str:
    assert wrong_with(answer, str(answer.url)) == ""
    return answer.json()["code"] if answer.status_code >= 400 and "json" in answer.headers["content-type"] else "fine"


WRONG_VALUES = [
    None, True, 0, -1, 1.5, 10**30, [], ["x"], {}, {"a": 1}, "", "\u0000", "x\u0000y", "A" * 5000, "\u202e" * 50, "\u200b",
    "ᚠ" * 1000, "-1", "true", "null", "../../etc/passwd", "' or 1=1 --", "%00", "{{7*7}}", "${x}",
]  # fmt: skip


@pytest.mark.parametrize("row", WRITES, ids=lambda row: row.route)
def test_wrong_values_are_refused_or_taken_as_they_are(http: httpx2.Client, world: World, row: Row) -> None:
    good = row.body(world.objects)
    for name in good:
        for value in WRONG_VALUES:
            answer = send(http, world, row, json.dumps(good | {name: value}).encode())
            assert wrong_with(answer, row.route) == "", (name, value)


@pytest.mark.parametrize("row", [row for row in WRITES if "demo" not in row.route], ids=lambda row: row.route)
def test_bodies_of_a_wrong_shape_are_refused(http: httpx2.Client, world: World, row: Row) -> None:
    good = row.body(world.objects)
    text = json.dumps(good)
    (first, *_) = good
    shapes = {
        "unknown field": json.dumps(good | {"is_admin": True}).encode(),
        "unknown field of ours": json.dumps(good | {"school": str(world.foreign.id)}).encode(),
        "a field missing": json.dumps({key: value for key, value in good.items() if key != first}).encode(),
        "nothing in it": b"{}", "a list": b"[]", "a list of it": f"[{text}]".encode(), "a word": b'"x"', "null": b"null",
        "empty": b"", "half of it": text[: len(text) // 2].encode(), "not JSON": b"<a/>", "two of it": (text * 2).encode(),
        "broken UTF-8": text.encode()[:3] + b"\xff\xfe\xc0" + text.encode()[3:],
        "broken UTF-8 alone": b"\xff", "NUL bytes": b"\x00" * 100,
        "lone surrogate": json.dumps(good | {first: "\ud800 alone"}).encode(),
        "deep lists": b"[" * 30_000, "deep objects": b'{"a":' * 10_000,
        "deep value": json.dumps(good).encode()[:-1] + b', "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        "not a number": json.dumps(good | {first: float("nan")}).encode(),
        "infinity": json.dumps(good | {first: float("inf")}).encode(),
        "a long number": b'{"' + first.encode() + b'": ' + b"9" * 5000 + b"}",
    }  # fmt: skip
    for name, body in shapes.items():
        assert code_of(send(http, world, row, body)) in {"malformed", "invalid-input"}, name


@pytest.mark.parametrize("row", WRITES, ids=lambda row: row.route)
def test_a_key_given_twice_or_another_encoding_fails_nowhere(http: httpx2.Client, world: World, row: Row) -> None:
    (name, value), *_ = row.body(world.objects).items()
    pair = f"{json.dumps(name)}: {json.dumps(value)}"
    for body in (f"{{{pair}, {pair}}}".encode(), json.dumps(row.body(world.objects)).encode("utf-16")):
        assert wrong_with(send(http, world, row, body), row.route) == ""


@pytest.mark.parametrize("row", [row for row in WRITES if "demo" not in row.route], ids=lambda row: row.route)
def test_a_body_beyond_the_limit_is_refused_and_the_limit_named(http: httpx2.Client, world: World, row: Row) -> None:
    large = json.dumps(row.body(world.objects) | {"padding": "x" * LIMIT}).encode()

    def in_pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 8192):
            yield large[start : start + 8192]

    for body in (large, in_pieces()):
        answer = send(http, world, row, body)  # type: ignore[arg-type]
        assert code_of(answer) == "too-large"
        assert answer.json()["limit"] == LIMIT


@pytest.mark.parametrize("row", [row for row in WRITES if "demo" not in row.route], ids=lambda row: row.route)
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "x",
        ";;=",
        "*/*",
    ],
)
def test_only_json_is_read_as_json(http: httpx2.Client, world: World, row: Row, kind: str) -> None:
    """A form of another site can send those kinds without being asked; they must not count."""
    answer = send(http, world, row, json.dumps(row.body(world.objects)).encode(), content_type=kind)
    assert code_of(answer) in {"unsupported-media-type", "invalid-input", "malformed"}


@pytest.mark.req("MSG-1")
def test_a_message_has_a_limit_in_characters(http: httpx2.Client, world: World) -> None:
    (row,) = (row for row in ROWS if row.route == "POST /messaging/v1/threads/{thread}/messages")

    def says(text: str) -> httpx2.Response:
        return send(http, world, row, json.dumps({"text": text}, ensure_ascii=False).encode())

    assert code_of(says("x" * 100_000)) == "too-large"
    longer = says("x" * 4001)
    assert (code_of(longer), longer.json()["limit"]) == ("invalid-input", 4000)
    assert code_of(says("ü" * 4001)) == "invalid-input"
    assert says("𝒳" * 4000).status_code == 201
    for blank in ("", " ", "\n\t", "\u200b\u2060", "\u00a0"):
        assert code_of(says(blank)) == "invalid-input", repr(blank)


@pytest.mark.parametrize("row", [row for row in ROWS if row.path], ids=lambda row: row.route)
def test_paths_that_name_nothing_are_refused(http: httpx2.Client, world: World, row: Row) -> None:
    for junk in (
        "x", "%00", "%ff%fe", "..%2f..%2fetc", "%2e%2e", "0" * 3000, "-1", "nil", "00000000-0000-0000-0000-000000000000", "%F0%9F%92%A9",
        str(world.foreign.links["foreign guardian"]), "%0d%0aset-cookie:a=b", "{thread}", "*", "%",
    ):  # fmt: skip
        path = row.place(world.objects, **dict.fromkeys(row.path, junk))
        answer = http.request(row.method, path, json=row.body(world.objects), headers=headers_for(world, row))
        assert wrong_with(answer, path) == "", junk
        assert answer.status_code in {404, 405, 422, 403}, junk
        assert "set-cookie" not in answer.headers


PAGED = [
    "/messaging/v1/contacts",
    "/messaging/v1/threads",
    "/messaging/v1/threads/{thread}/messages",
    "/notify/v1/notifications",
]


def cursor(place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", [*PAGED, "/notify/v1/deliveries"])
def test_cursors_and_limits_of_ones_own_making_are_refused(http: httpx2.Client, world: World, path: str) -> None:
    some = str(new_id())
    cursors = [
        "x", "====", "A" * 400, "A" * 401, "\u00fc", "\x00", cursor([]), cursor({}), cursor("x"), cursor([None, None]),
        cursor([[], {}]), cursor([1.5, some]), cursor([True, some]), cursor([10**40, some]), cursor([-(10**40), some]),
        cursor(["x", "y"]), cursor([some]), cursor([some, some, some]), cursor([1, "x"]), cursor(["before", 10**30]),
        cursor(["sideways", 1]), cursor(["after", -1]), cursor(["0001-01-01T00:00:00", some]), cursor(["x\x00", some]),
        base64.urlsafe_b64encode(b"[" * 280).decode(), base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ]  # fmt: skip
    place, who = (
        path.format(thread=world.objects["thread"]),
        world.headers("office" if "deliveries" in path else "teacher"),
    )
    for one in cursors:
        assert code_of(http.get(place, params={"cursor": one}, headers=who)) == "invalid-input", one
    for limit in ("0", "-1", "101", "1000000000000000000000", "ten", "", "1.5", "1e3", "0x10", "\u0661\u0660"):
        answer = http.get(place, params={"limit": limit}, headers=who)
        assert wrong_with(answer) == "", limit
        assert answer.status_code == 422, limit


@pytest.mark.parametrize("value", ["0", "-1", "x", str(2**70), "1.5", ""])
def test_a_place_in_the_stream_must_be_a_number_of_ours(http: httpx2.Client, world: World, value: str) -> None:
    with http.stream("GET", "/notify/v1/stream", headers=world.headers("teacher") | {"last-event-id": value}) as answer:
        if value != "0":
            answer.read()
            assert code_of(answer) == "invalid-input"


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 65, "with space in it", "ключ-ключ-ключ", "../../../..", "a\tb\tc\td\te"]
)
@pytest.mark.req("MSG-18")
def test_an_idempotency_key_has_its_form(http: httpx2.Client, world: World, key: str) -> None:
    headers: list[tuple[bytes, bytes]] = [(b"authorization", world.headers("teacher")["authorization"].encode())]
    path = f"/messaging/v1/threads/{world.objects['thread']}/messages"
    answer = http.post(path, json={"text": "x"}, headers=[*headers, (b"idempotency-key", key.encode())])
    assert code_of(answer) in {"key-malformed"}
    assert code_of(http.post(path, json={"text": "x"}, headers=headers)) == "key-missing"


@pytest.mark.parametrize(
    "tag", ["", "x", '"', '"x"', '"-1"', '"' + "9" * 30 + '"', 'W/"1"x', '"1", "2"', "0", "\u00e9", "x" * 3000]
)
def test_an_etag_of_ones_own_making_changes_nothing(http: httpx2.Client, world: World, tag: str) -> None:
    for path, change in (("/identity/v1/me", {"language": "en"}), ("/notify/v1/preferences", {"email": True})):
        headers = [(b"authorization", world.headers("teacher")["authorization"].encode()), (b"if-match", tag.encode())]
        answer = http.patch(path, json=change, headers=headers)
        assert code_of(answer) in {"edit-conflict", "invalid-input", "precondition-missing"}, path


def test_methods_that_are_not_offered_are_refused(http: httpx2.Client, world: World) -> None:
    offered: dict[str, set[str]] = {}
    for row in ROWS:
        offered.setdefault(row.place(world.objects), set()).add(row.method)
    # A session's id and `current` are one address to the router.
    offered["/identity/v1/sessions/current"] |= {"DELETE"}
    for path, methods in offered.items():
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            if method not in methods:
                answer = http.request(method, path, headers=world.headers("leader"))
                assert method == "HEAD" or wrong_with(answer) == "", (method, path)
                assert answer.status_code == 405, (method, path)


def test_what_is_nowhere_is_refused_in_words(http: httpx2.Client, world: World) -> None:
    for path in ("/", "/nowhere", "/messaging", "/messaging/", "/messaging/v1", "/messaging/v2/threads", "/identity/v1/me/", "//",
                 "/metrics", "/docs", "/redoc", "/admin", "/.env", "/dev/outbox", "/dev/outbox/x.eml", "/%2e%2e/etc/passwd",
                 "/messaging/docs", "/x" * 4000):  # fmt: skip
        answer = http.get(path, headers=world.headers("leader"))
        assert (answer.status_code, wrong_with(answer)) == (404, ""), path


def raw(world: World, request: bytes) -> bytes:
    """Send bytes as they are; gives the status line and what follows."""
    address = urlsplit(world.product.address)
    with socket.create_connection((address.hostname, address.port), timeout=5) as wire:  # type: ignore[arg-type]
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while part := wire.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /identity/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + b"A" * 40_000 + b"\r\n\r\n",
        b"GET /identity/v1/me HTTP/1.1\r\nhost: x\r\n" + b"x-a: b\r\n" * 5_000 + b"\r\n",
        b"GET /identity/v1/me?" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /identity/v1/me HTTP/1.1\r\n\r\n",
        b"GET /identity/v1/me HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"POST /identity/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /identity/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /identity/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5, 6\r\n\r\nhello",
        b"POST /identity/v1/sessions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET http://elsewhere.example/identity/v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /identity/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\nconnection: close\r\n\r\n",
        b"GET /identity/v1/memberships HTTP/1.1\r\nhost: x\r\ncookie: bookbag_refresh=\xff\xfe\r\nconnection: close\r\n\r\n",
        b"GET /identity/v1/schools/\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
    ids=range(14),
)  # fmt: skip
def test_requests_that_are_not_http_are_refused(world: World, request_: bytes) -> None:
    answer = raw(world, request_)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or answer == b"", answer[:200]


def test_the_product_is_still_well(http: httpx2.Client, world: World) -> None:
    """Nothing above was noted as a failure of ours."""
    assert http.get("/readyz").status_code == 200
    failures = [
        line
        for line in world.product.logs.splitlines()
        if ('"level": "error"' in line or "Traceback" in line) and ABANDONED not in line
    ]
    assert failures == []
