"""Families who write through the Gateway at a steady rate while something is done to the cluster behind it."""

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2

from services.identity.demo.cast import PASSWORD
from tests.cluster.installation import Installation
from tests.cluster.people import FAMILIES, family

GIVE_UP_SECONDS = 90


@dataclass
class Report:
    """What the writers saw."""

    rate: int
    seconds: float = 0.0
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Text of each message that was answered with 201, and its id."""
    refused: Counter[str] = field(default_factory=Counter)
    """First answers that were no 201, by what they were."""
    given_up: list[str] = field(default_factory=list)
    instants: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def longest_silence(self) -> float:
        """Seconds for which nobody's message was accepted, though people wrote all the while."""
        at = sorted(self.instants)
        return max((later - earlier for earlier, later in itertools.pairwise(at)), default=self.seconds)

    @property
    def p99_ms(self) -> float:
        ordered = sorted(self.waits)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0

    def told(self) -> dict[str, object]:
        return {
            "writes_per_second": self.rate, "seconds": round(self.seconds, 1), "acknowledged": len(self.acknowledged),
            "first_answers_refused": dict(self.refused), "given_up": len(self.given_up),
            "longest_silence_seconds": round(self.longest_silence, 2), "p99_ms": round(self.p99_ms),
        }  # fmt: skip


@dataclass
class Author:
    """Somebody signed in and the thread they write to."""

    client: httpx2.AsyncClient
    person: str = ""
    thread: str = ""
    renewed: float = 0.0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign_in(self, email: str) -> None:
        opened = await self.client.post("/identity/v1/sessions", json={"email": email, "password": PASSWORD})
        assert opened.status_code == 201, opened.text
        self.person = next(one["person"] for one in opened.json()["memberships"] if one["role"] == "guardian")
        answer = await self.client.post("/identity/v1/tokens", json={"person": self.person, "role": "guardian"})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        self._keep(answer)
        found = (await self.client.get("/messaging/v1/contacts")).json()["items"][0]
        answer = await self.client.post(
            "/messaging/v1/threads",
            json={"pupil": found["pupil"]["id"], "seat": found["seat"]["id"]},
            headers={"idempotency-key": f"load-{found['pupil']['id']}"},
        )
        self.thread = answer.json()["id"]

    async def renew(self) -> bool:
        """Get a new token with the cookie, as pages do before the old one ends; false when it must be tried again."""
        async with self.renewing:
            try:
                who = {"person": self.person, "role": "guardian"}
                answer = await self.client.post("/identity/v1/tokens", json=who)
            except httpx2.TransportError:
                return False
            if answer.status_code == 200:
                self._keep(answer)
            return answer.status_code == 200

    def _keep(self, answer: httpx2.Response) -> None:
        self.client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        self.renewed = time.monotonic()


class Load:
    """Writes in a thread of its own until it is stopped. Every message is tried, under one key, until its answer is certain."""

    def __init__(self, installation: Installation, *, rate: int = 50) -> None:
        self._installation = installation
        self._rate = rate
        self._ending = threading.Event()
        self._flowing = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.report = Report(rate)

    def __enter__(self) -> "Load":
        self._thread.start()
        assert self._flowing.wait(60), f"nobody could write: {self._failure!r}"
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(GIVE_UP_SECONDS + 30)
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._write())
        except BaseException as failure:  # noqa: BLE001 - told by the thread that waits
            self._failure = failure
        self._flowing.set()

    async def _write(self) -> None:
        authors = [Author(self._installation.many()) for _ in FAMILIES]
        for author, name in zip(authors, FAMILIES, strict=True):
            await author.sign_in(family(name))
        began, count, going = time.monotonic(), 0, set[asyncio.Task[None]]()
        while not self._ending.is_set():
            author = authors[count % len(authors)]
            if time.monotonic() - author.renewed > 240:
                await author.renew()
            task = asyncio.create_task(self._send(author, f"Message {count} {uuid4().hex}"))
            going.add(task)
            task.add_done_callback(going.discard)
            count += 1
            await asyncio.sleep(max(0.0, began + count / self._rate - time.monotonic()))
        await asyncio.gather(*going)
        self.report.seconds = time.monotonic() - began
        for author in authors:
            await author.client.aclose()

    async def _send(self, author: Author, text: str) -> None:
        key, began, first = uuid4().hex, time.monotonic(), True
        while time.monotonic() - began < GIVE_UP_SECONDS:
            try:
                answer = await author.client.post(
                    f"/messaging/v1/threads/{author.thread}/messages",
                    json={"text": text},
                    headers={"idempotency-key": key},
                )
                seen = "201" if answer.status_code == 201 else f"{answer.status_code} {answer.text[:120]}"
            except httpx2.TransportError as broken:
                seen = type(broken).__name__
            if seen == "201":
                self.report.acknowledged[text] = answer.json()["id"]
                self.report.instants.append(time.monotonic())
                self.report.waits.append(time.monotonic() - began)
                self._flowing.set()
                return
            if first:
                self.report.refused[seen] += 1
            first = False
            if seen.startswith("401"):
                await author.renew()
            await asyncio.sleep(0.1 + random.random() / 5)
        self.report.given_up.append(text)
