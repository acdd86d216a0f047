"""One member of a consumer group: polls and commits in a thread of its own, and stays a member while its records are handled.

Handling may take long (a dependency is away), and a group waits for each member when it shares anew; so between two polls the member
keeps its place with its buckets paused. A member is bound to the generation of its topics: after a broker lost them, offsets mean
other records, so nothing more is committed and the member begins anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bookbag.chassis import kafka_client as client
from bookbag.chassis.bus import Delivered
from bookbag.chassis.kafka_records import Unreadable, record_from
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from bookbag.chassis.settings import Platform

log = structlog.get_logger()

KEEP_SECONDS = 0.5
"""How long after a poll the member begins to keep its place by itself."""

CLOSE_MS = 3_000
COMMIT_MS = 4_000

_GENERATION_SECONDS = 0.2
"""How old the knowledge of the topics' generation may be at a commit; a broker cannot be wiped and filled again in that time."""


class Generation(Protocol):
    """`KafkaBus.generation`."""

    def __call__(self, topics: Sequence[str], *, within: float = 0.0) -> Awaitable[str]: ...


class KafkaSubscription:
    """See `bus.Subscription`. Connects at the first poll, so a consumer can start before its broker does."""

    def __init__(self, platform: Platform, group: str, topics: Sequence[str], generation: Generation) -> None:
        self._platform = platform
        self._prefix = platform.kafka_prefix
        self._group = group
        self._topics = topics
        self._generation_of = generation
        self._generation = ""
        self._thread = client.Thread("kafka in")
        self._consumer: Any = None
        self._assigned: frozenset[tuple[str, int]] = frozenset()
        self._ready: list[Delivered] = []
        self._busy = False
        self._polled_at = 0.0
        self._keeping = asyncio.create_task(self._keep(), name="kafka membership")

    def assigned(self) -> Sequence[tuple[str, int]]:
        return list(self._assigned)

    async def poll(self, limit: int, seconds: float) -> Sequence[Delivered]:
        """See `bus.Subscription`. Raises DependencyAway when the broker does not answer."""
        self._busy = True
        try:
            if self._consumer is None:
                self._generation = await self._generation_of(self._topics)
            elif await self._is_other():
                await self._begin_anew()
                return []
            return await self._thread.run(self._poll, limit, seconds)
        finally:
            self._busy = False
            self._polled_at = time.monotonic()

    async def commit(self, topic: str, bucket: int, position: int) -> bool:
        """See `bus.Subscription`. Raises DependencyAway when the broker does not answer. False also while the group shares its buckets
        anew: whoever has the bucket then commits it with its next record."""
        if (topic, bucket) not in self._assigned:
            return False
        if await self._is_other():
            await self._begin_anew()
            return False
        return await self._thread.run(self._commit, topic, bucket, position)

    async def close(self) -> None:
        self._keeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeping
        await self._thread.run(self._drop)
        self._thread.end()

    async def _is_other(self) -> bool:
        return await self._generation_of(self._topics, within=_GENERATION_SECONDS) != self._generation

    async def _begin_anew(self) -> None:
        log.warning("the broker's topics are not those of before; reading from their beginning", consumer=self._group)
        await self._thread.run(self._drop)

    async def _keep(self) -> None:
        """Answer the group while nobody polls."""
        while True:
            await asyncio.sleep(KEEP_SECONDS / 2)
            if not self._busy and self._consumer is not None and time.monotonic() - self._polled_at > KEEP_SECONDS:
                with suppress(DependencyAway):
                    await self._thread.run(self._keep_place)

    def _poll(self, limit: int, seconds: float) -> Sequence[Delivered]:
        with self._fetching() as consumer:
            consumer.resume(*consumer.paused())
            self._take(consumer.poll(timeout_ms=0 if self._ready else int(seconds * 1000), max_records=limit))
        ready, self._ready = self._ready, []
        ours = [one for one in ready if (one.record.topic, one.record.bucket) in self._assigned]
        return sorted(ours, key=lambda one: (one.record.topic, one.record.bucket))

    def _keep_place(self) -> None:
        if self._consumer is None:
            return
        with self._fetching() as consumer:
            consumer.pause(*consumer.assignment())
            # What was assigned this moment is not paused yet and may bring records: they wait for the next poll.
            self._take(consumer.poll(timeout_ms=50, max_records=1))

    def _commit(self, topic: str, bucket: int, position: int) -> bool:
        at = client.place(self._prefix + topic, bucket)
        with self._speaking() as consumer:
            # The broker takes an offset from any member of the group, also of a bucket that has moved to another.
            if at not in consumer.assignment():
                return False
            try:
                consumer.commit({at: client.next_offset(position)}, timeout_ms=COMMIT_MS)
            except client.TakenOver:
                return False
        return True

    def _take(self, polled: dict[Any, list[Any]]) -> None:
        for at, found in polled.items():
            topic = at.topic.removeprefix(self._prefix)
            for one in found:
                try:
                    record = record_from(topic, at.partition, one.headers, one.value)
                except Unreadable as error:
                    log.error("a record that is no event of ours", consumer=self._group, error=str(error))
                    self._pass_over(topic, at, one.offset)
                    continue
                self._ready.append(Delivered(record, one.offset))

    def _pass_over(self, topic: str, at: Any, offset: int) -> None:
        """Have a record that nobody handles committed: with the one before it in its bucket, or at once when all before it are."""
        for place, one in reversed(list(enumerate(self._ready))):
            if (one.record.topic, one.record.bucket) == (topic, at.partition):
                self._ready[place] = replace(one, position=offset)
                return
        with suppress(*client.TakenOver):
            self._consumer.commit({at: client.next_offset(offset)}, timeout_ms=COMMIT_MS)

    @contextmanager
    def _fetching(self) -> Generator[Any]:
        """The consumer, for taking records. Any error ends it: it has moved on behind what it was about to hand over, and only a new
        one begins at the committed offsets."""
        with self._speaking() as consumer:
            try:
                yield consumer
            except (client.KafkaError, OSError):
                self._drop()
                raise

    @contextmanager
    def _speaking(self) -> Generator[Any]:
        """The consumer, made when there is none; afterwards it is known what is ours. What does not pass by itself ends it."""
        with client.told_apart():
            try:
                if self._consumer is None:
                    topics = [self._prefix + topic for topic in self._topics]
                    self._consumer = client.consumer(self._platform, self._group, topics)
                yield self._consumer
            except (client.KafkaError, OSError) as error:
                if not client.passes(error):
                    self._drop()
                raise
            finally:
                places = self._consumer.assignment() if self._consumer is not None else ()
                self._assigned = frozenset((at.topic.removeprefix(self._prefix), at.partition) for at in places)

    def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._assigned = frozenset()
        self._ready = []
        if consumer is not None:
            with suppress(client.KafkaError, OSError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
