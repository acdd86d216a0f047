"""The bus of stack and cluster: Kafka, one partition per bucket, so that order per key and parking are the same as on one machine.

What is in flight is decided here, not by the client: of each bucket one batch at a time, the next only when the broker has it. So a batch
that fails leaves nothing of its bucket behind it, whatever the broker was doing, and an outage keeps at most one batch per bucket in
memory. A producer that failed is thrown away with what it still held.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from bookbag.chassis import kafka_client as client
from bookbag.chassis.bus import TopicMissing
from bookbag.chassis.kafka_records import headers_of, key_of, size_of
from bookbag.chassis.kafka_subscription import KafkaSubscription
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from bookbag.chassis.bus import Record
    from bookbag.chassis.settings import Platform

R = TypeVar("R")

PUBLISH_SECONDS = 10.0
"""After so long without the broker's word a batch counts as not published; the relay tries again."""

WAVE_BYTES = client.BATCH_BYTES // 2
"""What one bucket may have in flight."""

_ADMIN_TRIES = 3
_AT_ONCE = 1.0


class KafkaBus:
    """See `bus.Bus`. One per process; connects to nothing before it is used."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._prefix = platform.kafka_prefix
        self._publishing = asyncio.Lock()
        self._out = client.Thread("kafka out")
        self._asking = client.Thread("kafka admin")
        self._producer: Any = None
        self._admin: Any = None
        self._largest: dict[str, int] = {}
        self._known: dict[tuple[str, ...], tuple[float, str]] = {}

    async def publish(self, records: Sequence[Record]) -> Mapping[UUID, str]:
        """See `bus.Bus`. Raises DependencyAway when the broker does not take them all in time."""
        async with self._publishing:
            for topic in {record.topic for record in records} - self._largest.keys():
                self._largest[topic] = await self._ask(lambda admin, name=self._prefix + topic: largest(admin, name))
            return await self._out.run(self._publish, records)

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> KafkaSubscription:
        return KafkaSubscription(self._platform, f"{self._prefix}{consumer}", topics, self.generation)

    async def generation(self, topics: Sequence[str], *, within: float = 0.0) -> str:
        """The ids that the cluster gave these topics when they were made: others once the broker lost them.

        An answer up to `within` seconds old will do. Raises TopicMissing or another DependencyAway.
        """
        wanted = tuple(sorted(topics))
        at, known = self._known.get(wanted, (0.0, ""))
        if known and time.monotonic() - at < within:
            return known
        asked_at = time.monotonic()
        found = await self._ask(lambda admin: described(admin, [self._prefix + topic for topic in wanted]))
        known = ",".join(sorted(str(topic["topic_id"]) for topic in found))
        self._known[wanted] = (asked_at, known)
        return known

    async def lag(self, consumer: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        return await self._ask(lambda admin: self._lag(admin, f"{self._prefix}{consumer}", topics))

    async def ready(self) -> None:
        """Raise DependencyAway unless a broker answers."""
        await self._ask(lambda admin: admin.describe_cluster())

    async def close(self) -> None:
        await self._out.run(self._drop_producer)
        await self._asking.run(self._drop_admin)
        self._out.end()
        self._asking.end()

    def _publish(self, records: Sequence[Record]) -> dict[UUID, str]:
        refused: dict[UUID, str] = {}
        try:
            with client.told_apart():
                for wave in waves(records, self._largest):
                    refused |= self._send_wave(wave)
        except DependencyAway:
            self._drop_producer()
            self._largest.clear()
            raise
        return refused

    def _send_wave(self, wave: Sequence[Record]) -> dict[UUID, str]:
        """Send one batch per bucket. Gives those that are too large for the broker.

        The client lets everything behind such a record fail with it, so the verdict counts only for a record that was on the way by
        itself: others are sent again, one by one.
        """
        try:
            self._send(wave)
        except client.TooLarge:
            self._drop_producer()
            if len(wave) == 1:
                return {wave[0].event_id: "TooLarge"}
            refused: dict[UUID, str] = {}
            for record in wave:
                refused |= self._send_wave([record])
            return refused
        return {}

    def _send(self, wave: Sequence[Record]) -> None:
        if self._producer is None:
            self._producer = client.producer(self._platform)
        sent = [self._hand_over(record) for record in wave]
        end = time.monotonic() + PUBLISH_SECONDS
        self._flush(end)
        for future in sent:
            future.get(max(0.0, end - time.monotonic()))

    def _flush(self, end: float) -> None:
        """Send what was handed over and wait for the broker's word. The client loses count when it has to split a batch that the
        broker found too large; then it is asked once more."""
        while True:
            try:
                self._producer.flush(max(0.0, end - time.monotonic()))
            except client.LostCount:
                if time.monotonic() >= end:
                    raise
            else:
                return

    def _hand_over(self, record: Record) -> Any:
        return self._producer.send(
            self._prefix + record.topic,
            value=record.payload,
            key=key_of(record),
            headers=headers_of(record),
            partition=record.bucket,
        )

    def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(client.KafkaError):
                producer.close(timeout=0)

    async def _ask(self, question: Callable[[Any], R]) -> R:
        """Ask the cluster, and again when it refused at once: a connection may be an old one, and a broker that has just started may
        not yet know who coordinates. One that is away is not waited for twice."""
        began = time.monotonic()
        for _ in range(_ADMIN_TRIES - 1):
            try:
                return await self._asking.run(self._asked, question)
            except TopicMissing:
                raise
            except DependencyAway:
                if time.monotonic() - began > _AT_ONCE:
                    raise
            await asyncio.sleep(0.2)
        return await self._asking.run(self._asked, question)

    def _asked(self, question: Callable[[Any], R]) -> R:
        try:
            with client.told_apart():
                if self._admin is None:
                    self._admin = client.administrator(self._platform)
                return question(self._admin)
        except DependencyAway:
            self._drop_admin()
            raise

    def _drop_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(client.KafkaError):
                admin.close()

    def _lag(self, admin: Any, group: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        found = described(admin, [self._prefix + topic for topic in topics])
        places = [
            client.place(topic["name"], partition["partition_index"])
            for topic in found
            for partition in topic["partitions"]
        ]
        first = admin.list_partition_offsets(client.offsets("earliest", places))
        last = admin.list_partition_offsets(client.offsets("latest", places))
        done = admin.list_group_offsets(group)[group]
        behind: dict[tuple[str, int], int] = {}
        for at in places:
            committed = done[at].offset if at in done else -1
            begins = max(committed, first[at].offset)
            behind[at.topic.removeprefix(self._prefix), at.partition] = max(0, last[at].offset - begins)
        return behind


def described(admin: Any, names: Sequence[str]) -> Sequence[dict[str, Any]]:
    """What the cluster says of topics. Raises TopicMissing for one that is not there, DependencyAway when it cannot be said now."""
    found: Sequence[dict[str, Any]] = admin.describe_topics(list(names))
    for topic in found:
        if topic["error_code"] == client.NO_TOPIC:
            raise TopicMissing(topic["name"])
        if topic["error_code"]:
            raise DependencyAway("kafka")
    return found


def largest(admin: Any, topic: str) -> int:
    """The largest batch a topic takes, in bytes; the usual size where we may not ask."""
    try:
        found = admin.describe_configs([client.topic_settings(topic)], config_filter="all")["topic"][topic]
    except client.NotAllowed:
        return client.LARGEST_REQUEST
    return int(found["max.message.bytes"]["value"])


def waves(records: Sequence[Record], largest: Mapping[str, int]) -> Iterator[list[Record]]:
    """Split records so that of each bucket one batch is on the way at a time; order per bucket is kept.

    `largest` is what a batch of each topic may take. A record that may be larger is on the way by itself.
    """
    waiting: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in reversed(records):
        waiting[record.topic, record.bucket].append(record)
    while waiting:
        wave: list[Record] = []
        for place in list(waiting):
            lane, size = waiting[place], 0
            most = min(WAVE_BYTES, largest.get(place[0], WAVE_BYTES))
            if size_of(lane[-1]) > most:
                yield [lane.pop()]
            while lane and size + size_of(lane[-1]) <= most:
                size += size_of(lane[-1])
                wave.append(lane.pop())
            if not lane:
                del waiting[place]
        if wave:
            yield wave
