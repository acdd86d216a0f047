"""Handles events once in effect, in order per key, whatever dies: the attempt is counted first, the effect and its mark commit together.

A record that fails parks its key: later records of that key wait in a table while other keys go on. It is tried again with growing
pauses and then becomes a dead letter, which operators list and replay; the key goes on behind it. A dependency that is away is
nobody's fault: the bucket simply waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from google.protobuf.message import Message

from bookbag.chassis import faults, measures, tracing
from bookbag.chassis.bus import Bus, Delivered, Record, Subscription
from bookbag.chassis.database import Row, topic_of
from bookbag.chassis.hearing import AlreadyProcessed, EventCall, EventsCall, NoEffect, hearing, in_waves
from bookbag.chassis.outbox_bus import record_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.service import Together

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from bookbag.chassis.runtime import Runtime

log = structlog.get_logger()

ATTEMPTS = 5
"""After so many failed attempts a record becomes a dead letter."""

DEATHS = 3
"""After so many attempts that left no word (the process died) a record becomes a dead letter too."""

DIED = "the process died while handling it"

PAUSES = (timedelta(seconds=0.5), timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=3))
"""Before the second, third, … attempt; together under ten seconds, by when a dead letter must be visible."""

BATCH = 1600
"""Records polled at once, over all buckets."""

PLENTY = BATCH // 2
"""When so many came there are more: they are fetched while these are handled."""

TOGETHER = 200
"""Records that one transaction takes at most."""

LANES = 4
"""Transactions that are open at once: one waits for the disk while another is made ready."""

POLL_SECONDS = 0.5

_COLUMNS = "school_id, consumer, event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at"


def _parsed(kind: type[Message], record: Record) -> Message:
    event = kind()
    event.ParseFromString(record.payload)
    return event


class Consumer:
    """All that one service hears, in one process. Run `run()` as a task."""

    def __init__(self, runtime: Runtime, bus: Bus) -> None:
        self._runtime = runtime
        self._bus = bus
        self._worker = runtime.across_schools
        self._handlers = {event.DESCRIPTOR.full_name: (event, on) for event, on in runtime.service.hears.items()}
        self._together = {name for name, (_, on) in self._handlers.items() if isinstance(on, Together)}
        self._lanes = asyncio.Semaphore(LANES)
        self._topics = sorted({topic_of(kind) for kind in self._handlers})
        self._name = runtime.name
        self._counted: set[UUID] = set()
        self._subscription: Subscription | None = None
        self._ahead: asyncio.Task[Sequence[Delivered]] | None = None
        self.moves = 0
        self.waits = 0

    def assigned(self) -> Sequence[tuple[str, int]]:
        """The buckets this consumer has now."""
        return self._subscription.assigned() if self._subscription is not None else ()

    @property
    def topics(self) -> Sequence[str]:
        """What it listens to."""
        return self._topics

    async def run(self) -> None:
        """Consume until cancelled; then finish the record at hand and hand the buckets back."""
        subscription = self._subscription = await self._bus.subscribe(self._name, self._topics)
        try:
            while True:
                try:
                    await self._turn(subscription)
                except DependencyAway as away:
                    self.waits += 1
                    log.warning("consumer waits", service=self._name, dependency=away.name)
                    await asyncio.sleep(1)
        finally:
            if self._ahead is not None:
                self._ahead.cancel()
            await asyncio.shield(subscription.close())

    async def _turn(self, subscription: Subscription) -> None:
        ahead, self._ahead = self._ahead, None
        delivered = await ahead if ahead is not None else ()
        delivered = delivered or await subscription.poll(BATCH, POLL_SECONDS)
        if len(delivered) >= PLENTY:
            self._ahead = asyncio.create_task(subscription.poll(BATCH, 0))
        if delivered:
            await asyncio.shield(asyncio.create_task(self._all_buckets(subscription, delivered)))
        await self._try_parked(subscription)

    async def _all_buckets(self, subscription: Subscription, delivered: Sequence[Delivered]) -> None:
        """Handle the records of all buckets together. When a dependency is away, each bucket goes on by itself: perhaps not all of them
        need it."""
        groups = [list(group) for _, group in groupby(delivered, key=lambda one: (one.record.topic, one.record.bucket))]
        try:
            await self._handle_all([one.record for one in delivered])
        except DependencyAway:
            await asyncio.gather(*(self._bucket(subscription, group) for group in groups))
        else:
            await asyncio.gather(*(self._done_with(subscription, group[-1]) for group in groups))

    async def _done_with(self, subscription: Subscription, last: Delivered) -> None:
        """Commit that all up to this record has had its effect."""
        await faults.reached(faults.AFTER_EFFECT, self._name)
        await subscription.commit(last.record.topic, last.record.bucket, last.position)
        self.moves += 1

    async def _bucket(self, subscription: Subscription, group: Sequence[Delivered]) -> None:
        """Handle the records of one bucket in order. A dependency that is away is waited for here, so nothing is passed over."""
        last = group[-1]
        pause = 0.2
        while True:
            try:
                await self._handle_all([one.record for one in group])
                await self._done_with(subscription, last)
                return
            except DependencyAway as away:
                self.waits += 1
                log.warning("bucket waits", service=self._name, dependency=away.name)
                if (last.record.topic, last.record.bucket) not in subscription.assigned():
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def _handle_all(self, records: Sequence[Record]) -> None:
        wanted = [record for record in records if record.type in self._handlers]
        if not wanted:
            return
        ids = [record.event_id for record in wanted]
        settled, parked = await self._known(wanted, ids)
        fresh = [record for record in wanted if record.event_id not in settled]
        await self._count_new(fresh)
        if any(record.event_id not in self._counted for record in fresh):
            for record in fresh:  # in hand at two deaths: what is to blame shall die alone
                await self._handle_alone(record, parked)
        else:
            for wave in in_waves(fresh, most=TOGETHER, together=self._together):
                await self._side_by_side(self._handle_group(group, parked) for group in wave)
        await self._worker.execute("delete from attempt where consumer = $1 and event_id = any($2)", self._name, ids)
        self._counted.difference_update(ids)

    async def _side_by_side(self, work: Iterable[Coroutine[None, None, None]]) -> None:
        """Do what has no key in common, a few at a time, all to its end; then raise what the first that failed raised."""

        async def one(doing: Coroutine[None, None, None]) -> None:
            async with self._lanes:
                await doing

        for outcome in await asyncio.gather(*(one(doing) for doing in work), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _handle_group(self, group: Sequence[Record], parked: set[UUID]) -> None:
        """Handle records of one school and type: at once if their handler can, or else one after the other. Those whose key waits wait."""
        for record in group:
            if record.key in parked:
                await self._park(record, attempts=0, error=None)
        going = [record for record in group if record.key not in parked]
        if len(going) > 1 and going[0].type in self._together and await self._handle_together(going):
            return
        for record in going:
            await self._handle_alone(record, parked)

    async def _handle_together(self, group: Sequence[Record]) -> bool:
        """Handle records of one school and type at once. False when they must be handled one by one, because the handler failed."""
        with measures.event_time.labels(self._name, group[0].type).time(), hearing(group, self._name) as heard:
            try:
                outcome = await self._effect_of(group, heard.traces)
            except DependencyAway:
                raise
            except Exception as error:  # whose fault it is shows when they are handled one by one
                log.warning(
                    "events are handled one by one", service=self._name, kind=group[0].type, error=type(error).__name__,
                    exc_info=error,
                )  # fmt: skip
                heard.failed(type(error).__name__)
                return False
        self._done(group, outcome)
        return True

    def _done(self, records: Sequence[Record], outcome: str) -> None:
        self.moves += len(records)
        measures.events.labels(self._name, records[0].type, outcome).inc(len(records))
        if outcome == "done":
            now, age = self._runtime.clock.now(), measures.event_age.labels(self._name)
            for record in records:
                age.observe(max(0.0, (now - record.occurred_at).total_seconds()))

    async def _effect_of(self, records: Sequence[Record], traces: Mapping[UUID, str | None]) -> str:
        """Run the handler of some records of one type: `done`, or `repeated` when their effect was there already."""
        kind, handler = self._handlers[records[0].type]
        now, events = self._runtime.clock.now(), [_parsed(kind, record) for record in records]
        try:
            if isinstance(handler, Together):
                together = EventsCall(self._runtime, records, now, traces)
                await handler.handle(together, events)
                opened = together.opened
            else:
                alone = EventCall(self._runtime, records[0], now)
                await handler(alone, events[0])
                opened = alone.opened
        except AlreadyProcessed:
            return "repeated"
        if not opened:
            raise NoEffect(records[0].type)
        return "done"

    async def _handle_alone(self, record: Record, parked: set[UUID]) -> None:
        if record.key in parked:
            await self._park(record, attempts=0, error=None)
        elif (deaths := await self._deaths(record)) >= DEATHS:
            await self._bury(record, deaths, DIED)
        elif (error := await self._handle(record)) is not None:
            parked.add(record.key)
            await self._park(record, attempts=1, error=error)

    async def _known(self, wanted: Sequence[Record], ids: Sequence[UUID]) -> tuple[set[UUID], set[UUID]]:
        """Which of these events are done with or already waiting in a table, and which of their keys are parked."""
        async with self._worker.transaction() as connection:
            done = await connection.fetch(
                "select event_id from processed where consumer = $1 and event_id = any($2) and school_id = any($3)"
                " union all select event_id from parked_record where consumer = $1 and event_id = any($2)"
                " union all select event_id from dead_letter where consumer = $1 and event_id = any($2)",
                self._name,
                ids,
                list({record.school for record in wanted}),
            )
            waiting = await connection.fetch(
                "select distinct key from parked_record where consumer = $1 and key = any($2)",
                self._name,
                [record.key for record in wanted],
            )
        return {row["event_id"] for row in done}, {row["key"] for row in waiting}

    async def _count_new(self, records: Sequence[Record]) -> None:
        """Count an attempt of each record that was never tried, or in hand at one death only, all at once, before any is handled.

        One death is most often nobody's fault, and what was in hand then goes on together; after two each is handled alone, so that
        who dies of a record dies of it alone.
        """
        new = {record.event_id: record.school for record in records if record.event_id not in self._counted}
        rows = await self._worker.fetch(
            "insert into attempt as a (school_id, consumer, event_id, attempts)"
            " select s, $1, e, 1 from unnest($2::uuid[], $3::uuid[]) u (s, e)"
            " on conflict (school_id, consumer, event_id) do update set attempts = 2, last_at = clock_timestamp()"
            "   where a.attempts = 1 returning event_id",
            self._name, list(new.values()), list(new),
        )  # fmt: skip
        self._counted.update(row["event_id"] for row in rows)

    async def _deaths(self, record: Record) -> int:
        """How often a process died with this record in hand or behind the one in hand. An attempt counts once in the life of a
        process, because what ends in this process is no death; only the record at hand is counted again after one."""
        if record.event_id in self._counted:
            return 0
        self._counted.add(record.event_id)
        attempts: int | None = await self._worker.fetchval(
            "update attempt set attempts = attempts + 1, last_at = clock_timestamp()"
            " where consumer = $1 and event_id = $2 and school_id = $3 returning attempts",
            self._name,
            record.event_id,
            record.school,
        )
        # No row any more: whoever had the bucket before, or has it now, is done with the record.
        return 0 if attempts is None else attempts - 1

    async def _handle(self, record: Record) -> str | None:
        """Run the handler of one record. Returns the name of the error that it failed with, or None."""
        with measures.event_time.labels(self._name, record.type).time(), hearing([record], self._name) as heard:
            span = heard.spans[0]
            try:
                outcome = await self._effect_of([record], heard.traces)
            except DependencyAway:
                raise
            except Exception as error:  # any failure of one record is that record's, never the consumer's
                log.error(
                    "event failed", service=self._name, kind=record.type, event_id=str(record.event_id),
                    error=type(error).__name__, exc_info=error,
                )  # fmt: skip
                return self._failed(record, type(error).__name__, span)
            span.set_attribute("bookbag.outcome", outcome)
        self._done([record], outcome)
        return None

    def _failed(self, record: Record, error: str, span: Span) -> str:
        self.moves += 1
        tracing.failed(span, error)
        measures.events.labels(self._name, record.type, "failed").inc()
        return error

    async def _park(self, record: Record, *, attempts: int, error: str | None) -> None:
        await self._worker.execute(
            f"insert into parked_record ({_COLUMNS}, attempts, error, due_at)"  # noqa: S608 - names of our own
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp() + $14) on conflict do nothing",
            *self._values(record), attempts, error, PAUSES[0] if attempts else timedelta(0),
        )  # fmt: skip

    async def _bury(self, record: Record, attempts: int, error: str) -> None:
        async with self._worker.transaction() as connection:
            await connection.execute(
                f"insert into dead_letter ({_COLUMNS}, attempts, error)"  # noqa: S608 - names of our own
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
                *self._values(record), attempts, error,
            )  # fmt: skip
            await connection.execute(
                "delete from parked_record where consumer = $1 and event_id = $2", self._name, record.event_id
            )
        log.error("dead letter", service=self._name, kind=record.type, event_id=str(record.event_id), error=error)
        measures.events.labels(self._name, record.type, "dead").inc()

    def _values(self, record: Record) -> tuple[object, ...]:
        return (
            record.school, self._name, record.event_id, record.topic, record.bucket, record.key, record.type, record.payload,
            record.sequence, record.trace, record.occurred_at,
        )  # fmt: skip

    async def _try_parked(self, subscription: Subscription) -> None:
        """Try the first record of each parked key that is due, and those behind it, in the buckets that are ours."""
        ours = subscription.assigned()
        rows = await self._worker.fetch(
            "select distinct on (p.key) p.* from parked_record p"
            " join unnest($2::text[], $3::smallint[]) b (topic, bucket) on b.topic = p.topic and b.bucket = p.bucket"
            " where p.consumer = $1 order by p.key, p.ordinal",
            self._name, [topic for topic, _ in ours], [bucket for _, bucket in ours],
        )  # fmt: skip
        now = await self._worker.fetchval("select clock_timestamp()") if rows else None
        for row in rows:
            if row["due_at"] <= now:
                await self._try_key(row)

    async def _try_key(self, row: Row) -> None:
        following: Row | None = row
        while following is not None:
            record = record_of(following)
            attempts: int | None = await self._worker.fetchval(
                "update parked_record set attempts = attempts + 1 where consumer = $1 and event_id = $2 returning attempts",
                self._name, record.event_id,
            )  # fmt: skip
            # Without a row somebody else has dealt with it, who had the bucket before or has it now.
            if attempts is not None and not await self._try_once(record, attempts):
                return
            following = await self._worker.fetchrow(
                "select * from parked_record where consumer = $1 and key = $2 order by ordinal limit 1",
                self._name,
                record.key,
            )

    async def _try_once(self, record: Record, attempts: int) -> bool:
        """Handle a parked record for the so-manieth time. Whether its key goes on: it is done, or given up. A try that ends because
        something is away does not count; of one that left no word the process died."""
        if attempts > ATTEMPTS:
            await self._bury(record, attempts - 1, DIED)
            return True
        try:
            error = await self._handle(record)
        except DependencyAway:
            await self._worker.execute(
                "update parked_record set attempts = attempts - 1 where consumer = $1 and event_id = $2",
                self._name, record.event_id,
            )  # fmt: skip
            raise
        if error is None:
            await self._worker.execute(
                "delete from parked_record where consumer = $1 and event_id = $2", self._name, record.event_id
            )
        elif attempts >= ATTEMPTS:
            await self._bury(record, attempts, error)
        else:
            await self._worker.execute(
                "update parked_record set error = $3, due_at = clock_timestamp() + $4 where consumer = $1 and event_id = $2",
                self._name, record.event_id, error, PAUSES[min(attempts, len(PAUSES)) - 1],
            )  # fmt: skip
            return False
        return True
