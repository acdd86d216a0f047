"""One campaign: people write, read and listen without pause while trouble after trouble is made; then everything is judged.

It runs on either form of the product, and knows no difference but the names of processes. After each trouble the campaign measures how
long until a message is accepted again and until its reader is told, and only then mends what does not mend itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
import httpx2

from tests.chaos import checkers, kept
from tests.chaos.faults import kill, pid_of
from tests.chaos.history import Kept, Told, Write
from tests.chaos.orders import Orders
from tests.chaos.workload import Author, follow, send
from tests.support.house import eventually
from tests.support.product import Product

PUPILS = ("Maya", "Sami", "Zofia", "Gwen")
CLIENTS = 4
PROBE = 99
"""The client number of the campaign's own messages, by which it feels whether the product is well."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Harm to a part. `strike` returns when it is done and gives what mends it, which is done after the recovery; None when nothing need
    be."""

    name: str
    part: str
    strike: Callable[[Campaign], Awaitable[Callable[[], None] | None]]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What one trouble cost: seconds until a message was accepted, and until a reader of it was told."""

    trouble: str
    part: str
    accepted: float
    told: float


@dataclass
class Verdict:
    """What the checkers found, by the figure it belongs to; all empty when nothing is wrong."""

    wrong: dict[str, list[str]]
    writes: int
    retried: int
    mails_twice: int


