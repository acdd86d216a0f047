"""A school at a chosen instant under a chosen policy: time is moved, never waited for."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bookbag.chassis.clock import MovableClock
from services.messaging.held import actions as held
from services.messaging.tests.builders import Oak, Somebody
from tests.support.house import House
from tests.support.policy import document_with

LONDON = ZoneInfo("Europe/London")


def london(text: str) -> datetime:
    """An instant by the wall clock of the test schools."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def shown(text: str) -> str:
    """An instant as the API writes it."""
    return london(text).isoformat().replace("+00:00", "Z")


@dataclass
class Hours:
    """Class Oak of a school with hours; `clock` is its services'."""

    oak: Oak
    clock: MovableClock

    async def is_at(self, text: str) -> int:
        """It becomes this time in London; what is due is released. Gives how many messages were."""
        self.clock.instant = london(text)
        await self.oak.heard()
        return await self.releases()

    async def releases(self) -> int:
        """Look at what is due in all schools of the house; gives how many messages became visible in this one."""
        before = await self._visible()
        await held.release_due(self.oak.runtime)
        return await self._visible() - before

    async def _visible(self) -> int:
        return await self.oak.asks("select count(*) from message where school_id = $1")

    async def writes(self, who: Somebody, text: str, **more: Any) -> dict[str, Any]:
        return await who.says(self.oak.thread, text, **more)

    async def refused(self, who: Somebody, text: str, **more: Any) -> dict[str, Any]:
        answer = await who.post(f"/threads/{self.oak.thread}/messages", {"text": text, **more})
        assert answer.status_code == 403, answer.text
        return answer.json()

    async def composing(self, who: Somebody) -> dict[str, Any]:
        return (await who.sees(self.oak.thread))["composing"]

    async def seen_by(self, who: Somebody) -> list[str]:
        return list(reversed(await who.reads(self.oak.thread)))


@asynccontextmanager
async def school_at(house: House, text: str, preset: str, **changed: Any) -> AsyncGenerator[Hours]:
    """Class Oak at this time in London, its thread there already."""
    clock = MovableClock(london(text) - timedelta(minutes=1))
    async with house.runtime("messaging", clock=clock) as runtime, house.client(runtime) as http:
        policy = document_with(preset, {path.replace("__", "."): value for path, value in changed.items()})
        oak = await Oak.built(house, runtime, http, policy=policy)
        clock.instant = london(text)
        yield Hours(oak, clock)
