"""A server that everything needs is away: what people and operators are told meanwhile, and that all goes on by itself."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from bookbag.local.keys import KeyFiles
from bookbag.local.parts import start
from tests.support.ground import Ground, ground
from tests.support.whole import Whole, whole_product

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]

AT_ONCE = 4.0
"""Seconds in which a refusal must come: two for a free connection, and a machine that does other things too."""


@dataclass
class Day:
    """A running product with the demo schools, and the servers under it."""

    ground: Ground
    whole: Whole
    thread: str = ""

    def send(self, text: str) -> httpx2.Response:
        with self.teacher() as http:
            return http.post(
                f"/messaging/v1/threads/{self.thread}/messages",
                json={"text": text},
                headers={"idempotency-key": new_id().hex},
            )

    def teacher(self) -> httpx2.Client:
        return self.whole.client(self.bearer)

    def open_thread(self) -> None:
        self.bearer = self.whole.bearer("Hughes", "teacher")
        with self.teacher() as http:
            contact = http.get("/messaging/v1/contacts", params={"q": "Maya"}).json()["items"][0]
            who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
            self.thread = http.post("/messaging/v1/threads", json=who).json()["id"]


@pytest.fixture(scope="module")
def day(keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    with ground(folder, keys) as under, whole_product(under.house, folder) as whole:
        whole.seed()
        made = Day(under, whole)
        made.open_thread()
        yield made


def said(whole: Whole, process: str) -> list[dict[str, Any]]:
    """The log of a process, line by line."""
    return [json.loads(line) for line in (whole.folder / f"{process}.log").read_text().splitlines() if line[:1] == "{"]


def missed(whole: Whole, process: str) -> Counter[tuple[str, str]]:
    """How often a process said of a service that something was missing."""
    lines = [line for line in said(whole, process) if line["event"] == "waits for what is away"]
    return Counter((line["dependency"], line.get("service", "")) for line in lines)


def readiness(whole: Whole, process: str) -> dict[str, Any]:
    try:
        return httpx2.get(f"http://127.0.0.1:{whole.admin_ports[process]}/readyz", timeout=5).json()
    except httpx2.TransportError:
        return {}


@pytest.mark.req("OPS-3", "OPS-4", "OPS-6")
def test_processes_that_start_before_everything_else_say_what_is_missing_and_go_on_by_themselves(
    keys: KeyFiles, tmp_path: Path
) -> None:
    with ground(tmp_path, keys, migrated=False) as under:
        under.valkey.stop()
        under.postgres.stop()
        with whole_product(under.house, tmp_path, begin=False) as whole:
            processes = ("serve-identity", "serve-messaging", "work-all")
            whole.begin("serve", "identity", BOOKBAG_HTTP_PORT=_port(whole, "identity"))
            whole.begin("serve", "messaging", BOOKBAG_HTTP_PORT=_port(whole, "messaging"), BOOKBAG_GRPC_PORT="0")
            whole.begin("work")
            whole.begin("migrate")
            for name in processes:
                whole.wait(
                    lambda name=name: readiness(whole, name) == {"ready": False, "waiting_for": "postgresql"},
                    seconds=60,
                )
            assert httpx2.get(f"http://127.0.0.1:{whole.admin_ports['serve-identity']}/healthz").status_code == 200
            whole.wait(lambda: missed(whole, "migrate-all"), seconds=40)
            with whole.client(under.house.bearer(new_id(), new_id(), "teacher")) as http:
                began = time.monotonic()
                answer = http.get("/messaging/v1/threads")
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert int(answer.headers["retry-after"]) > 0
                assert time.monotonic() - began < AT_ONCE
            whole.processes["migrate-all"].send_signal(signal.SIGSTOP)

            start(under.postgres)
            for name in processes:
                whole.wait(
                    lambda name=name: readiness(whole, name) == {"ready": False, "waiting_for": "migrations"},
                    seconds=40,
                )
            whole.processes["migrate-all"].send_signal(signal.SIGCONT)

            assert whole.processes["migrate-all"].wait(60) == 0
            for name in processes:
                whole.wait(lambda name=name: readiness(whole, name) == {"ready": True}, seconds=60)
            start(under.valkey)
            for name in processes:
                whole.wait(lambda name=name: ("goes on", "redis") in _events(whole, name), seconds=40)
            assert missed(whole, "migrate-all") == {("postgresql", ""): 1}
            for name in processes:
                told = missed(whole, name)
                assert told["redis", ""] >= 1
                assert {times for (dependency, _), times in told.items() if dependency == "postgresql"} <= {1, 2}, told
                assert whole.processes[name].poll() is None


def _port(whole: Whole, service: str) -> str:
    from bookbag.local import ports

    whole.http_ports[service] = ports.choose_one()
    return str(whole.http_ports[service])


def _events(whole: Whole, process: str) -> set[tuple[str, str]]:
    return {(line["event"], line.get("dependency", "")) for line in said(whole, process)}


@pytest.mark.req("OPS-4")
def test_while_postgresql_restarts_everybody_is_refused_at_once_and_afterwards_all_goes_on(day: Day) -> None:
    assert day.send("before").status_code == 201
    day.ground.postgres.stop()
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        answer = day.send("meanwhile")
        slowest = max(slowest, time.monotonic() - began)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
    assert slowest < AT_ONCE
    assert readiness(day.whole, "serve-all") == {"ready": False, "waiting_for": "postgresql"}

    start(day.ground.postgres)
    began = time.monotonic()
    day.whole.wait(lambda: day.send("after").status_code == 201, seconds=30)
    print(f"first message {time.monotonic() - began:.2f} s after PostgreSQL was back")
    day.whole.wait(lambda: readiness(day.whole, "serve-all") == {"ready": True})
    kept = Counter(row["text"] for row in day.whole.rows("messaging", "select text from message"))
    assert (kept["before"], kept["meanwhile"], kept["after"]) == (1, 0, 1)
    day.whole.wait(lambda: _told(day.whole, "after"), seconds=30)


def _told(whole: Whole, text: str) -> object:
    """Whether somebody has a notification of a message."""
    message = whole.rows("messaging", "select message_id from message where text = $1", text)[0]["message_id"]
    return whole.rows("notify", "select 1 from notification where content_id = $1", message)


@dataclass
class Listener:
    """A guardian's live stream, followed as a page does: opened again from the last number whenever it ends."""

    whole: Whole
    heard: list[str] = field(default_factory=list)
    opened: int = 0
    over: Event = field(default_factory=Event)

    def follow(self) -> None:
        headers = self.whole.bearer("Carmen", "guardian")
        last, kind = "", ""
        while not self.over.is_set():
            try:
                more = {"last-event-id": last} if last else {}
                with (
                    self.whole.client(headers | more) as http,
                    http.stream("GET", "/notify/v1/stream", timeout=15) as stream,
                ):
                    self.opened += stream.status_code == 200
                    for line in stream.iter_lines():
                        if line.startswith("id: "):
                            last = line[4:]
                        if line.startswith("event: "):
                            kind = line[7:]
                        if line.startswith("data: ") and kind == "message":
                            self.heard.append(json.loads(line[6:])["message"])
                        if self.over.is_set():
                            return
            except httpx2.TransportError:
                self.over.wait(0.2)