@dataclass
class Campaign:
    """A running product and what its people have seen of it."""

    product: Product
    orders: Orders
    chance: random.Random
    pause: float = 0.6
    """Seconds between two messages of one writer. Together some seven a second: a recovery is to be measured, not how much a busy
    machine can carry."""
    writes: list[Write] = field(default_factory=list)
    heard: list[tuple[int, dict]] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    worker_deaths: int = 0
    """How often a process died that may have had mails in its hands."""
    teacher: Author = field(init=False)

    async def run(self, troubles: Sequence[Trouble]) -> Verdict:
        """Make the troubles one after the other while everybody is at work, then wait until all is quiet, and judge."""
        letters = kept.Letters(self.product)
        collecting = asyncio.create_task(letters.collect())
        try:
            async with self._people() as guardian:
                await self._work_through(troubles, guardian)
            return await self._judge(letters)
        finally:
            collecting.cancel()

    async def _work_through(self, troubles: Sequence[Trouble], guardian: Author) -> None:
        done = asyncio.Event()
        work = [asyncio.create_task(self._write(number, done)) for number in range(CLIENTS)]
        work.append(asyncio.create_task(self._read(guardian, done)))
        following = asyncio.create_task(follow(guardian, self.heard, done))
        try:
            for trouble in troubles:
                mend = await trouble.strike(self)
                try:
                    await self._recover(trouble)
                finally:
                    if mend is not None:
                        mend()
            await eventually(self._heard_all, seconds=kept.QUIET_SECONDS)
        finally:
            done.set()
            following.cancel()
            broken = [error for error in await asyncio.gather(*work, return_exceptions=True) if error is not None]
            await asyncio.gather(following, return_exceptions=True)
        if broken:
            raise broken[0]

    @asynccontextmanager
    async def _people(self) -> AsyncGenerator[Author]:
        made = {"base_url": self.product.address, "timeout": 10, "verify": self.product.trust, "trust_env": False}
        async with httpx2.AsyncClient(**made) as client, httpx2.AsyncClient(**made) as other:
            self.teacher = Author(self.product, "Hughes", "teacher", client)
            await self.teacher.sign_in()
            for pupil in PUPILS:
                await self.teacher.open(pupil)
            guardian = Author(self.product, "Carmen", "guardian", other)
            await guardian.sign_in()
            yield guardian

    async def _write(self, number: int, done: asyncio.Event) -> None:
        count = 0
        while not done.is_set():
            thread = self.teacher.threads[(number + count) % len(PUPILS)]
            write = Write(number, thread, f"chaos {number} {count}", uuid4().hex)
            self.writes.append(write)
            await send(self.teacher, write, self.chance)
            count += 1
            await asyncio.sleep(self.pause * self.chance.random() * 2)

    async def _read(self, guardian: Author, done: asyncio.Event) -> None:
        """Open the thread, list it, move the receipt: what a reader does, through everything."""
        thread = self.teacher.threads[0]
        while not done.is_set():
            try:
                answer = await guardian.client.get(f"/messaging/v1/threads/{thread}")
                if answer.status_code == 401:
                    await guardian.sign_in()
                elif answer.status_code == 200:
                    seq = answer.json()["head_seq"]
                    await guardian.client.put(f"/messaging/v1/threads/{thread}/read", json={"seq": seq})
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.3)

    async def _recover(self, trouble: Trouble) -> None:
        began = time.monotonic()
        probe = Write(PROBE, self.teacher.threads[0], f"probe {len(self.recoveries)}", uuid4().hex)
        self.writes.append(probe)
        await send(self.teacher, probe, random.Random(1))
        accepted = time.monotonic() - began

        async def told() -> bool:
            try:
                notify = await kept.connect(self.product, "notify")
            except (OSError, asyncpg.PostgresError, TimeoutError):
                return False
            try:
                return await notify.fetchval(
                    "select exists (select from notification where content_id = $1)", probe.message
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return False
            finally:
                notify.terminate()

        await eventually(told, seconds=kept.QUIET_SECONDS)
        self.recoveries.append(Recovery(trouble.name, trouble.part, accepted, time.monotonic() - began))
        print(
            f"{trouble.name}: accepted after {accepted:.1f} s, told after {self.recoveries[-1].told:.1f} s", flush=True
        )

    async def _heard_all(self) -> bool:
        """Whether the guardian's live stream has told of everything that was acknowledged until a moment ago."""
        wanted = {
            write.message
            for write in self.writes
            if write.client == PROBE and write.thread == self.teacher.threads[0] and write.message
        }
        got = {json.loads(frame["data"]).get("message") for _, frame in self.heard if frame["kind"] == "message"}
        return wanted <= got

    async def _judge(self, letters: kept.Letters) -> Verdict:
        messaging, notify = await kept.connect(self.product, "messaging"), await kept.connect(self.product, "notify")
        messages = await kept.kept_messages(messaging)
        readers = await kept.readers_of(messaging, messages)
        await kept.quiet(notify, messages, readers)
        told = await kept.told_people(notify)
        processed, dead = await kept.events_settled(notify)
        events = await kept.events_told(messaging)
        handed, missing = await letters.all(notify)
        await messaging.close()
        await notify.close()
        return self._verdict(messages, readers, told, checkers.unaccounted(events, processed, dead), handed, missing)

    def _verdict(
        self,
        messages: list[Kept],
        readers: dict[str, set[str]],
        told: list[Told],
        unaccounted: list[str],
        handed: dict[str, int],
        missing: list[str],
    ) -> Verdict:
        live = [
            Told("Carmen", "live", json.loads(frame["data"])["message"], number)
            for number, frame in self.heard
            if frame["kind"] == "message"
        ]
        streamed = [one for one in told if one.channel == "stream"]
        numbers = [number for number, _ in self.heard]
        gaps = [] if numbers == list(range(1, len(numbers) + 1)) else ["the live stream has a gap or a double"]
        twice = sum(times - 1 for times in handed.values())
        in_flight = self.worker_deaths * 8
        wrong = {
            "R1 lost": checkers.lost(self.writes, messages) + missing,
            "R1 invented": checkers.invented(self.writes, messages),
            "R2 doubled": checkers.doubled(messages) + checkers.told_twice(told) + checkers.told_twice(live),
            "R2 mails": [f"{twice} mails went twice"] if twice > in_flight else [],
            "R3 order": checkers.out_of_order(self.writes, messages)
            + checkers.told_out_of_order(messages, streamed)
            + checkers.told_out_of_order(messages, live)
            + gaps,
            "R5 untold": checkers.untold(messages, told, readers, {"stream", "in_app"}) + unaccounted,
        }
        retried = sum(write.attempts > 1 for write in self.writes)
        return Verdict(wrong, len(self.writes), retried, twice)


def at_point(point: str, action: str, whose: str, *, part: str) -> Trouble:
    """Have a process kill itself (`kill`), freeze (`freeze`, woken after the recovery) or fail (`fail`) at a point."""

    async def strike(campaign: Campaign) -> Callable[[], None] | None:
        name = campaign.orders.give(point, action, whose=whose)

        async def carried_out() -> bool:
            return campaign.orders.carried_out_by(name) is not None

        await eventually(carried_out, seconds=90)
        campaign.worker_deaths += action == "kill"
        if action == "freeze":
            pid = campaign.orders.carried_out_by(name)
            campaign.orders.withdraw(name)
            return lambda: _wake(pid)
        campaign.orders.withdraw(name)
        return None

    return Trouble(f"{action} {point} {whose}", part, strike)


def struck(kind: str, *, part: str) -> Trouble:
    """SIGKILL a process of a kind, wherever it is."""

    async def strike(campaign: Campaign) -> None:
        async def killed() -> bool:
            return kill(campaign.product, kind)

        await eventually(killed, seconds=60)
        campaign.worker_deaths += "work" in kind

    return Trouble(f"SIGKILL {kind}", part, strike)


def asked_to_stop(kind: str, *, part: str) -> Trouble:
    """SIGTERM: a process that ends in order, and is started again because nobody wanted it to end."""

    async def strike(campaign: Campaign) -> None:
        async def ended() -> bool:
            return kill(campaign.product, kind, signal.SIGTERM)

        await eventually(ended, seconds=60)

    return Trouble(f"SIGTERM {kind}", part, strike)


def frozen(kind: str, *, part: str, seconds: float) -> Trouble:
    """SIGSTOP a server for some seconds: connections stay and nothing answers. Recovery counts from its waking."""

    async def strike(campaign: Campaign) -> None:
        async def stopped() -> bool:
            return kill(campaign.product, kind, signal.SIGSTOP)

        await eventually(stopped, seconds=60)
        pid = pid_of(campaign.product, kind)
        try:
            await asyncio.sleep(seconds)  # the trouble itself lasts so long
        finally:
            _wake(pid)

    return Trouble(f"SIGSTOP {kind} {seconds:g} s", part, strike)


def _wake(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
