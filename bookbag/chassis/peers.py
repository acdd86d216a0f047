"""Calls to sibling services: one channel each, a deadline always, the service's own token, and retries only where harmless."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc
import grpc.aio

from bookbag.chassis import tracing
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.tokens import ServiceSigner
from bookbag.chassis.watched import calling

T = TypeVar("T")

DEADLINE = 2.0
"""Seconds a call may take unless it says otherwise."""

_OPTIONS = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
)

_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


class Peers:
    """The siblings of one service. Channels open on first use and reconnect by themselves."""

    def __init__(self, addresses: dict[str, str], signer: ServiceSigner | None) -> None:
        self._addresses = addresses
        self._signer = signer
        self._name = signer.service if signer is not None else ""
        self._channels: dict[str, grpc.aio.Channel] = {}

    def stub(self, service: str, kind: Callable[[grpc.aio.Channel], T]) -> T:
        """A generated stub over the sibling's channel."""
        channel = self._channels.get(service)
        if channel is None:
            if service not in self._addresses:
                raise LookupError(f"BOOKBAG_PEERS names no address for {service}")
            channel = grpc.aio.insecure_channel(self._addresses[service], options=_OPTIONS)
            self._channels[service] = channel
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
