"""Ends a process whose consumer has records waiting and finishes none: what hangs in it nobody can mend from inside.

A dependency that is away is no reason: the consumer says so itself and waits, and a new process would wait as well. Looks are counted,
not seconds, so a process that was frozen and wakes is not taken for one that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from bookbag.chassis.bus import Bus
from bookbag.chassis.problems import DependencyAway

log = structlog.get_logger()

LOOKS: Final = 3
"""So many looks in a row must find records waiting and nothing done."""

Place = tuple[str, int]
"""A bucket of a topic."""


class Stuck(Exception):
    """Records wait, nothing is away, and nothing is done."""


class Watched(Protocol):
    """What a watchdog sees of a consumer: two counts that only grow, and the buckets it has now."""

    @property
    def moves(self) -> int:
        """Records finished and offsets committed, in whatever way."""
        ...

    @property
    def waits(self) -> int:
        """How often it had to wait for something that is away."""
        ...

    def assigned(self) -> Sequence[Place]: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw. `behind` is how many records wait in each bucket."""

    moves: int
    waits: int
    behind: Mapping[Place, int]

    def stands_still_since(self, before: Sight, ours: Sequence[Place]) -> bool:
        """Whether records waited all the time and none was finished, by this consumer or, where it has no bucket, by any."""
        if (self.moves, self.waits) != (before.moves, before.waits):
            return False
        waiting = [place for place in ours or self.behind if self.behind.get(place, 0) and before.behind.get(place, 0)]
        return bool(waiting) and all(self.behind[place] >= before.behind[place] for place in waiting)


class Watchdog:
    """Watches one consumer. `run()` ends by raising Stuck or by being cancelled."""

    def __init__(self, consumer: str, watched: Watched, bus: Bus, topics: Sequence[str], *, after: float) -> None:
        """`after` is how many seconds a consumer may stand still."""
        self._consumer = consumer
        self._watched = watched
        self._bus = bus
        self._topics = topics
        self._pause = after / LOOKS

    async def run(self) -> None:
        """Look again and again. Raises Stuck."""
        before, still = await self._look(), 0
        while True:
            await asyncio.sleep(self._pause)
            now = await self._look()
            if before and now and now.stands_still_since(before, self._watched.assigned()):
                still += 1
                log.warning("consumer stands still", service=self._consumer, count=still)
            else:
                still = 0
            if still >= LOOKS:
                raise Stuck(self._consumer)
            before = now

    async def _look(self) -> Sight | None:
        """None while the bus itself does not answer."""
        moves, waits = self._watched.moves, self._watched.waits
        try:
            return Sight(moves, waits, await self._bus.lag(self._consumer, self._topics))
        except DependencyAway:
            return None