@pytest.fixture
def listener(day: Day) -> Iterator[Listener]:
    made = Listener(day.whole)
    thread = Thread(target=made.follow, daemon=True)
    thread.start()
    day.whole.wait(lambda: made.opened)
    yield made
    made.over.set()
    thread.join(20)


@pytest.mark.req("OPS-4", "ID-1")
@pytest.mark.parametrize("way", ["gone", "hanging"])
def test_without_redis_messages_arrive_and_guessing_passwords_is_counted(
    day: Day, listener: Listener, way: str
) -> None:
    with_redis = day.send(f"with redis, before it is {way}").json()["id"]
    day.whole.wait(lambda: with_redis in listener.heard)
    if way == "gone":
        day.ground.valkey.stop()
    else:
        day.ground.send_to_valkey(signal.SIGSTOP)
    try:
        sent: list[str] = []
        for number in range(10):
            began = time.monotonic()
            answer = day.send(f"{way} {number}")
            assert answer.status_code == 201, answer.text
            assert time.monotonic() - began < AT_ONCE
            sent.append(answer.json()["id"])
        with day.teacher() as http:
            assert http.get("/messaging/v1/threads").status_code == 200
        assert _guesses(day.whole, f"{way}@families.example") == [401] * 10 + [429] * 3
        day.whole.wait(lambda: set(sent) <= set(listener.heard), seconds=30)
        assert readiness(day.whole, "serve-all") == {"ready": True}
    finally:
        if way == "gone":
            start(day.ground.valkey)
        else:
            day.ground.send_to_valkey(signal.SIGCONT)
    again = day.send(f"with redis, after it was {way}").json()["id"]
    day.whole.wait(lambda: again in listener.heard)
    assert [listener.heard.count(message) for message in (with_redis, *sent, again)] == [1] * 12


def _guesses(whole: Whole, email: str) -> list[int]:
    """The answers to one guess more than is allowed, and two after it."""
    with whole.client() as http:
        return [
            http.post("/identity/v1/sessions", json={"email": email, "password": f"guess {number}"}).status_code
            for number in range(13)
        ]
