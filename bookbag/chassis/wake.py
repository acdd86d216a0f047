"""Wake-ups between processes through Redis: they make things quick and are never needed for anything to happen.

Whoever sleeps for a channel also wakes by itself after its own interval, so a lost signal or an absent Redis costs time, not work.
"""

import asyncio
from contextlib import suppress
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger()

REDIS_SECONDS = 0.1
"""No call to Redis may take longer than this."""

GAP = 0.02
"""After a signal, those of the same channel within this many seconds become one."""


class Wake:
    """Signals and sleepers of one process. `patterns` are the channels it listens to (`messaging:*`)."""

    def __init__(self, url: str, *patterns: str) -> None:
        connect: Any = getattr(redis.Redis, "from_url")  # noqa: B009 - its options are untyped
        self.redis: redis.Redis = connect(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, max_connections=32
        )
        self._listening: Any = connect(url, socket_timeout=None, socket_connect_timeout=1.0)
        self._publishing: Any = self.redis
        self._patterns = patterns
        self._busy: dict[str, bool] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._sleepers: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._patterns:
            self._listener = asyncio.create_task(self._listen(), name="wake")

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self.redis.aclose()
        await self._listening.aclose()

    def signal(self, channel: str) -> None:
        """Wake the sleepers of a channel here at once and elsewhere soon. Never waits and never fails."""
        self.ring(channel)
        if channel in self._busy:
            self._busy[channel] = True
            return
        self._busy[channel] = False
        task = asyncio.create_task(self._send(channel))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def sleeper(self, channel: str) -> "Sleeper":
        """Somebody who can wait for a channel; signals that come between two waits are not lost."""
        return Sleeper(self._sleepers, channel)

    async def _send(self, channel: str) -> None:
        """Publish at once; signals that come meanwhile and for a moment after become one more."""
        again = True
        while again:
            self._busy[channel] = False
            with suppress(RedisError, OSError, TimeoutError):
                await self._publishing.publish(channel, b"")
            await asyncio.sleep(GAP)
            again = self._busy[channel]
        del self._busy[channel]

    def ring(self, channel: str) -> None:
        """Wake the sleepers of a channel in this process only."""
        for event in self._sleepers.get(channel, ()):
            event.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._listening.pubsub() as subscription:
                    await subscription.psubscribe(*self._patterns)
                    async for message in subscription.listen():
                        if message["type"] == "pmessage":
                            self.ring(message["channel"].decode())
            except (RedisError, OSError, TimeoutError):
                log.warning("redis away", dependency="redis")
                await asyncio.sleep(1)


class Sleeper:
    """A registered listener of one channel. Use as a context manager so that it is forgotten again."""

    def __init__(self, sleepers: dict[str, set[asyncio.Event]], channel: str) -> None:
        self._sleepers = sleepers
        self._channel = channel
        self._event = asyncio.Event()

    def __enter__(self) -> "Sleeper":
        self._sleepers.setdefault(self._channel, set()).add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sleepers = self._sleepers[self._channel]
        sleepers.discard(self._event)
        if not sleepers:
            del self._sleepers[self._channel]

    async def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most so long. Returns whether one came."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
