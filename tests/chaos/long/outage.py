"""R4: the broker is away for ten minutes while fifty messages a second are written. All are accepted as fast as ever, the alert's figure
rises, and when the broker is back the outbox drains in order."""

import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

import httpx2

from bench.results import Result
from bookbag.local.stack_state import state_of
from tests.chaos import checkers, kept
from tests.chaos.campaign import PUPILS
from tests.chaos.faults import kill
from tests.chaos.history import Outcome, Write
from tests.chaos.workload import Author
from tests.support.house import eventually
from tests.support.product import Product, running

IDLE_SECONDS = 60.0
SETTLE_SECONDS = 10.0
"""What the first seconds took is not counted: pools open, code warms up."""

SLOWER = 1.2
DRAINED_SECONDS = 120.0
ALL_TOLD_SECONDS = 1800.0
TOKEN_SECONDS = 240.0
_AGE = "bookbag_outbox_oldest_age_seconds"


@dataclass
class Writing:
    """Somebody who writes at a steady pace, whatever the answers take."""

    author: Author
    rate: float
    writes: list[Write] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    took: list[tuple[float, float]] = field(default_factory=list)
    """When each answer was asked for, and the seconds it took."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        began, number, fresh = time.monotonic(), 0, time.monotonic()
        sending: set[asyncio.Task[None]] = set()
        while not self.over.is_set():
            if time.monotonic() - fresh > TOKEN_SECONDS:
                await self.author.sign_in()
                fresh = time.monotonic()
            number += 1
            await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            task = asyncio.create_task(self._send(number))
            sending.add(task)
            task.add_done_callback(sending.discard)
        await asyncio.gather(*sending)

    async def _send(self, number: int) -> None:
        # Each thread has one writer, who is a client of its own to the judges: their order is the order of their numbers.
        thread = self.author.threads[number % len(PUPILS)]
        write = Write(number, thread, f"steady {number}", uuid4().hex)
        self.writes.append(write)
        asked = time.monotonic()
        try:
            answer = await self.author.client.post(
                f"/messaging/v1/threads/{thread}/messages",
                json={"text": write.value},
                headers={"idempotency-key": write.key},
            )
            self.answers[str(answer.status_code)] += 1
            write.outcome = Outcome.OK if answer.status_code == 201 else Outcome.REFUSED
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
        self.took.append((asked, time.monotonic() - asked))

    def p95(self, since: float, until: float) -> float:
        """The 95th percentile of the answers asked for in a span, in milliseconds."""
        within = [took for asked, took in self.took if since <= asked < until]
        return quantiles(within, n=20)[-1] * 1000


async def measure(minutes: float, rate: float) -> Sequence[Result]:
    """Write in idleness, without the broker, and until all is drained."""
    with (
        tempfile.TemporaryDirectory(prefix="bookbag-outage-") as folder,
        running(Path(folder) / "data", kind="stack") as product,
    ):
        async with _writing(product, rate) as writing:
            return await _measured(product, writing, minutes)


@asynccontextmanager
async def _writing(product: Product, rate: float) -> AsyncGenerator[Writing]:
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx2.AsyncClient(
        base_url=product.address, timeout=30, verify=product.trust, trust_env=False, limits=limits
    ) as client:
        author = Author(product, "Hughes", "teacher", client)
        await author.sign_in()
        for pupil in PUPILS:
            await author.open(pupil)
        yield Writing(author, rate)


async def _measured(product: Product, writing: Writing, minutes: float) -> Sequence[Result]:
    task = asyncio.create_task(writing.run())
    idle_from = time.monotonic() + SETTLE_SECONDS
    await asyncio.sleep(SETTLE_SECONDS + IDLE_SECONDS)
    with _without_broker(product):
        away_from = time.monotonic()
        await asyncio.sleep(minutes * 60)
        age = _oldest_age(product)
        away_until = time.monotonic()
        waited = await _waiting(product)
    back = time.monotonic()
    await eventually(lambda: _is_drained(product), seconds=600)
    drained = time.monotonic() - back
    writing.over.set()
    await task
    wrong, told_after = await _judged(product, writing, back)
    idle, away = writing.p95(idle_from, away_from), writing.p95(away_from, away_until)
    failed = sum(writing.answers.values()) - writing.answers["201"]
    raw = {
        "answers": dict(writing.answers),
        "idle_p95_ms": round(idle, 1),
        "away_p95_ms": round(away, 1),
        "minutes": minutes,
    }
    return [
        Result("R4a", f"writes refused at {writing.rate:g}/s, the broker away {minutes:g} min", failed, "count", "0", failed == 0, raw),
        Result("R4b", "p95 of writes without the broker ÷ with it", round(away / idle, 2), "ratio", f"≤ {SLOWER}", away <= SLOWER * idle, raw),
        Result("R4c", "the outbox drained after the broker's return, start included", round(drained, 1), "s", f"≤ {DRAINED_SECONDS:g}",
               drained <= DRAINED_SECONDS, {"waited": waited, "all_told_after": round(told_after, 1), "wrong": wrong}),
        Result("R4d", "lost, doubled, untold or out of order", sum(map(len, wrong.values())), "count", "0", not any(wrong.values()),
               {name: found[:20] for name, found in wrong.items()}),
        Result("R4e", "age of the oldest waiting event, as the alert sees it", round(age, 1), "s", f"> {minutes * 60 - 60:g}",
               age > minutes * 60 - 60),
    ]  # fmt: skip


@contextmanager
def _without_broker(product: Product) -> Generator[None]:
    """The broker is dead and stays so: whoever would start it again sleeps."""
    os.kill(product.process.pid, signal.SIGSTOP)
    try:
        assert kill(product, "broker")
        yield
    finally:
        os.kill(product.process.pid, signal.SIGCONT)


def _oldest_age(product: Product) -> float:
    state = state_of(product.folder)
    assert state is not None
    port = next(each.ready for each in state.processes if each.name == "messaging-worker")
    figures = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=10, trust_env=False).text
    return max(float(line.split()[-1]) for line in figures.splitlines() if line.startswith(_AGE))


async def _waiting(product: Product) -> int:
    messaging = await kept.connect(product, "messaging")
    try:
        return await messaging.fetchval("select count(*) from outbox where published_at is null")
    finally:
        await messaging.close()


async def _is_drained(product: Product) -> bool:
    """Whether nothing waits that is older than a moment, while people write on."""
    messaging = await kept.connect(product, "messaging")
    try:
        return not await messaging.fetchval(
            "select exists (select from outbox where published_at is null and occurred_at < clock_timestamp() - interval '1 s')"
        )
    finally:
        await messaging.close()


async def _judged(product: Product, writing: Writing, back: float) -> tuple[dict[str, list[str]], float]:
    messaging, notify = await kept.connect(product, "messaging"), await kept.connect(product, "notify")
    messages = await kept.kept_messages(messaging)
    readers = await kept.readers_of(messaging, messages)
    await kept.all_told(notify, messages, readers, seconds=ALL_TOLD_SECONDS)
    told_after = time.monotonic() - back
    told = await kept.told_people(notify)
    await messaging.close()
    await notify.close()
    streamed = [one for one in told if one.channel == "stream"]
    return {
        "lost": checkers.lost(writing.writes, messages),
        "doubled": checkers.doubled(messages) + checkers.told_twice(told),
        "order": checkers.told_out_of_order(messages, streamed),
        "untold": checkers.untold(messages, told, readers, {"stream", "in_app"}),
    }, told_after
