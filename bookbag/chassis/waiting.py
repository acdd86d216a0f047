"""How a process waits for what it cannot do without: it says once what is missing and once that it is there, and asks ever less often.

A process never ends because something it needs is away. It starts, says in `/readyz` what it waits for, and goes on by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from bookbag.chassis.problems import DependencyAway

log = structlog.get_logger()

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 2.0
"""Seconds between two questions; the longest bounds how late a process notices that it can go on."""


class Outage:
    """Says once that something is away and once that it is back, for loops that try again and again."""

    def __init__(self, service: str | None = None) -> None:
        self._of = {} if service is None else {"service": service}
        self._since: float | None = None
        self._name = ""

    def goes_on(self, dependency: str) -> None:
        """It is (still) away."""
        if self._since is None or self._name != dependency:
            self._since, self._name = self._since or time.monotonic(), dependency
            log.warning("waits for what is away", dependency=dependency, **self._of)

    def is_over(self) -> None:
        """It answered."""
        if self._since is not None:
            log.info("goes on", dependency=self._name, seconds=round(time.monotonic() - self._since, 1), **self._of)
            self._since = None


async def until_there(ask: Callable[[], Awaitable[object]], *, service: str | None = None) -> None:
    """Ask until the answer is not DependencyAway. Waits for ever; whoever cannot puts a time limit around it."""
    outage, pause = Outage(service), FIRST_PAUSE
    while True:
        try:
            await ask()
        except DependencyAway as away:
            outage.goes_on(away.name)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            outage.is_over()
            return
