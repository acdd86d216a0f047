"""A right that is taken away is gone on every path within five seconds, with open streams and mails that still wait; and when nobody
can say who is who, nobody is let in on a guess."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from bookbag.local import ports
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.security.world import World, build_world
from tests.support.house import built
from tests.support.whole import Whole, whole_product

WITHIN = 5.0
APART = ("identity", "messaging", "notify")


class Listener:
    """An open live stream of somebody, read in a thread of its own."""

    def __init__(self, world: World, headers: dict[str, str]) -> None:
        self.frames: list[tuple[str, dict[str, Any]]] = []
        self.ended = threading.Event()
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(world.product.client(headers),), daemon=True)
        self._thread.start()
        assert self._open.wait(10)

    def _listen(self, client: httpx2.Client) -> None:
        event = ""
        with client, client.stream("GET", "/notify/v1/stream") as answer:
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    self.frames.append((event, json.loads(value)))
                    self._open.set()
        self.ended.set()

    @property
    def messages(self) -> list[str]:
        return [data["message"] for event, data in self.frames if event == "message"]


def every_path(world: World, headers: dict[str, str], thread: str) -> dict[str, httpx2.Response]:
    """What somebody gets at each place where they could read or write."""
    with world.product.client(headers) as http:
        answers = {
            path: http.get(path)
            for path in (
                "/messaging/v1/threads", f"/messaging/v1/threads/{thread}", f"/messaging/v1/threads/{thread}/messages",
                f"/messaging/v1/threads/{thread}/messages?after=0", "/messaging/v1/contacts", "/messaging/v1/unread",
                "/notify/v1/notifications", "/notify/v1/preferences", "/identity/v1/me", "/identity/v1/sessions",
            )
        }  # fmt: skip
        answers["send"] = http.post(
            f"/messaging/v1/threads/{thread}/messages",
            json={"text": "let me in"},
            headers={"idempotency-key": new_id().hex},
        )
        answers["read"] = http.put(f"/messaging/v1/threads/{thread}/read", json={"seq": 1})
        answers["seen"] = http.put("/notify/v1/notifications/seen", json={"thread": thread})
        with http.stream("GET", "/notify/v1/stream") as stream:
            answers["stream"] = stream
    return answers


def within_five_seconds(since: float, fact: Callable[[], object]) -> None:
    while not fact():
        assert time.monotonic() - since < WITHIN, "the right is still there"
        time.sleep(0.05)  # may thread-sleep: looks again at other processes, with a deadline


def hold_mail(world: World, person: UUID) -> UUID:
    """Wait until a mail to somebody waits, and let it wait longer. Gives the delivery."""

    def waiting() -> list[Any]:
        return world.product.rows(
            "notify", "select delivery_id from delivery where person_id = $1 and state = 'waiting'", person
        )

    world.product.wait(waiting)
    owner(
        world.product, "notify", f"update delivery set due_at = now() + interval '1 hour' where person_id = '{person}'"
    )
    return waiting()[-1]["delivery_id"]


def owner(product: Whole, service: str, sql: str) -> None:
    import asyncio

    asyncio.run(product.house.owner(service, sql))


def let_mail_go(world: World, delivery: UUID, persona: str) -> None:
    """The mail is due now; it is cancelled, and nothing was sent to that address."""
    owner(world.product, "notify", f"update delivery set due_at = now() where delivery_id = '{delivery}'")

    def done() -> list[Any]:
        return world.product.rows(
            "notify", "select reason from delivery where delivery_id = $1 and state = 'cancelled'", delivery
        )

    world.product.wait(done)
    assert not [mail for mail in world.product.mails if world.school.emails[persona] in mail]


@pytest.mark.req("MSG-14", "ID-2", "NTF-1", "WEB-3")
def test_a_guardianship_that_the_office_ends(world: World) -> None:
    thread, (_, person, _) = world.objects["thread"], world.at("guardian")
    headers, listener = world.headers("guardian"), Listener(world, world.headers("guardian"))
    said = world.says("teacher", thread, "Before the court's letter.")
    delivery = hold_mail(world, person)
    world.product.wait(lambda: said["id"] in listener.messages)
    link = world.school.links["guardian"]
    with world.product.client(world.headers("office")) as http:
        ended = http.post(f"/identity/v1/guardianships/{link}/end", json={"reason": "a court order"})
    since = time.monotonic()
    assert ended.status_code == 204

    def refused() -> bool:
        with world.product.client(headers) as http:
            return http.get(f"/messaging/v1/threads/{thread}").status_code == 404

    within_five_seconds(since, refused)
    answers = every_path(world, headers, thread)
    assert time.monotonic() - since < WITHIN
    for path in (f"/messaging/v1/threads/{thread}", f"/messaging/v1/threads/{thread}/messages", "send", "read"):
        assert answers[path].status_code == 404, path
    assert answers["/messaging/v1/threads"].json()["items"] == []
    assert answers["/messaging/v1/contacts"].json()["items"] == []
    assert answers["/messaging/v1/unread"].json() == {"threads": 0, "messages": 0}
    after = world.says("teacher", thread, "The guardian must not hear of this.")
    world.product.wait(
        lambda: world.product.rows("notify", "select 1 from notification where content_id = $1", UUID(after["id"]))
    )
    told = world.product.rows(
        "notify", "select person_id from stream_event where content_id = $1 and kind = 'message'", UUID(after["id"])
    )
    assert told
    assert person not in {row["person_id"] for row in told}
    with world.product.client(headers) as http:
        assert after["id"] not in {one["message"] for one in http.get("/notify/v1/notifications").json()["items"]}
    let_mail_go(world, delivery, "guardian")
    assert after["id"] not in listener.messages


@pytest.mark.req("ID-11", "NTF-1", "WEB-3")
def test_a_guardian_whom_the_leader_suspends(world: World) -> None:
    thread, (_, person, _) = world.objects["thread"], world.at("second guardian")
    headers, listener = world.headers("second guardian"), Listener(world, world.headers("second guardian"))
    world.says("teacher", thread, "Before the suspension.")
    delivery = hold_mail(world, person)
    with world.product.client(world.headers("leader")) as http:
        done = http.post(f"/identity/v1/people/{person}/suspension", json={"reason": "threats"})
    since = time.monotonic()
    assert done.status_code == 204

    def refused() -> bool:
        answers = every_path(world, headers, thread).values()
        return all(answer.status_code == 403 for answer in answers)

    within_five_seconds(since, refused)
    assert listener.ended.wait(WITHIN - (time.monotonic() - since))
    assert listener.frames[-1] == ("ended", {"code": "suspended"})
    let_mail_go(world, delivery, "second guardian")
    answers = every_path(world, headers, thread)
    del answers["stream"]
    assert {answer.json()["code"] for answer in answers.values()} == {"suspended"}


@pytest.mark.req("ID-1", "WEB-3")
def test_a_guardian_who_signs_out(world: World) -> None:
    """Here or from another device: the tokens of that session are refused, those of another device are not."""
    thread, session = world.objects["thread"], world.sessions["foreign guardian"][0]
    here, elsewhere = world.headers("foreign guardian", session=session), world.headers("foreign guardian")
    listener = Listener(world, here)
    with world.product.client(here) as http:
        assert http.delete("/identity/v1/sessions/current").status_code == 204
    since = time.monotonic()
    within_five_seconds(
        since, lambda: all(answer.status_code == 401 for answer in every_path(world, here, thread).values())
    )
    assert listener.ended.wait(WITHIN - (time.monotonic() - since))
    assert listener.frames[-1] == ("ended", {"code": "signed-out"})
    with world.product.client(elsewhere) as http:
        assert http.get("/messaging/v1/threads").status_code == 200


def ports_of(product: Whole, service: str) -> dict[str, str]:
    peers = json.loads(product.environment["BOOKBAG_PEERS"])
    return {
        "BOOKBAG_HTTP_PORT": str(product.http_ports[service]),
        "BOOKBAG_GRPC_PORT": peers[service].rpartition(":")[2],
    }


@pytest.fixture(scope="module")
def apart(servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A product whose API services are processes of their own, so that one can be away."""
    folder: Path = tmp_path_factory.mktemp("apart")
    with built(servers, keys, folder) as house, whole_product(house, folder, begin=False) as product:
        grpc_ports: dict[str, int] = {}
        for name in APART:
            product.http_ports[name], grpc_ports[name] = ports.choose_lasting(2)
        product.environment["BOOKBAG_PEERS"] = json.dumps(
            {name: f"127.0.0.1:{port}" for name, port in grpc_ports.items()}
        )
        for name in APART:
            product.begin("serve", name, **ports_of(product, name))
        product.begin("work")
        product.wait_ready()
        yield product


