"""A mail server on loopback with moods, speaking real SMTP: slow, refusing for now or for good, counting who comes too often, or taking
the mail and going away before it can be thanked."""

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from aiosmtpd.smtp import SMTP

from tests.chaos.tcp_proxy import in_thread

Mood = Literal["willing", "slow", "busy", "refusing", "limiting", "vanishing", "hanging"]


@dataclass
class MoodyMailServer:
    """Takes mails as its mood is; change it at any moment. `taken` counts mails by Message-ID, whatever was answered afterwards."""

    mood: Mood = "willing"
    port: int = 0
    patience: float = 0.5
    """Seconds before each answer of a slow server."""
    a_second: int = 2
    """Mails that a limiting server takes in a second; the others are told to come back."""
    taken: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    turned_away: int = 0
    _times: deque[float] = field(default_factory=deque)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        self.tries += 1
        match self.mood:
            case "busy":
                self.turned_away += 1
                return "451 4.7.1 greylisted, come back later"
            case "refusing":
                self.turned_away += 1
                return "550 5.1.1 nobody of that name"
            case "limiting" if self._too_often():
                self.turned_away += 1
                return "450 4.7.0 too many mails, slow down"
            case "hanging":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(self.patience)
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.mood == "slow":
            await asyncio.sleep(self.patience)
        found = re.search(rb"^Message-ID:\s*<([^@>]+)", envelope.content, re.MULTILINE)
        self.taken[found[1].decode() if found else "no Message-ID"] += 1
        if self.mood == "vanishing":
            asyncio.get_running_loop().call_soon(server.transport.abort)
        return "250 kept"

    def _too_often(self) -> bool:
        now = time.monotonic()
        while self._times and self._times[0] < now - 1:
            self._times.popleft()
        if len(self._times) >= self.a_second:
            return True
        self._times.append(now)
        return False

    @contextmanager
    def open(self) -> Generator["MoodyMailServer"]:
        loop = self._loop

        async def listen() -> asyncio.Server:
            server = await loop.create_server(lambda: SMTP(self, loop=loop, hostname="localhost"), "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            return server

        with in_thread(loop, listen, name="mail server"):
            yield self
