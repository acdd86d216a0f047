"""The contract of the bus that carries events, shaped after Kafka: topics, ordered buckets, consumer groups with offsets.

On one machine the published outbox itself is the log (`outbox_bus`); in stack and cluster it is Kafka (`kafka_bus`). Whatever carries
the events, the relay publishes and then marks, and consumers commit after their effect; so an event can come twice, and never not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bookbag.chassis.problems import DependencyAway

LARGEST_EVENT = 256 * 1024
"""Bytes of payload; events carry ids and facts, so what is larger is a mistake."""


class TopicMissing(DependencyAway):
    """The bus answers, but nobody has made a topic that is needed."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"kafka topic {topic}")
        self.topic = topic


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the bus carries it. `sequence` is the aggregate's own number of it, when it has one."""

    school: UUID
    event_id: UUID
    topic: str
    bucket: int
    key: UUID
    type: str
    payload: bytes
    sequence: int | None
    trace: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record at its place in the log of its bucket."""

    record: Record
    position: int


class Subscription(Protocol):
    """One member of a consumer group over some topics. Each bucket has one member at a time."""

    async def poll(self, limit: int, seconds: float) -> Sequence[Delivered]:
        """The next records of our buckets, in order per bucket; waits up to `seconds` for the first. Records polled and not yet
        committed are not given again to this member while it lives, but come again after a take-over."""
        ...

    async def commit(self, topic: str, bucket: int, position: int) -> bool:
        """Say that everything up to `position` is done. False when the bucket is no longer ours; then somebody else has it."""
        ...

    def assigned(self) -> Sequence[tuple[str, int]]:
        """The (topic, bucket) pairs that are ours now."""
        ...

    async def close(self) -> None:
        """Hand the buckets back."""
        ...


class Bus(Protocol):
    """Publishing and subscribing."""

    async def publish(self, records: Sequence[Record]) -> Mapping[UUID, str]:
        """Durable for all when it returns, but for those it names: these the bus will never take, and why. Raises DependencyAway when
        it cannot be known for any. Order per bucket is kept."""
        ...

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> Subscription: ...

    async def generation(self, topics: Sequence[str], *, within: float = 0.0) -> str:
        """Names the log of these topics: another name once it was lost and begins again from nothing. An answer up to `within`
        seconds old will do."""
        ...

    async def lag(self, consumer: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Published records that the consumer has not committed yet, per (topic, bucket)."""
        ...

    async def ready(self) -> None:
        """Raise DependencyAway unless the bus answers."""
        ...

    async def close(self) -> None:
        """Let go of what it holds; subscriptions are closed before."""
        ...
