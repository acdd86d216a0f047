"""The one place that imports the Kafka client: how we connect, which of its errors mean what, and the threads it works in.

The client is synchronous, so nothing of it runs on the event loop: each producer, consumer and administrator has a thread of its own.
The figures below were measured against a broker that was killed and frozen; the client's defaults leave gaps of up to a minute.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import kafka
import kafka.admin
import kafka.errors
import kafka.structs
from kafka.coordinator.assignors.cooperative_sticky import (  # pyright: ignore[reportMissingTypeStubs]
    CooperativeStickyAssignor,
)

from bookbag.chassis.problems import DependencyAway, NoEntry

if TYPE_CHECKING:
    from bookbag.chassis.settings import Platform

_library: Any = kafka
_admin: Any = kafka.admin
_errors: Any = kafka.errors
_structs: Any = kafka.structs

KafkaError: type[Exception] = _errors.KafkaError
TooLarge: tuple[type[Exception], ...] = (_errors.MessageSizeTooLargeError, _errors.RecordListTooLargeError)
NotAllowed: tuple[type[Exception], ...] = (
    _errors.TopicAuthorizationFailedError,
    _errors.ClusterAuthorizationFailedError,
)
LostCount: type[Exception] = _errors.UnknownError
TakenOver: tuple[type[Exception], ...] = (
    _errors.CommitFailedError,
    _errors.IllegalGenerationError,
    _errors.RebalanceInProgressError,
    _errors.UnknownMemberIdError,
)
"""What a commit ends with when the group went on without us, or shares its buckets anew."""

_REFUSALS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (
        (_errors.SaslAuthenticationFailedError, _errors.UnsupportedSaslMechanismError),
        "does not let us in",
        "Correct BOOKBAG_KAFKA_USER, BOOKBAG_KAFKA_PASSWORD and BOOKBAG_KAFKA_SASL, or what the brokers know of the user.",
    ),
    (
        ssl.SSLCertVerificationError,
        "shows a certificate that is not trusted here",
        "BOOKBAG_KAFKA_CA must name the authority that signed it, and BOOKBAG_KAFKA_URL the names that are in it.",
    ),
    (
        (FileNotFoundError, IsADirectoryError, PermissionError),
        "cannot be trusted",
        "BOOKBAG_KAFKA_CA must name a file of certificates (PEM) that can be read here; leave it out to trust what this machine trusts.",
    ),
)
"""What a broker that answers is not spoken to for, in words and with what to do; the rest passes by itself."""

NO_TOPIC = 3
"""The protocol's number for a topic that does not exist."""

_CONNECT_MS = 3_000
_REQUEST_MS = 5_000
SESSION_MS = 6_000
"""A member that is not heard for so long loses its buckets; the broker accepts no less."""

BATCH_BYTES = 512 * 1024
LARGEST_REQUEST = 1024 * 1024

# What the library says during an outage is much and repeats; our own log lines tell which dependency is away.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class _First(logging.Handler):
    """Keeps why the first of some tries to connect failed, which the library tells its log alone; the last is cut off when time is up. All
    connections of a process are made alike, so it does not matter whose it was."""

    reason: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for each in record.args if isinstance(record.args, tuple) else ():
            if isinstance(each, Exception):
                self.reason = self.reason or each


_TRIED = _First()
_CONNECTING = logging.getLogger("kafka.net.manager")
_CONNECTING.setLevel(logging.WARNING)
_CONNECTING.propagate = False
_CONNECTING.addHandler(_TRIED)

P = ParamSpec("P")
R = TypeVar("R")


