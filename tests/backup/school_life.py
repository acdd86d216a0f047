"""What the tests of backups share: people who write, the commands of operators, and rows as they are, read by nothing of ours."""

import asyncio
import json
import os
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bookbag.chassis.clock import SystemClock
from bookbag.chassis.objects import Key, ObjectStore, opened
from bookbag.cli.services import NAMES
from tests.support import commands
from tests.support.house import House
from tests.support.whole import Whole

NO_GRACE = {"BOOKBAG_NOTIFY_MAIL_GRACE_SECONDS": "0"}

AS_THEY_RUN = {"lease", "bus_offset"}
"""Tables about running processes: they begin anew."""

PUT_RIGHT: Mapping[str, Mapping[str, str]] = {
    # What a restore changes on purpose, by table, and how each column is compared all the same.
    "outbox": {"published_at": "published_at is not null"},
    "processed": {"processed_at": "true"},
    "outbox_head": {"generation": "true", "again_after": "true", "again_until": "true"},
    "feed_state": {"heard_at": "true"},
    "session": {"ended_at": "true", "ended_because": "true"},
    "delivery": {
        "state": "case state when 'sending' then 'dead' else state end",
        "reason": "case state when 'sending' then 'gave-up' else reason end",
        "holder": "case when state not in ('sending', 'dead') then holder end",
        "claimed_until": "case when state not in ('sending', 'dead') then claimed_until end",
    },
}


def bookbag(environment: Mapping[str, str], *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """One command of an operator."""
    return commands.run(*words, environment=os.environ | dict(environment) | changed)


def backed_up(environment: Mapping[str, str], to: str, *words: str, **changed: str) -> dict[str, Any]:
    """Take a backup; its manifest and `place`."""
    done = bookbag(environment, "backup", "--to", to, "--json", *words, **changed)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[0]


@dataclass
class Writer:
    """The teacher of a demo school, who writes to families without pause."""

    whole: Whole
    teacher: str = "Hughes"
    school: str = "BRLA"
    pupils: Sequence[str] = ("Maya", "Sami")
    acknowledged: dict[str, float] = field(default_factory=dict)
    """Text → when the answer was there, by the clock of this machine."""
    refused: list[str] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._headers = self.whole.bearer(self.teacher, "teacher", self.school)
        with self.whole.client(self._headers) as http:
            self._threads = [self._open(http, pupil) for pupil in self.pupils]

    def _open(self, http: Any, pupil: str) -> str:
        found = http.get("/messaging/v1/contacts", params={"q": pupil}).json()["items"][0]
        opened = http.post(
            "/messaging/v1/threads",
            json={"pupil": found["pupil"]["id"], "seat": found["seat"]["id"]},
            headers={"idempotency-key": uuid4().hex},
        )
        assert opened.status_code in (200, 201), opened.text
        return opened.json()["id"]

    def write(self, count: int = 1) -> None:
        """Send so many messages, each to the next family."""
        with self.whole.client(self._headers) as http:
            for _ in range(count):
                self._send(http)

    def _send(self, http: Any) -> None:
        number = len(self.acknowledged) + len(self.refused)
        text = f"note {number}"
        answer = http.post(
            f"/messaging/v1/threads/{self._threads[number % len(self._threads)]}/messages",
            json={"text": text},
            headers={"idempotency-key": uuid4().hex},
        )
        if answer.status_code == 201:
            self.acknowledged[text] = time.time()
        else:
            self.refused.append(f"{answer.status_code} {answer.text}")

    def begin(self) -> None:
        """Write in a thread until `end`."""

        def writing() -> None:
            with self.whole.client(self._headers) as http:
                while not self._done.wait(0.05):
                    self._send(http)

        self._thread = threading.Thread(target=writing)
        self._thread.start()

    def end(self) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()


def letters(mails: Sequence[str]) -> list[str]:
    """The Message-ID of each mail, which is its delivery's."""
    return [found[1] for mail in mails if (found := re.search(r"^Message-ID: <([^@>]+)", mail, re.MULTILINE))]


def readers(whole: Whole) -> dict[UUID, set[UUID]]:
    """Message → the guardians who must be told of it, from the messages and the roster alone."""
    rows = whole.rows(
        "messaging",
        "select m.message_id, l.person_id from message m join thread t using (school_id, thread_id)"
        " join known_link l on l.school_id = t.school_id and l.pupil_id = t.pupil_id and not l.ended"
        " join known_membership k on k.school_id = l.school_id and k.person_id = l.person_id and k.role = 'guardian'"
        " where k.standing = 'active'",
    )  # fmt: skip
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row["message_id"], set()).add(row["person_id"])
    return found


