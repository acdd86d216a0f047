"""The one table of topics: what each is made with, and how a topic that differs is told of.

`bookbag migrate` makes what is missing and touches nothing that exists: changing partitions under running relays would break the order
of a key, and shortening a retention loses events. Whoever runs Kafka decides; we say in words what is not as wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bookbag.chassis import kafka_client as client
from bookbag.chassis.bus import LARGEST_EVENT
from bookbag.chassis.database import BUCKETS, topic_of

if TYPE_CHECKING:
    from bookbag.chassis.service import Service
    from bookbag.chassis.settings import Platform


@dataclass(frozen=True, slots=True)
class Kind:
    """What all topics of one kind are made with."""

    partitions: int
    retention: timedelta
    cleanup: str
    largest: int

    def settings(self, copies: int) -> dict[str, str]:
        """As Kafka writes it. With three copies one broker may be away and writing goes on."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(int(self.retention.total_seconds() * 1000)),
            "max.message.bytes": str(self.largest),
            "min.insync.replicas": str(max(1, copies - 1)),
        }


EVENTS = Kind(
    # One partition per bucket, for ever: a key stays in its lane.
    partitions=BUCKETS,
    # As long as the outbox keeps what it published; consumers that were away longer are told again by hand.
    retention=timedelta(days=7),
    # Nothing is compacted: each event is a fact of its own, and the last of a key does not replace the others.
    cleanup="delete",
    # The broker counts whole batches.
    largest=max(client.LARGEST_REQUEST, 2 * LARGEST_EVENT),
)
"""Topics of events, one for each package of protocol files that a service tells from."""


_LEADERS_MS = 30_000
"""A broker on a busy machine took over ten seconds to lead what it had just made."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as the table says."""

    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.setting} is {self.found}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was made, and what differs."""

    made: Sequence[str]
    drift: Sequence[Drift]


def topics_of(services: Iterable[Service]) -> dict[str, Kind]:
    """Every topic of these services, from what their manifests say they tell and hear."""
    events = (event for service in services for event in (*service.tells, *service.hears))
    return {topic_of(event.DESCRIPTOR.full_name): EVENTS for event in events}


def ensure(platform: Platform, wanted: dict[str, Kind]) -> Report:
    """Make the topics that are missing and compare those that exist. Blocks; raises DependencyAway."""
    with client.told_apart():
        admin = client.administrator(platform)
        try:
            named = {platform.kafka_prefix + topic: kind for topic, kind in wanted.items()}
            missing = _missing(admin, named)
            if missing:
                _make(admin, {name: named[name] for name in missing}, platform.kafka_copies)
            drift = [
                one
                for name, kind in named.items()
                if name not in missing
                for one in _drift(admin, name, kind, platform.kafka_copies)
            ]
        finally:
            admin.close()
    return Report(missing, drift)


def compare(platform: Platform, wanted: dict[str, Kind]) -> Sequence[Drift]:
    """How the cluster differs from the table, a missing topic included. Blocks; raises DependencyAway."""
    with client.told_apart():
        admin = client.administrator(platform)
        try:
            named = {platform.kafka_prefix + topic: kind for topic, kind in wanted.items()}
            missing = _missing(admin, named)
            drift = [Drift(name, "topic", "there", "missing: run `bookbag migrate`") for name in missing]
            for name, kind in named.items():
                if name not in missing:
                    drift += _drift(admin, name, kind, platform.kafka_copies)
        finally:
            admin.close()
    return drift


def holding(platform: Platform, wanted: dict[str, Kind]) -> str | None:
    """A topic of these that holds events, by its whole name; None when none does. Blocks; raises DependencyAway."""
    with client.told_apart():
        admin = client.administrator(platform)
        try:
            named = {platform.kafka_prefix + topic: kind for topic, kind in wanted.items()}
            there = sorted(named.keys() - set(_missing(admin, named)))
            places = [
                client.place(topic["name"], partition["partition_index"])
                for topic in (admin.describe_topics(there) if there else ())
                for partition in topic["partitions"]
            ]
            if not places:
                return None
            first = admin.list_partition_offsets(client.offsets("earliest", places))
            last = admin.list_partition_offsets(client.offsets("latest", places))
            return next((at.topic for at in places if last[at].offset > first[at].offset), None)
        finally:
            admin.close()


def _missing(admin: Any, named: dict[str, Kind]) -> list[str]:
    if not named:
        return []
    described = admin.describe_topics(list(named))
    return sorted(topic["name"] for topic in described if topic["error_code"] == client.NO_TOPIC)


def _make(admin: Any, named: dict[str, Kind], copies: int) -> None:
    """Another migration may make the same topic at the same moment: that is as good."""
    admin.create_topics(
        {
            name: {
                "num_partitions": kind.partitions,
                "replication_factor": copies,
                "configs": kind.settings(copies),
            }
            for name, kind in named.items()
        },
        raise_errors=False,
    )
    admin.wait_for_topics(list(named), timeout_ms=_LEADERS_MS)


def _drift(admin: Any, name: str, kind: Kind, copies: int) -> list[Drift]:
    (described,) = admin.describe_topics([name])
    partitions = described["partitions"]
    found = [Drift(name, "partitions", str(kind.partitions), str(len(partitions)))]
    found.append(Drift(name, "copies", str(copies), str(min(len(one["replica_nodes"]) for one in partitions))))
    configured = admin.describe_configs([client.topic_settings(name)], config_filter="all")["topic"][name]
    found += [
        Drift(name, setting, value, str(configured[setting]["value"]))
        for setting, value in kind.settings(copies).items()
    ]
    return [one for one in found if one.wanted != one.found]


def broker_version(platform: Platform) -> tuple[int, ...]:
    """The protocol edition that the brokers speak, such as (4, 1). Blocks; raises DependencyAway."""
    with client.told_apart():
        admin = client.administrator(platform)
        try:
            broker = admin.describe_cluster()["brokers"][0]
            return tuple(admin.get_broker_version_data(broker.get("broker_id", broker.get("node_id"))).broker_version)
        finally:
            admin.close()
