"""What a handler of events gets: the school, the instant, and the one transaction in which it may change anything.

The effect and the mark that says so commit together; a repeated event finds its mark and changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from bookbag.chassis.bus import Record
from bookbag.chassis.database import Tx

if TYPE_CHECKING:
    from bookbag.chassis.runtime import Runtime


class AlreadyProcessed(Exception):
    """The effect of all these events is committed; there is nothing left to do."""


class NoEffect(Exception):
    """A handler ended without opening its effect, so the event would never be marked as processed."""


@dataclass(slots=True)
class EventsCall:
    """Events of one type and one school, handled together."""

    runtime: Runtime
    records: Sequence[Record]
    now: datetime
    opened: bool = False

    @property
    def school(self) -> UUID:
        """The school the events belong to."""
        return self.records[0].school

    @asynccontextmanager
    async def effect(self) -> AsyncGenerator[tuple[Tx, frozenset[UUID]]]:
        """The transaction of the effect, which also marks the events as processed, and the ids of those that were not before: the
        effect is of these alone. Ask siblings before opening it, not inside. Raises AlreadyProcessed when there are none."""
        self.opened = True
        async with self.runtime.database.tenant(self.school, now=self.now) as tx:
            marked = await tx.fetch(
                "insert into processed (school_id, consumer, event_id) select $1, $2, e from unnest($3::uuid[]) e"
                " on conflict do nothing returning event_id",
                self.school, self.runtime.name, [record.event_id for record in self.records],
            )  # fmt: skip
            if not marked:
                raise AlreadyProcessed
            yield tx, frozenset(row["event_id"] for row in marked)


@dataclass(slots=True)
class EventCall:
    """One event."""

    runtime: Runtime
    record: Record
    now: datetime
    opened: bool = False

    @property
    def school(self) -> UUID:
        """The school the event belongs to."""
        return self.record.school

    @asynccontextmanager
    async def effect(self) -> AsyncGenerator[Tx]:
        """The transaction of the effect, which also marks the event as processed. Ask siblings before opening it, not inside."""
        self.opened = True
        async with EventsCall(self.runtime, [self.record], self.now).effect() as (tx, _):
            yield tx


def in_waves(records: Sequence[Record]) -> list[list[list[Record]]]:
    """Records in an order in which those of one school and type lie together, while those of one key keep theirs: waves to be handled
    one after the other, each of groups to be handled at once."""
    waves: list[dict[Hashable, list[Record]]] = []
    last_of_key: dict[UUID, tuple[int, Hashable]] = {}
    for record in records:
        group = (record.school, record.type)
        wave, before = last_of_key.get(record.key, (0, group))
        if before != group:
            wave += 1
        last_of_key[record.key] = (wave, group)
        if wave == len(waves):
            waves.append({})
        waves[wave].setdefault(group, []).append(record)
    return [list(groups.values()) for groups in waves]
