"""How often something may be tried. Counters live in Redis; each limit says what happens when Redis is away.

A limit that protects secrets (sign-in, codes) fails closed: it counts in PostgreSQL instead. One that only protects comfort
fails open.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, cast

import redis.asyncio as redis
from redis.exceptions import RedisError

from bookbag.chassis.clock import Clock
from bookbag.chassis.database import Database
from bookbag.chassis.problems import TOO_MANY_REQUESTS, Problem

_COUNT = """
local taken = redis.call('INCR', KEYS[1])
if taken == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {taken, redis.call('PTTL', KEYS[1])}
"""


class WhenAway(Enum):
    """What a limit does while Redis does not answer."""

    OPEN = "open"
    COUNT_IN_DATABASE = "count in database"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` tries per `per` for one key."""

    name: str
    count: int
    per: timedelta
    when_away: WhenAway


class Limiter:
    """Counts tries. One per service and process."""

    def __init__(self, cache: redis.Redis, database: Database, clock: Clock) -> None:
        self._cache = cache
        self._database = database
        self._clock = clock
        self._script = cache.register_script(_COUNT)

    async def take(self, limit: Limit, key: str) -> None:
        """Count one try. Raises Problem `too-many-requests` with the seconds to wait once the limit is passed."""
        digest = hashlib.sha256(f"{limit.name}\0{key}".encode()).digest()
        try:
            answer = cast(
                list[Any],
                await self._script(
                    keys=[f"limit:{limit.name}:{digest.hex()}"], args=[int(limit.per.total_seconds() * 1000)]
                ),
            )
            taken, left = int(answer[0]), int(answer[1]) / 1000
        except (RedisError, OSError, TimeoutError):
            if limit.when_away is WhenAway.OPEN:
                return
            taken, left = await self._count_in_database(limit, digest)
        if taken > limit.count:
            raise Problem(TOO_MANY_REQUESTS, retry_after=max(1, round(left)), extra={"limit": limit.count})

    async def forget(self, limit: Limit, key: str) -> None:
        """Start counting anew, after a try that succeeded."""
        digest = hashlib.sha256(f"{limit.name}\0{key}".encode()).digest()
        try:
            await self._cache.delete(f"limit:{limit.name}:{digest.hex()}")
        except (RedisError, OSError, TimeoutError):
            await self._database.execute(
                "update limit_counter set taken = 0 where name = $1 and key = $2", limit.name, digest
            )

    async def _count_in_database(self, limit: Limit, key: bytes) -> tuple[int, float]:
        now = self._clock.now()
        seconds = limit.per.total_seconds()
        starts_at = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        taken = await self._database.fetchval(
            "insert into limit_counter (name, key, starts_at, taken) values ($1, $2, $3, 1)"
            " on conflict (name, key, starts_at) do update set taken = limit_counter.taken + 1 returning taken",
            limit.name, key, starts_at,
        )  # fmt: skip
        return int(taken), seconds - (now - starts_at).total_seconds()
