"""Calls to sibling services: spread over all instances that say they serve, a deadline always, the service's own token.

A call is repeated only where its proto says that this is harmless (`idempotency_level`), only when it got no answer, a few times, and
within a budget, so that a sibling in trouble is not asked more often than one that is well. Any other call that got no answer is
told as DependencyAway and was sent once at most.
"""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.descriptor_pool import Default

from bookbag.chassis import tracing
from bookbag.chassis.addresses import target_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.tokens import ServiceSigner
from bookbag.chassis.watched import calling

T = TypeVar("T")

DEADLINE = 2.0
"""Seconds a call may take unless it says otherwise, all its repetitions together."""

_OPTIONS = (
    # An instance that vanished without a word is noticed within 13 s. The server allows a ping each 5 s (rpc.py).
    ("grpc.keepalive_time_ms", 8_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
)

_HARMLESS = {MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT}

_RETRY = {
    "maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "0.3s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}  # fmt: skip
_BUDGET = {"maxTokens": 200, "tokenRatio": 0.5}
"""Each call without an answer costs one token, each answer gives half of one back; with half of them gone nothing is repeated. So all
that is in flight when an instance dies may be repeated, and a sibling that stays away is soon asked once for each call."""

_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


class _Methods:
    """Stands for a channel where a generated stub only shall say which methods it has."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def unary_unary(self, path: str, **_: object) -> None:
        self.paths.append(path)

    def unary_stream(self, path: str, **_: object) -> None:
        self.paths.append(path)


def service_config(kind: Callable[[Any], object]) -> dict[str, object]:
    """How calls of one kind of stub are spread, and which of them are repeated."""
    methods = _Methods()
    kind(methods)
    harmless: list[dict[str, str]] = []
    for path in methods.paths:
        service, method = path.removeprefix("/").split("/")
        declared = Default().FindMethodByName(f"{service}.{method}")
        if declared.GetOptions().idempotency_level in _HARMLESS:
            harmless.append({"service": service, "method": method})
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "retryThrottling": _BUDGET,
        "methodConfig": [{"name": harmless, "retryPolicy": _RETRY}] if harmless else [],
    }


class Peers:
    """The siblings of one service. Channels open on first use and reconnect by themselves."""

    def __init__(self, addresses: dict[str, str], signer: ServiceSigner | None) -> None:
        self._targets = {service: target_of(address) for service, address in addresses.items()}
        self._signer = signer
        self._name = signer.service if signer is not None else ""
        self._channels: dict[tuple[str, object], grpc.aio.Channel] = {}

    def stub(self, service: str, kind: Callable[[grpc.aio.Channel], T]) -> T:
        """A generated stub over the channel of its kind to the sibling."""
        channel = self._channels.get((service, kind))
        if channel is None:
            if service not in self._targets:
                raise LookupError(f"BOOKBAG_PEERS names no address for {service}")
            options = (*_OPTIONS, ("grpc.service_config", json.dumps(service_config(kind))))
            channel = grpc.aio.insecure_channel(self._targets[service], options=options)
            self._channels[service, kind] = channel
        return kind(channel)

    def metadata(self, service: str, school: UUID | None, trace: str | None = None) -> tuple[tuple[str, str], ...]:
        """The service token for one school (None: the feed), and the trace that the call is a part of."""
        if self._signer is None:
            raise LookupError("this process has no service key to sign with")
        entries = [("authorization", f"Bearer {self._signer.sign(service, school)}")]
        if trace is not None:
            entries.append(("traceparent", trace))
        return tuple(entries)

    async def call(
        self,
        service: str,
        method: Callable[..., Any],
        request: object,
        *,
        school: UUID | None,
        deadline: float = DEADLINE,
    ) -> Any:
        """One unary call. Raises DependencyAway when the sibling does not answer in time; other errors pass as they are."""
        try:
            with calling(self._name, method) as span:
                metadata = self.metadata(service, school, tracing.parent_of(span))
                return await method(request, timeout=deadline, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise self._told(service, error) from error

    async def stream(
        self, service: str, method: Callable[..., Any], request: object, *, school: UUID | None, deadline: float | None
    ) -> AsyncIterator[Any]:
        """A streamed answer, item by item; the same errors as `call`."""
        try:
            with calling(self._name, method, lasting=deadline is None) as span:
                metadata = self.metadata(service, school, tracing.parent_of(span))
                async for item in method(request, timeout=deadline, metadata=metadata):
                    yield item
        except grpc.aio.AioRpcError as error:
            raise self._told(service, error) from error

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    @staticmethod
    def _told(service: str, error: grpc.aio.AioRpcError) -> Exception:
        return DependencyAway(service) if error.code() in _AWAY else error
