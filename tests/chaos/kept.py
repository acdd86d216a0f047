"""What a product kept and told, read from its databases and from its mail server after the faults are over."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from tests.chaos.history import Kept, Told
from tests.support.house import eventually
from tests.support.product import Product

QUIET_SECONDS = 240
"""How long a machine that does other work may need until everything has arrived."""


async def connect(product: Product, service: str, role: str = "BACKUP") -> asyncpg.Connection:
    """A connection to a service's database under one of its roles; the backup role reads all schools."""
    return await asyncpg.connect(product.environment()[f"BOOKBAG_{service.upper()}_{role}_URL"], timeout=30)


async def kept_messages(messaging: asyncpg.Connection) -> list[Kept]:
    rows = await messaging.fetch("select message_id, thread_id, seq, text from message")
    return [Kept(str(row["message_id"]), str(row["thread_id"]), row["seq"], row["text"]) for row in rows]


async def readers_of(messaging: asyncpg.Connection, kept: Sequence[Kept]) -> dict[str, set[str]]:
    """Thread → the guardians who must be told, from the roster and not from what was told."""
    rows = await messaging.fetch(
        "select t.thread_id, l.person_id from thread t join known_link l on l.school_id = t.school_id and l.pupil_id = t.pupil_id"
        " join known_membership m on m.school_id = l.school_id and m.person_id = l.person_id and m.role = 'guardian'"
        " where not l.ended and m.standing = 'active'"
    )
    readers: dict[str, set[str]] = {one.thread: set() for one in kept}
    for row in rows:
        readers.setdefault(str(row["thread_id"]), set()).add(str(row["person_id"]))
    return readers


async def told_people(notify: asyncpg.Connection) -> list[Told]:
    streamed = await notify.fetch(
        "select person_id, number, content_id as message_id from stream_event where kind = 'message'"
    )
    items = await notify.fetch("select person_id, content_id as message_id from notification")
    return [Told(str(row["person_id"]), "stream", str(row["message_id"]), row["number"]) for row in streamed] + [
        Told(str(row["person_id"]), "in_app", str(row["message_id"])) for row in items
    ]


async def events_told(messaging: asyncpg.Connection) -> set[UUID]:
    """The events of messages that were told and not refused by the relay itself."""
    rows = await messaging.fetch("select event_id from outbox where type = 'bookbag.messaging.v1.MessageSent'")
    refused = await messaging.fetch("select event_id from dead_letter where consumer = 'relay'")
    return {row["event_id"] for row in rows} - {row["event_id"] for row in refused}


async def events_settled(notify: asyncpg.Connection) -> tuple[set[UUID], set[UUID]]:
    """Events whose effect notify has committed, and those it has given up on."""
    processed = await notify.fetch("select event_id from processed where consumer = 'notify'")
    dead = await notify.fetch("select event_id from dead_letter where consumer = 'notify'")
    return {row["event_id"] for row in processed}, {row["event_id"] for row in dead}


async def all_told(
    notify: asyncpg.Connection, kept: Sequence[Kept], readers: dict[str, set[str]], *, seconds: float = QUIET_SECONDS
) -> None:
    """Wait until every reader has every notification."""
    wanted = sum(len(readers[one.thread]) for one in kept)

    async def arrived() -> bool:
        return await notify.fetchval("select count(*) from notification") >= wanted

    await eventually(arrived, seconds=seconds)


async def quiet(notify: asyncpg.Connection, kept: Sequence[Kept], readers: dict[str, set[str]]) -> None:
    """Wait until every reader has every notification and no mail waits. What does not arrive in time is for the checkers to name."""

    async def delivered() -> bool:
        return not await notify.fetchval(
            "select count(*) from delivery where state in ('waiting', 'sending', 'failed')"
        )

    with suppress(AssertionError):
        await all_told(notify, kept, readers)
    await eventually(delivered, seconds=QUIET_SECONDS)


@dataclass
class Letters:
    """Every mail handed to the mail server, by file; collected while a run goes on, because the outbox keeps only the newest."""

    product: Product

    def __post_init__(self) -> None:
        self._letters: dict[str, str] = {}

    async def collect(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.5)

    def look(self) -> None:
        for file in (self.product.folder / "outbox").glob("*.eml"):
            if file.name not in self._letters:
                found = re.search(r"^Message-ID: <([^@>]+)", file.read_text(), re.MULTILINE)
                self._letters[file.name] = found[1] if found else "no Message-ID"

    async def all(self, notify: asyncpg.Connection) -> tuple[Counter[str], list[str]]:
        """How often each mail was handed over, by Message-ID, and the mails that are marked as sent and never were."""
        self.look()
        letters = Counter(self._letters.values())
        sent = await notify.fetch("select delivery_id from delivery where state = 'sent' and channel = 'email'")
        return letters, [str(row["delivery_id"]) for row in sent if str(row["delivery_id"]) not in letters]