def producer(platform: Platform) -> Any:
    """An idempotent producer. Nothing leaves before `flush`: the sender decides what is in flight together (see `kafka_bus`).

    Raises KafkaError when no broker answers.
    """
    return _connected(
        platform,
        _library.KafkaProducer,
        acks="all",
        enable_idempotence=True,
        linger_ms=60_000,
        batch_size=BATCH_BYTES,
        max_request_size=LARGEST_REQUEST,
        request_timeout_ms=_REQUEST_MS,
        # We give up first, and then throw the producer away: a batch that expired by itself would let the next one pass it.
        delivery_timeout_ms=600_000,
        max_block_ms=2_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def consumer(platform: Platform, group: str, topics: Sequence[str]) -> Any:
    """A member of a group that hands over only what has to move. Raises KafkaError when no broker answers."""
    made = _connected(
        platform,
        _library.KafkaConsumer,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(CooperativeStickyAssignor,),
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=1_000,
        request_timeout_ms=_REQUEST_MS,
        max_poll_interval_ms=60_000,
        allow_auto_create_topics=False,
        metadata_max_age_ms=10_000,
        metrics_enabled=False,
    )
    made.subscribe(topics=list(topics))
    return made


def administrator(platform: Platform) -> Any:
    """For topics, offsets and figures. Raises KafkaError when no broker answers."""
    return _connected(platform, _admin.KafkaAdminClient, request_timeout_ms=_REQUEST_MS)


def place(topic: str, partition: int) -> Any:
    """The library's word for one partition of a topic."""
    return _structs.TopicPartition(topic, partition)


def next_offset(offset: int) -> Any:
    """What is committed when everything up to `offset` is done."""
    return _structs.OffsetAndMetadata(offset + 1, "", -1)


def offsets(kind: str, places: Sequence[Any]) -> dict[Any, Any]:
    """The question for the `earliest` or `latest` offset of partitions."""
    spec = _admin.OffsetSpec.EARLIEST if kind == "earliest" else _admin.OffsetSpec.LATEST
    return dict.fromkeys(places, spec)


def topic_settings(name: str) -> Any:
    """The question for all settings of a topic."""
    return _admin.ConfigResource(_admin.ConfigResourceType.TOPIC, name, configs=None)


def _connected(platform: Platform, kind: Callable[..., Any], **more: Any) -> Any:
    """One of the library's clients. Whatever goes wrong while it connects, it says that time is up; we add what it was.

    A broker that refuses a password says so and hangs up. Over TLS the library often sees only that it hung up.
    """
    _TRIED.reason = None
    try:
        return kind(**_connection(platform), **more)
    except KafkaError as error:
        reason = _TRIED.reason
        if platform.kafka_security.startswith("SASL") and "socket disconnected" in str(reason):
            reason = _errors.SaslAuthenticationFailedError()
        raise error from reason


def _connection(platform: Platform) -> dict[str, Any]:
    connection: dict[str, Any] = {
        "bootstrap_servers": platform.kafka_url.split(","),
        "client_id": "bookbag",
        "security_protocol": platform.kafka_security,
        "bootstrap_timeout_ms": _CONNECT_MS,
        "reconnect_backoff_max_ms": 1_000,
    }
    if "SSL" in platform.kafka_security and platform.kafka_ca is not None:
        connection["ssl_cafile"] = str(platform.kafka_ca)
    if platform.kafka_security.startswith("SASL"):
        connection |= {
            "sasl_mechanism": platform.kafka_sasl,
            "sasl_plain_username": platform.kafka_user,
            "sasl_plain_password": platform.kafka_password.get_secret_value(),
        }
    return connection


def passes(error: Exception) -> bool:
    """Whether the client goes on by itself after an error: a broken connection, a coordinator that moved."""
    return bool(getattr(error, "retriable", False)) or isinstance(error, _errors.KafkaConnectionError)


@contextmanager
def told_apart() -> Generator[None]:
    """Turn whatever the client raises about the broker into `DependencyAway`, or `NoEntry` where somebody must put something right."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise _refusal(error) or DependencyAway("kafka") from error


def _refusal(error: BaseException | None) -> NoEntry | None:
    """What somebody must put right, going by an error and what it came from."""
    seen: list[BaseException] = []
    while error is not None and not any(error is each for each in seen):
        for kinds, why, do in _REFUSALS:
            if isinstance(error, kinds):
                return NoEntry("kafka", why, do)
        seen.append(error)
        error = error.__cause__ or error.__context__
    return None


class Thread:
    """One thread that does one thing after another, called from the event loop."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Do it in the thread. Who is cancelled while waiting leaves the thread to finish it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(*arguments, **named))

    def end(self) -> None:
        """Let the thread end after what it was given."""
        self._executor.shutdown(wait=False)
