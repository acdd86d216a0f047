"""What a handler of events gets: the school, the instant, and the one transaction in which it may change anything.

The effect and the mark that says so commit together; a repeated event finds its mark and changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Generator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from opentelemetry.trace import Span, SpanKind

from bookbag.chassis import tracing
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
    traces: Mapping[UUID, str | None] = field(default_factory=dict[UUID, "str | None"])
    opened: bool = False

    def cause_of(self, event: UUID) -> str | None:
        """The trace of one of the events, for rows that it alone causes."""
        return self.traces.get(event)

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
            # A plan made for a young table reads all of it for each row, long after it has grown.
            if len(self.records) > 1:
                await tx.execute("set local plan_cache_mode = force_custom_plan")
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


def in_waves(records: Sequence[Record], *, most: int, together: Collection[str]) -> list[list[list[Record]]]:
    """Records in waves to be handled one after the other. The groups of a wave have no key in common and may be handled side by side,
    so that records of one key keep their order. A group is of one school and type, and of one key unless its type is handled
    `together`; it has at most `most` records."""

    def kind_of(record: Record) -> Hashable:
        return record.school, record.type, None if record.type in together else record.key

    runs_of_key: dict[UUID, list[list[Record]]] = {}
    for record in records:
        runs = runs_of_key.setdefault(record.key, [])
        if not runs or kind_of(runs[-1][0]) != kind_of(record) or len(runs[-1]) == most:
            runs.append([])
        runs[-1].append(record)
    waves: list[dict[Hashable, list[list[Record]]]] = []
    for runs in runs_of_key.values():
        for wave, run in enumerate(runs):
            if wave == len(waves):
                waves.append({})
            groups = waves[wave].setdefault(kind_of(run[0]), [[]])
            if len(groups[-1]) + len(run) > most:
                groups.append([])
            groups[-1].extend(run)
    return [[group for groups in kinds.values() for group in groups] for kinds in waves]


@dataclass(slots=True)
class Heard:
    """The spans of events that are being handled, and by event id what makes something a part of its trace."""

    spans: Sequence[Span]
    traces: Mapping[UUID, str | None]

    def failed(self, error: str) -> None:
        """Mark them all as failed, by the type of the error."""
        for span in self.spans:
            tracing.failed(span, error)


@contextmanager
def hearing(records: Sequence[Record], consumer: str) -> Generator[Heard]:
    """A block in which events of one type are handled: each is a part of the trace it was told in. What is done once for many is a
    trace of its own, linked to each of theirs, because many causes have no one parent."""
    if not tracing.collects():
        yield Heard([tracing.NONE] * len(records), {})
        return
    first = records[0]
    said = {
        "messaging.operation.type": "process", "messaging.destination.name": first.topic, "bookbag.event_type": first.type,
        "bookbag.school": str(first.school),
    }  # fmt: skip
    spans = [
        tracing.begin(
            consumer, f"process {record.type}", SpanKind.CONSUMER, parent=record.trace, attributes=said, apart=True
        )
        for record in records
    ]
    traces = {record.event_id: tracing.parent_of(span) for record, span in zip(records, spans, strict=True)}
    try:
        if len(spans) == 1:
            with tracing.attached(spans[0]):
                yield Heard(spans, traces)
        else:
            said = said | {"messaging.batch.message_count": len(records)}
            with tracing.span(
                consumer, f"process batch {first.type}", links=traces.values(), attributes=said, apart=True
            ):
                yield Heard(spans, traces)
    except Exception as error:
        for span in spans:
            tracing.failed(span, type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()
