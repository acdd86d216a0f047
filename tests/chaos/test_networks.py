"""What a network does to the way to PostgreSQL: replies lost after the commit, lines that are silent for ever, and what people see of it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from tests.chaos import checkers
from tests.chaos.history import Kept, Outcome, Write
from tests.chaos.tcp_proxy import Proxy, between
from tests.support.house import House
from tests.support.whole import Whole, whole_product

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.req("OPS-4", "MSG-18"), pytest.mark.timeout(300)]

SENT = b"s\x00\x00\x00\x04Z\x00\x00\x00\x05I"
"""How PostgreSQL says that a statement that is its own transaction gave its one row and is committed."""


@dataclass
class Apart:
    """The whole product, whose messaging reaches PostgreSQL through a proxy."""

    whole: Whole
    proxy: Proxy
    thread: str
    http: httpx2.Client

    def send(self, value: str, key: str) -> httpx2.Response:
        return self.http.post(
            f"/messaging/v1/threads/{self.thread}/messages", json={"text": value}, headers={"idempotency-key": key}
        )

    def send_for_certain(self, write: Write, *, seconds: float = 90) -> None:
        """Send as a good client does: the same key until an answer is certain."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            write.attempts += 1
            try:
                answer = self.send(write.value, write.key)
            except httpx2.TransportError:
                continue
            if answer.status_code == 201:
                write.outcome, write.message = Outcome.OK, answer.json()["id"]
                return
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
        raise AssertionError(f"no certain answer within {seconds} s")

    def kept(self) -> list[Kept]:
        """Every message of the thread, those of earlier tests too."""
        rows = self.whole.rows("messaging", "select message_id, thread_id, seq, text from message order by seq")
        return [Kept(str(row["message_id"]), str(row["thread_id"]), row["seq"], row["text"]) for row in rows]


@pytest.fixture(scope="module")
def apart(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    url = urlsplit(house.databases.urls["messaging"].app)
    with between(url.port or 5432) as proxy:
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{proxy.port}")).geturl()
        folder = tmp_path_factory.mktemp("apart")
        with whole_product(house, folder, begin=False) as whole:
            whole.begin("serve", BOOKBAG_MESSAGING_APP_URL=through)
            whole.begin("work")
            whole.wait_ready()
            whole.seed()
            with whole.client(whole.bearer("Hughes", "teacher")) as http:
                contact = http.get("/messaging/v1/contacts", params={"q": "Maya"}).json()["items"][0]
                who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
                thread = http.post("/messaging/v1/threads", json=who).json()["id"]
                yield Apart(whole, proxy, thread, http)


def test_a_reply_lost_after_the_commit_neither_loses_nor_doubles_anything(apart: Apart) -> None:
    writes = [Write(1, apart.thread, str(uuid4()), uuid4().hex) for _ in range(20)]
    for number, write in enumerate(writes):
        apart.proxy.swallow = SENT if number % 2 else None
        if number % 2:
            lost = apart.send(write.value, write.key)
            assert lost.status_code == 503, "the commit is not known, so nothing else may be said"
            apart.proxy.swallow = None
        apart.send_for_certain(write)
    assert apart.proxy.swallowed >= 10, "replies must have been lost for this to prove anything"
    kept = apart.kept()
    assert checkers.lost(writes, kept) == []
    assert checkers.doubled(kept) == []
    assert checkers.out_of_order(writes, kept) == []


def test_a_line_that_is_silent_for_ever_is_left_and_a_new_one_serves(
    apart: Apart, record_property: Callable[[str, object], None]
) -> None:
    writes = [Write(1, apart.thread, str(uuid4()), uuid4().hex) for _ in range(4)]
    apart.send_for_certain(writes[0])
    with ThreadPoolExecutor(12) as many:  # so many at once that the pool has several lines, all of which go silent
        busy = [Write(2, apart.thread, str(uuid4()), uuid4().hex) for _ in range(48)]
        list(many.map(apart.send_for_certain, busy))
    assert apart.proxy.passed > 3
    apart.proxy.freeze()
    during = time.monotonic()
    answer = apart.send(writes[1].value, writes[1].key)
    assert answer.status_code == 503
    said_after = time.monotonic() - during
    apart.proxy.thaw()
    healed = time.monotonic()
    apart.send_for_certain(writes[1])
    again_after = time.monotonic() - healed
    print(f"half-open: 503 after {said_after:.1f} s, served {again_after:.1f} s after new connections pass")
    with ThreadPoolExecutor(12) as many:
        later = [Write(3, apart.thread, str(uuid4()), uuid4().hex) for _ in range(12)]
        list(many.map(apart.send_for_certain, later))
    all_after = time.monotonic() - healed
    record_property("half_open_seconds", round(max(said_after, all_after), 2))
    print(f"half-open: every line found out {all_after:.1f} s after new connections pass")
    for write in writes[2:]:
        apart.send_for_certain(write)
    kept = apart.kept()
    assert checkers.lost([*writes, *busy, *later], kept) == []
    assert checkers.doubled(kept) == []


def test_connections_that_are_cut_and_refused_cost_answers_of_503_and_nothing_else(apart: Apart) -> None:
    writes = [Write(1, apart.thread, str(uuid4()), uuid4().hex) for _ in range(30)]
    for number, write in enumerate(writes):
        if number % 10 == 5:
            apart.proxy.refusing = True
            apart.proxy.cut()
            assert apart.send(write.value, write.key).status_code == 503
            apart.proxy.refusing = False
        apart.send_for_certain(write)
    kept = apart.kept()
    assert checkers.lost(writes, kept) == []
    assert checkers.doubled(kept) == []
    assert checkers.out_of_order(writes, kept) == []
