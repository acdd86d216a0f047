"""SIGKILL of API, worker and PostgreSQL in the middle of two thousand sends: nothing acknowledged is lost, doubled or out of order."""

import asyncio
import json
import random
import re
from collections import Counter
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from tests.chaos import checkers
from tests.chaos.faults import kill
from tests.chaos.history import Kept, Told, Write
from tests.chaos.workload import Author, follow, send
from tests.support.house import eventually
from tests.support.product import Product, running

SENDS = 2000
CLIENTS = 8
KILLS = ("worker", "api", "postgres", "api", "worker", "postgres")
PUPILS = ("Maya", "Sami", "Zofia", "Gwen")
SEED = 20261123

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.req("MSG-18", "OPS-4", "NTF-3")
async def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    with running(tmp_path / "data") as product:
        post = Post(product)
        collecting = asyncio.create_task(post.collect())
        writes, heard = await _write_through_kills(product)
        database = await _connect(product, "messaging")
        kept = await _kept(database)
        readers = await _readers(database, kept)
        await database.close()
        notify = await _connect(product, "notify")
        await _quiet(notify, kept, readers)
        collecting.cancel()
        told = await _told(notify)
        letters = await post.all_letters(notify)
        await notify.close()

    assert sum(write.attempts > 1 for write in writes) > 20, "the faults must have been felt for this to prove anything"
    assert checkers.lost(writes, kept) == []
    assert checkers.doubled(kept) == []
    assert checkers.invented(writes, kept) == []
    assert checkers.out_of_order(writes, kept) == []
    assert checkers.untold(kept, told, readers, {"stream", "in_app"}) == []
    assert checkers.told_twice(told) == []
    assert checkers.told_out_of_order(kept, [one for one in told if one.channel == "stream"]) == []
    live = [
        Told("Carmen", "live", json.loads(frame["data"])["message"], number)
        for number, frame in heard
        if frame["kind"] == "message"
    ]
    assert checkers.told_twice(live) == []
    assert checkers.told_out_of_order(kept, live) == []
    assert [number for number, _ in heard] == list(range(1, len(heard) + 1)), "the stream resumed without gap or double"
    again = {letter: times for letter, times in letters.items() if times > 1}
    assert len(again) <= KILLS.count("worker") * 8, "only mails in flight at a kill may go twice"
    assert max(letters.values(), default=1) <= 1 + KILLS.count("worker")


async def _write_through_kills(product: Product) -> tuple[list[Write], list[tuple[int, dict]]]:
    chance = random.Random(SEED)
    writes: list[Write] = []
    heard: list[tuple[int, dict]] = []
    done = asyncio.Event()
    async with (
        httpx2.AsyncClient(base_url=product.address, timeout=10) as client,
        httpx2.AsyncClient(base_url=product.address, timeout=10) as other,
    ):
        teacher = Author(product, "Hughes", "teacher", client)
        await teacher.sign_in()
        for pupil in PUPILS:
            await teacher.open(pupil)
        guardian = Author(product, "Carmen", "guardian", other)
        await guardian.sign_in()
        following = asyncio.create_task(follow(guardian, heard, done))

        async def write_all(number: int) -> None:
            for count in range(SENDS // CLIENTS):
                write = Write(
                    number, teacher.threads[(number + count) % len(PUPILS)], f"chaos {number} {count}", uuid4().hex
                )
                writes.append(write)
                await send(teacher, write, chance)

        async def make_trouble() -> None:
            for number, kind in enumerate(KILLS, 1):
                share = SENDS * number / (len(KILLS) + 1)

                async def far_enough(share: float = share) -> bool:
                    return len(writes) >= share

                await eventually(far_enough, seconds=120)

                async def struck(kind: str = kind) -> bool:
                    return kill(product, kind)

                await eventually(struck, seconds=20)

        await asyncio.gather(make_trouble(), *(write_all(number) for number in range(CLIENTS)))
        maya = teacher.threads[0]

        async def heard_all() -> bool:
            wanted = {write.message for write in writes if write.thread == maya and write.message}
            got = {json.loads(frame["data"]).get("message") for _, frame in heard if frame["kind"] == "message"}
            return wanted <= got

        await eventually(heard_all, seconds=150)
        done.set()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return writes, heard


async def _connect(product: Product, service: str) -> asyncpg.Connection:
    return await asyncpg.connect(product.environment()[f"BOOKBAG_{service.upper()}_BACKUP_URL"])


async def _kept(database: asyncpg.Connection) -> list[Kept]:
    rows = await database.fetch("select message_id, thread_id, seq, text from message")
    return [Kept(str(row["message_id"]), str(row["thread_id"]), row["seq"], row["text"]) for row in rows]


async def _readers(database: asyncpg.Connection, kept: list[Kept]) -> dict[str, set[str]]:
    """Thread → the guardians who must be told, from the roster and not from what was told."""
    rows = await database.fetch(
        "select t.thread_id, l.person_id from thread t join known_link l on l.school_id = t.school_id and l.pupil_id = t.pupil_id"
        " join known_membership m on m.school_id = l.school_id and m.person_id = l.person_id and m.role = 'guardian'"
        " where not l.ended and m.standing = 'active'"
    )
    readers: dict[str, set[str]] = {one.thread: set() for one in kept}
    for row in rows:
        readers.setdefault(str(row["thread_id"]), set()).add(str(row["person_id"]))
    return readers


async def _told(notify: asyncpg.Connection) -> list[Told]:
    streamed = await notify.fetch(
        "select person_id, number, content_id as message_id from stream_event where kind = 'message'"
    )
    items = await notify.fetch("select person_id, content_id as message_id from notification")
    return [Told(str(row["person_id"]), "stream", str(row["message_id"]), row["number"]) for row in streamed] + [
        Told(str(row["person_id"]), "in_app", str(row["message_id"])) for row in items
    ]


async def _quiet(notify: asyncpg.Connection, kept: list[Kept], readers: dict[str, set[str]]) -> None:
    """Wait until every reader has every notification and no mail waits."""
    wanted = sum(len(readers[one.thread]) for one in kept)

    async def arrived() -> bool:
        return await notify.fetchval("select count(*) from notification") >= wanted

    async def delivered() -> bool:
        return not await notify.fetchval(
            "select count(*) from delivery where state in ('waiting', 'sending', 'failed')"
        )

    await eventually(arrived, seconds=150)
    await eventually(delivered, seconds=150)


class Post:
    """Every mail handed to the mail server, by file; collected while the run goes on, because the outbox keeps only the newest."""

    def __init__(self, product: Product) -> None:
        self._folder = product.folder / "outbox"
        self._letters: dict[str, str] = {}

    async def collect(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(0.5)

    def _look(self) -> None:
        for file in self._folder.glob("*.eml"):
            if file.name not in self._letters:
                found = re.search(r"^Message-ID: <([^@>]+)", file.read_text(), re.MULTILINE)
                self._letters[file.name] = found[1] if found else "no Message-ID"

    async def all_letters(self, notify: asyncpg.Connection) -> Counter[str]:
        """How often each mail was handed over, by Message-ID; every mail marked as sent must be there."""
        self._look()
        letters = Counter(self._letters.values())
        sent = await notify.fetch("select delivery_id from delivery where state = 'sent' and channel = 'email'")
        missing = [row["delivery_id"] for row in sent if str(row["delivery_id"]) not in letters]
        assert missing == [], "a mail is marked as sent and was never handed over"
        return letters
