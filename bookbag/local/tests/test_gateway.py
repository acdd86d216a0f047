"""The gateway as browsers and services meet it: what it hands on, what it keeps back, and how it refuses."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from bookbag.chassis.edge import doors_of, headers, refusals
from bookbag.cli.services import NAMES, named
from bookbag.local.certificate import ensure_certificate
from bookbag.local.environment import REPOSITORY
from bookbag.local.gateway import Behind, EmbeddedGateway
from bookbag.local.parts import start
from bookbag.local.ports import choose_one, is_free
from bookbag.local.process import is_running
from bookbag.local.refusals import CannotStart

pytestmark = pytest.mark.req("OPS-4")

LIMIT = 64 * 1024
FORGED = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "elsewhere.example",
    "x-forwarded-proto": "http",
    "x-forwarded-port": "80",
    "x-real-ip": "203.0.113.9",
    "forwarded": "for=203.0.113.9",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


class StandIn(ThreadingHTTPServer):
    """A service that tells what reached it, and streams until it is told to end."""

    def __init__(self, name, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.seen = []
        self.connections = []
        self.go_on = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def end(self):
        """Go away as a process does that is ended, with every connection."""
        self.go_on.set()
        self.shutdown()
        for each in self.connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        if self.path.endswith("/stream"):
            self.stream()
        elif self.path.endswith("/refused"):
            self.answer(503, {"code": "access-unknown"}, "application/problem+json")
        else:
            said = {"service": self.server.name, "headers": {k.lower(): v for k, v in self.headers.items()}}
            self.answer(200, said, "application/json")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def answer(self, status, said, kind):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"event: ready\n\n")
        self.server.go_on.wait(30)
        self.wfile.write(b"event: late\n\n")

    def log_message(self, *_):
        pass


TABLE = {
    "doors": [
        {"service": name, "prefix": f"/{name}/", "streams": [f"/{name}/v1/stream"], "largest_body": LIMIT}
        for name in ("one", "two")
    ],
    "refusals": refusals(),
    "headers": headers(),
}


class Front:
    """A gateway before two services, the first of which has two instances, and the pages."""

    def __init__(self, folder):
        self.one, self.other, self.two, self.pages = (StandIn(name) for name in ("one", "other", "two", "pages"))
        self.tls = ensure_certificate(folder / "tls")
        behind = Behind(
            {"one": [self.one.server_port, self.other.server_port], "two": [self.two.server_port]},
            self.pages.server_port,
        )
        self.port = choose_one()
        self.gateway = EmbeddedGateway(folder / "gate way", self.port, table=TABLE, behind=behind, tls=self.tls)
        self.trust = ssl.create_default_context(cafile=str(self.tls.authority))

    def client(self):
        return httpx2.Client(base_url=self.gateway.address, verify=self.trust, trust_env=False, timeout=20)

    def end(self):
        self.gateway.stop()
        for each in (self.one, self.other, self.two, self.pages):
            each.end()


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    made = Front(tmp_path_factory.mktemp("front"))
    start(made.gateway)
    yield made
    made.end()


def is_refusal(answer, code, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["code"], document["status"]) == (code, status)
    for name, value in headers().items():
        assert answer.headers.get_list(name) == [value]
    return document


def test_each_prefix_leads_to_its_service_and_all_else_to_the_pages(front):
    with front.client() as client:
        heard = {
            path: client.get(path).json()["service"] for path in ("/two/x", "/", "/threads/1", "/three/x", "/twofold")
        }
    assert heard == {"/two/x": "two", "/": "pages", "/threads/1": "pages", "/three/x": "pages", "/twofold": "pages"}


def test_instances_of_a_service_take_turns(front):
    with front.client() as client:
        assert {client.get("/one/x").json()["service"] for _ in range(6)} == {"one", "other"}


@pytest.mark.req("OPS-3")
def test_what_a_client_says_about_where_it_comes_from_reaches_no_service(front):
    with front.client() as client:
        arrived = client.get("/two/x", headers=FORGED).json()["headers"]
    assert arrived["x-forwarded-for"] == "127.0.0.1"
    assert arrived["x-forwarded-proto"] == "https"
    assert arrived["host"] == f"127.0.0.1:{front.port}"
    left = {name: arrived[name] for name in FORGED if name in arrived}
    assert set(left) == {"x-forwarded-for", "x-forwarded-proto"}


def test_the_first_frame_of_a_stream_arrives_while_it_is_open(front):
    with front.client() as client, client.stream("GET", "/two/v1/stream") as stream:
        frames = stream.iter_raw()
        assert next(frames) == b"event: ready\n\n"
        front.two.go_on.set()
        assert next(frames) == b"event: late\n\n"
    front.two.go_on.clear()


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("declared", [True, False], ids=["of a declared length", "in chunks"])
def test_a_body_that_is_too_long_is_refused_before_a_service_sees_it(front, declared):
    body = b"x" * (LIMIT + 1)
    before = len(front.two.seen)
    with front.client() as client:
        answer = client.post("/two/x", content=body if declared else iter([body[:1000], body[1000:]]))
        assert is_refusal(answer, "too-large", 413)["limit"] == LIMIT
        assert len(front.two.seen) == before
        assert client.post("/two/x", content=body[:-1]).status_code == 200


def test_a_refusal_of_a_service_passes_as_it_is(front):
    with front.client() as client:
        answer = client.get("/two/refused")
    assert (answer.status_code, answer.json()) == (503, {"code": "access-unknown"})


def test_a_service_that_is_away_is_said_so_and_found_again_by_itself(front):
    port = front.two.server_port
    front.two.end()
    with front.client() as client:
        answer = client.get("/two/x")
        assert is_refusal(answer, "unavailable", 503)["retry_after"] == 1
        assert answer.headers["retry-after"] == "1"
        front.two = StandIn("two", port)
        assert client.get("/two/x").json()["service"] == "two"


def test_one_instance_that_is_away_is_no_refusal(front):
    port = front.other.server_port
    front.other.end()
    with front.client() as client:
        assert {client.get("/one/x").json()["service"] for _ in range(6)} == {"one"}
    front.other = StandIn("other", port)


def test_a_request_that_cannot_be_read_is_refused_in_our_words(front):
    with front.client() as client:
        is_refusal(client.get("/two/" + "x" * 40_000), "malformed", 400)


@pytest.mark.req("OPS-3")
def test_without_tls_one_is_only_told_the_right_address(front):
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
    before = len(front.two.seen)
    connection.request("GET", "/two/x?y=1", headers={"host": "elsewhere.example"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["location"]) == (308, f"{front.gateway.address}/two/x?y=1")
    assert len(front.two.seen) == before
    connection.close()


def test_the_log_holds_no_address_that_was_opened(front):
    with front.client() as client:
        client.get("/two/secret-of-a-link?also=here")
    log = front.gateway.log.read_text()
    assert '"service":"two"' in log
    assert "secret-of-a-link" not in log
    assert "also=here" not in log


def test_the_certificate_holds_for_loopback_names_alone_and_its_authoritys_key_is_gone(front):
    for name in ("127.0.0.1", "localhost"):
        with (
            socket.create_connection(("127.0.0.1", front.port), 10) as plain,
            front.trust.wrap_socket(plain, server_hostname=name),
        ):
            pass
    with (
        socket.create_connection(("127.0.0.1", front.port), 10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        front.trust.wrap_socket(plain, server_hostname="school.example")
    keys = [file.name for file in front.tls.key.parent.iterdir() if "PRIVATE KEY" in file.read_text()]
    assert keys == [front.tls.key.name]
    assert front.tls.key.stat().st_mode & 0o077 == 0


def test_a_certificate_is_made_once_and_anew_before_it_ends(tmp_path):
    tls = ensure_certificate(tmp_path)
    first = tls.certificate.read_bytes()
    assert ensure_certificate(tmp_path).certificate.read_bytes() == first
    tls.ends.write_text((datetime.now(UTC) + timedelta(days=20)).isoformat())
    assert ensure_certificate(tmp_path).certificate.read_bytes() != first


def test_it_ends_with_all_its_processes_and_starts_again_on_its_port(tmp_path):
    front = Front(tmp_path)
    try:
        start(front.gateway)
        process = front.gateway.process
        front.gateway.stop()
        assert not is_running(process.pid)
        assert is_free(front.port)
        start(front.gateway)
        with front.client() as client:
            assert client.get("/two/x").status_code == 200
    finally:
        front.end()


def test_a_port_that_is_taken_is_said_so(tmp_path):
    front = Front(tmp_path)
    try:
        with socket.create_server(("127.0.0.1", front.port)), pytest.raises(CannotStart, match=f"Port {front.port}"):
            start(front.gateway)
    finally:
        front.end()


def test_the_table_is_what_the_manifests_say():
    doors = {each.service: each for each in map(doors_of, named("all"))}
    assert list(doors) == list(NAMES)
    assert doors["notify"].streams == ("/notify/v1/stream",)
    command = [sys.executable, "-m", "bookbag", "routes", "--json"]
    told = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)[0]
    assert [door["prefix"] for door in told["doors"]] == [f"/{name}/" for name in NAMES]
    assert told["refusals"] == refusals()