@pytest.mark.slow
@pytest.mark.req("MSG-1", "ID-1")
def test_while_identity_is_away_nobody_is_let_in_on_a_guess(apart: Whole) -> None:
    world = build_world(apart)
    thread = world.objects["thread"]

    def sends() -> httpx2.Response:
        return world.ask("teacher", "POST", f"/messaging/v1/threads/{thread}/messages", {"text": "Still here."})

    def count() -> int:
        sql = "select count(*) as n from message where school_id = $1"
        return apart.rows("messaging", sql, world.school.id)[0]["n"]

    apart.kill("serve", "identity")
    for _ in range(5):
        assert sends().status_code == 201, "a copy heard of just now is good enough"
    before = count()
    for service in ("messaging", "notify"):
        owner(apart, service, "update feed_state set heard_at = clock_timestamp() - interval '31 s'")
    refused = [
        sends(),
        *(
            world.ask("teacher", "GET", path)
            for path in ("/messaging/v1/threads", f"/messaging/v1/threads/{thread}", f"/messaging/v1/threads/{thread}/messages",
                         "/messaging/v1/contacts", "/messaging/v1/unread", "/notify/v1/notifications", "/notify/v1/stream",
                         "/notify/v1/preferences")
        ),
    ]  # fmt: skip
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(503, "access-unknown")] * len(refused)
    assert all(int(one.headers["retry-after"]) > 0 for one in refused)
    assert count() == before
    apart.begin("serve", "identity", **ports_of(apart, "identity"))
    apart.wait(lambda: sends().status_code == 201, seconds=40)
    assert count() == before + 1
    apart.wait(lambda: world.ask("teacher", "GET", "/notify/v1/notifications").status_code == 200)
