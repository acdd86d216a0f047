"""How an event looks in Kafka: CloudEvents in binary mode, so that anybody's tools can read our topics.

The value is the protobuf message alone; id, type, source and time travel as `ce_` headers, our own as extension attributes. The record's
key is the aggregate's id as text, which CloudEvents calls the partition key.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from bookbag.chassis.bus import Record

CONTENT_TYPE = b"application/protobuf"


class Unreadable(Exception):
    """A record in our topic that we did not write: it lacks what every event has."""


@cache
def _of_all(topic: str, kind: str) -> Sequence[tuple[str, bytes]]:
    """What every event of one type says of itself."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_source", f"/{topic}".encode()),
        ("content-type", CONTENT_TYPE),
    )


def headers_of(record: Record) -> list[tuple[str, bytes]]:
    """The headers of an event."""
    headers = [
        *_of_all(record.topic, record.type),
        ("ce_id", str(record.event_id).encode()),
        ("ce_time", (record.occurred_at.astimezone(UTC).isoformat()[:-6] + "Z").encode()),
        ("ce_school", str(record.school).encode()),
        ("ce_partitionkey", key_of(record)),
    ]
    if record.sequence is not None:
        headers.append(("ce_sequence", str(record.sequence).encode()))
    if record.trace is not None:
        headers.append(("traceparent", record.trace.encode()))
    return headers


def key_of(record: Record) -> bytes:
    """What Kafka shows as the record's key."""
    return str(record.key).encode()


def size_of(record: Record) -> int:
    """About how many bytes the record takes on the way, never less than it does."""
    return len(record.payload) + len(record.type) + len(record.topic) + 600


def record_from(topic: str, partition: int, headers: Sequence[tuple[str, bytes]], value: Any) -> Record:
    """The event that a record carries. Raises Unreadable."""
    said = dict(headers)
    try:
        sequence = said.get("ce_sequence")
        trace = said.get("traceparent")
        return Record(
            school=UUID(said["ce_school"].decode()),
            event_id=UUID(said["ce_id"].decode()),
            topic=topic,
            bucket=partition,
            key=UUID(said["ce_partitionkey"].decode()),
            type=said["ce_type"].decode(),
            payload=bytes(value or b""),
            sequence=int(sequence) if sequence is not None else None,
            trace=trace.decode() if trace is not None else None,
            occurred_at=datetime.fromisoformat(said["ce_time"].decode()).astimezone(UTC),
        )
    except (KeyError, ValueError, AttributeError) as error:  # a header that is missing, is no such value, or has none
        raise Unreadable(type(error).__name__) from error
