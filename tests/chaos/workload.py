"""Clients that write through faults as a good client does: one key per message, tried again until an answer is certain."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.chaos.history import Outcome, Write
from tests.support.product import Product

GIVE_UP_SECONDS = 90


@dataclass
class Author:
    """Somebody signed in, and the threads they write to. Signs in again when a token has run out."""

    product: Product
    name: str
    role: str
    client: httpx2.AsyncClient
    threads: list[str] = field(default_factory=list)
    person: str = ""

    async def sign_in(self) -> None:
        one = self.product.person(self.name, self.role)
        self.person = one["person"]
        who = {"person": self.person, "role": self.role}
        while True:
            try:
                opened = await self.client.post("/identity/v1/demo/sessions", json=who)
                if opened.status_code == 201:
                    token = await self.client.post("/identity/v1/tokens", json=who)
                    if token.status_code == 200:
                        self.client.headers["authorization"] = f"Bearer {token.json()['token']}"
                        return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)

    async def open(self, pupil: str) -> str:
        """Open the thread about a pupil and add it to the author's."""
        found = (await self.client.get("/messaging/v1/contacts", params={"q": pupil})).json()["items"][0]
        opened = await self.client.post(
            "/messaging/v1/threads",
            json={"pupil": found["pupil"]["id"], "seat": found["seat"]["id"]},
            headers={"idempotency-key": f"open-{found['pupil']['id']}"},
        )
        self.threads.append(opened.json()["id"])
        return self.threads[-1]


async def send(author: Author, write: Write, chance: random.Random) -> None:
    """Send one message for certain. Now and then the answer counts as lost, and the same request goes out once more."""
    end = time.monotonic() + GIVE_UP_SECONDS
    certain_answers = 0
    while time.monotonic() < end:
        write.attempts += 1
        try:
            answer = await author.client.post(
                f"/messaging/v1/threads/{write.thread}/messages",
                json={"text": write.value},
                headers={"idempotency-key": write.key},
            )
        except httpx2.TransportError:
            await asyncio.sleep(chance.random() / 5)
            continue
        if answer.status_code == 201:
            first, write.message = write.message, answer.json()["id"]
            assert first in (None, write.message), "the same key was answered with another message"
            write.outcome, write.ended = Outcome.OK, time.monotonic()
            certain_answers += 1
            if certain_answers > 1 or chance.random() > 0.05:
                return
        elif answer.status_code in (401, 503) or answer.status_code >= 500:
            if answer.status_code == 401:
                await author.sign_in()
            await asyncio.sleep(chance.random() / 5)
        else:
            write.outcome, write.ended = Outcome.REFUSED, time.monotonic()
            return


async def follow(author: Author, heard: list[tuple[int, dict[str, Any]]], done: asyncio.Event) -> None:
    """Follow the live stream as a client does: resume after the last number through every interruption, until `done`."""
    last = 0
    while not done.is_set():
        try:
            headers = {"last-event-id": str(last)}
            async with author.client.stream("GET", "/notify/v1/stream", headers=headers, timeout=15) as answer:
                if answer.status_code == 401:
                    await author.sign_in()
                    continue
                frame: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    if done.is_set():
                        return
                    name, _, value = line.partition(": ")
                    if line:
                        frame[name] = value
                        continue
                    if frame.get("event") in ("message", "read", "translation"):
                        last = int(frame["id"])
                        heard.append((last, {"kind": frame["event"], "data": frame["data"]}))
                    frame = {}
        except (httpx2.TransportError, httpx2.StreamError):
            await asyncio.sleep(0.2)
