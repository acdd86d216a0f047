"""Wake-ups between processes through Redis: they make things quick and are never needed for anything to happen.

Whoever sleeps for a channel also wakes by itself after its own interval, so a lost signal or an absent Redis costs time, not work.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, cast

import redis.asyncio as redis
from redis.exceptions import RedisError

from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.waiting import Outage

REDIS_SECONDS = 0.1
"""No call to Redis may take longer than this."""

BEAT_SECONDS = 4.0
"""After so much silence the listener asks whether Redis is still there, and gives it as long to answer."""

GAP = 0.005
"""After signals were sent, those of this many seconds go together."""

AT_ONCE = 500
"""Channels named in one message."""


def family_of(channel: str) -> str:
    """The part of a channel's name by which processes listen."""
    return channel.partition(":")[0]


class Wake:
    """Signals and sleepers of one process. `families` are what it listens to: all channels that begin so (`messaging:outbox` is of
    the family `messaging`). A fan-out rings thousands of channels, so one message of a family names many of them."""

    def __init__(self, url: str, *families: str) -> None:
        connect: Any = getattr(redis.Redis, "from_url")  # noqa: B009 - its options are untyped
        self.redis: redis.Redis = connect(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, max_connections=32
        )
        self._listening: Any = connect(url, socket_timeout=None, socket_connect_timeout=1.0)
        self._publishing: Any = self.redis
        self._families = families
        self._waiting: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        self._sleepers: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._closed = False
        self.stopping = False
        """Whether the process has begun to stop; what sleeps for ever looks here each time it wakes."""

    async def start(self) -> None:
        if self._families:
            self._listener = asyncio.create_task(self._listen(), name="wake")

    async def close(self) -> None:
        # Told beside being cancelled: a cancellation that meets a connection's own failure becomes that failure, and would be lost.
        self._closed = True
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
        if self._sending is not None:
            await self._sending
        await self.redis.aclose()
        await self._listening.aclose()

    def signal(self, channel: str) -> None:
        """Wake the sleepers of a channel here at once and elsewhere soon. Never waits and never fails."""
        self.ring(channel)
        self._waiting.add(channel)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="wake others")

    def sleeper(self, *channels: str) -> "Sleeper":
        """Somebody who can wait for any of some channels; signals that come between two waits are not lost."""
        return Sleeper(self._sleepers, channels)

    async def _send(self) -> None:
        """Publish at once; signals that come meanwhile and for a moment after go together."""
        while self._waiting:
            channels, self._waiting = sorted(self._waiting), set()
            for family, named in groupby(channels, key=family_of):
                of_family = list(named)
                for start in range(0, len(of_family), AT_ONCE):
                    with suppress(RedisError, OSError, TimeoutError):
                        await self._publishing.publish(family, "\n".join(of_family[start : start + AT_ONCE]))
            await asyncio.sleep(GAP)

    def ring(self, channel: str) -> None:
        """Wake the sleepers of a channel in this process only."""
        for event in self._sleepers.get(channel, ()):
            event.set()

    def say_stopping(self) -> None:
        """Wake every sleeper of this process once, to see that it is `stopping`."""
        self.stopping = True
        for channel in list(self._sleepers):
            self.ring(channel)

    async def redis_ready(self) -> None:
        """Raise DependencyAway unless Redis answers. Nothing waits for it; operators want to know."""
        try:
            await cast("Any", self.redis).ping()
        except (RedisError, OSError, TimeoutError) as error:
            raise DependencyAway("redis") from error

    async def _listen(self) -> None:
        outage = Outage()
        while not self._closed:
            try:
                async with self._listening.pubsub() as subscription:
                    async with asyncio.timeout(BEAT_SECONDS):
                        await subscription.subscribe(*self._families)
                    outage.is_over()
                    await self._hear(subscription)
            except (RedisError, OSError, TimeoutError):
                outage.goes_on("redis")
                await asyncio.sleep(1)

    async def _hear(self, subscription: Any) -> None:
        """Ring for what comes. Raises TimeoutError when Redis is silent and does not answer a ping either: it may have gone without
        a word, and a connection that nobody can hear on would cost every wake-up from then on."""
        asked = False
        while not self._closed:
            message = await subscription.get_message(timeout=BEAT_SECONDS)
            if message is not None:
                asked = False
                if message["type"] == "message":
                    for channel in message["data"].decode().split("\n"):
                        self.ring(channel)
            elif asked:
                raise TimeoutError
            else:
                asked = True
                await subscription.ping()


class Sleeper:
    """A registered listener of some channels. Use as a context manager so that it is forgotten again."""

    def __init__(self, sleepers: dict[str, set[asyncio.Event]], channels: Sequence[str]) -> None:
        self._sleepers = sleepers
        self._channels = channels
        self._event = asyncio.Event()

    def __enter__(self) -> "Sleeper":
        for channel in self._channels:
            self._sleepers.setdefault(channel, set()).add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        for channel in self._channels:
            sleepers = self._sleepers[channel]
            sleepers.discard(self._event)
            if not sleepers:
                del self._sleepers[channel]

    def was_rung(self) -> bool:
        """Whether a signal came since the last wait or question; does not wait."""
        rung = self._event.is_set()
        self._event.clear()
        return rung

    async def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most so long. Returns whether one came."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