def told(whole: Whole) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for row in whole.rows("notify", "select content_id, person_id from notification"):
        found.setdefault(row["content_id"], set()).add(row["person_id"])
    return found


def all_told(whole: Whole) -> bool:
    given = told(whole)
    return all(people <= given.get(message, set()) for message, people in readers(whole).items())


def no_mail_waits(whole: Whole) -> bool:
    return not whole.rows("notify", "select 1 from delivery where state in ('waiting', 'sending', 'failed')")


async def rows_of(url: str) -> dict[str, Counter[str]]:
    """Every row of every table as text, but for what a restore changes on purpose."""
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    try:
        found: dict[str, Counter[str]] = {}
        for table in await connection.fetch("select tablename from pg_tables where schemaname = 'public'"):
            name = table["tablename"]
            if name not in AS_THEY_RUN:
                changed = PUT_RIGHT.get(name, {})
                more = "".join(f" || jsonb_build_object('{column}', {how})" for column, how in changed.items())
                rows = await connection.fetch(f"select (to_jsonb(t){more})::text as row from {name} t")
                found[name] = Counter(row["row"] for row in rows)
        return found
    finally:
        await connection.close()


def everything(house: House) -> dict[str, dict[str, Counter[str]]]:
    """The rows of every service of a house."""

    async def read() -> dict[str, dict[str, Counter[str]]]:
        return {name: await rows_of(house.databases.urls[name].backup) for name in NAMES}

    return asyncio.run(read())


def asked(house: House, service: str, sql: str) -> list[asyncpg.Record]:
    """Rows of a service's database, of all schools."""

    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(house.databases.urls[service].backup)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


def numbers_drawn(house: House) -> dict[str, dict[str, int]]:
    """The last number of every sequence."""

    async def read() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for name in NAMES:
            connection = await asyncpg.connect(house.databases.urls[name].backup)
            rows = await connection.fetch("select sequencename, last_value from pg_sequences")
            found[name] = {row["sequencename"]: row["last_value"] for row in rows}
            await connection.close()
        return found

    return asyncio.run(read())


def store_of(house: House, **changed: str) -> ObjectStore:
    with house.settings(**changed) as platform:
        return opened(platform, SystemClock())


FILES = {
    "pictures/leaf.png": (b"\x89PNG not really" * 40_000, "image/png"),
    "pictures/leaf.png/small": (b"", "image/png"),
    "notes.txt": ("Grüße aus der Schule\n".encode(), "text/plain"),
}


ANCHOR_KNOWN, ANCHOR_AHEAD = (f"audit/identity/{seq:020d}.jws" for seq in (1, 10**9))
"""Names of anchors: of the first entry of a school's record, and of one that nobody has written."""


def put_files(house: House, school: UUID) -> None:
    """Put the files, and anchors of the record."""

    async def put() -> None:
        store = store_of(house)
        for name in (ANCHOR_KNOWN, ANCHOR_AHEAD):
            await store.put_if_absent(Key(school, name), b"signed", "application/jose")
        for name, (content, kind) in FILES.items():
            await store.put(Key(school, name), content, kind)
        await store.close()

    asyncio.run(put())


def files_of(house: House, school: UUID, **changed: str) -> dict[str, tuple[bytes, str]]:
    """Name → bytes and type of every file of a school."""

    async def read() -> dict[str, tuple[bytes, str]]:
        store = store_of(house, **changed)
        found: dict[str, tuple[bytes, str]] = {}
        page = await store.list(school)
        assert page.next is None
        for kept in page.items:
            found[kept.key.name] = (await store.get(kept.key), (await store.head(kept.key)).content_type)
        await store.close()
        return found

    return asyncio.run(read())
