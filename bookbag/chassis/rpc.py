"""The gRPC server of a process: who calls is decided here once, from the verified token and the manifest's table of callers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer  # pyright: ignore[reportMissingTypeStubs]

from bookbag.chassis.problems import (
    INTERNAL,
    SIGNED_OUT,
    STORAGE_FULL,
    UNAVAILABLE,
    DependencyAway,
    Problem,
    StorageFull,
)
from bookbag.chassis.service import Callers, Rpc, Service
from bookbag.chassis.tokens import ServiceToken, UserToken
from bookbag.chassis.watched import WatchedCalls

if TYPE_CHECKING:
    from bookbag.chassis.runtime import Runtime

log = structlog.get_logger()

caller: ContextVar[ServiceToken | UserToken] = ContextVar("caller")
"""Who calls the RPC that is running; set by the server before any servicer method."""


def one_school(school_id: str) -> UUID:
    """The school a request names, if the caller's token is for that school. Raises Problem otherwise."""
    token = caller.get()
    try:
        school = UUID(school_id)
    except ValueError:
        raise Problem(SIGNED_OUT, "school_id is not an id") from None
    if token.school != school:
        raise Problem(SIGNED_OUT, "the token is for another school")
    return school


class Incomplete(Exception):
    """A method of a servicer stands in no table of callers."""


def method_names(rpc: Rpc) -> set[str]:
    """The methods of an RPC service, from its generated base class."""
    return {name for name in rpc.callers if not name.startswith("_")}


def refusal_of(error: Exception, service: Service) -> Problem:
    """The public face of an error, by the manifest's table; unknown errors are internal."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StorageFull):
        return Problem(STORAGE_FULL, retry_after=30)
    if isinstance(error, DependencyAway):
        return Problem(UNAVAILABLE, retry_after=1)
    kind = service.refusals.get(type(error))
    return Problem(kind, str(error)) if kind is not None else Problem(INTERNAL)


class Gate(grpc.aio.ServerInterceptor):
    """Verifies the token of each call against the table of callers, and gives every error its public face."""

    def __init__(self, gates: Mapping[str, tuple[Runtime, Callers]]) -> None:
        self._gates = gates

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if method.startswith("/grpc.health.") or handler is None:
            return handler
        gate = self._gates.get(method)
        if gate is None:
            raise Incomplete(method)
        runtime, callers = gate
        metadata = dict(handler_call_details.invocation_metadata or ())
        return _guarded(handler, runtime, callers, str(metadata.get("authorization", "")), method)


def _admit(runtime: Runtime, callers: Callers, authorization: str) -> ServiceToken | UserToken:
    kind, _, token = authorization.partition(" ")
    if kind != "Bearer":
        raise Problem(SIGNED_OUT)
    if callers.user:
        try:
            return runtime.verifier.user(token)
        except Problem:
            if not callers.services:
                raise
    verified = runtime.verifier.service(token, runtime.name)
    if verified.caller not in callers.services or (verified.school is None) != callers.across_schools:
        raise Problem(SIGNED_OUT)
    return verified


@asynccontextmanager
async def _admitted(
    runtime: Runtime, callers: Callers, authorization: str, method: str, context: grpc.aio.ServicerContext[Any, Any]
) -> AsyncGenerator[None]:
    """A block that runs with the caller verified; every error that leaves it becomes the call's status."""
    try:
        caller.set(_admit(runtime, callers, authorization))
        yield
    except (grpc.aio.AbortError, GeneratorExit):
        raise
    except Exception as error:
        problem = refusal_of(error, runtime.service)
        if problem.kind is INTERNAL:
            log.error("rpc failed", rpc=method, error=type(error).__name__, exc_info=error)
        # An answer is an answer: only a call that got none is repeated, elsewhere (peers.py).
        await context.abort(problem.kind.grpc_code, problem.kind.code, (("grpc-retry-pushback-ms", "-1"),))


def _guarded(
    handler: grpc.RpcMethodHandler[Any, Any], runtime: Runtime, callers: Callers, authorization: str, method: str
) -> grpc.RpcMethodHandler[Any, Any]:
    if handler.unary_unary is not None:

        async def one(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with _admitted(runtime, callers, authorization, method, context):
                return await handler.unary_unary(request, context)  # type: ignore[misc]

        return grpc.unary_unary_rpc_method_handler(
            one, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )
    if handler.unary_stream is not None:

        async def many(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with _admitted(runtime, callers, authorization, method, context):
                async for answer in handler.unary_stream(request, context):  # type: ignore[misc]
                    yield answer

        return grpc.unary_stream_rpc_method_handler(
            many, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )
    raise Incomplete(f"{method}: client streams are not offered")


class RpcServer:
    """All servicers of a process on one port, with the standard health service."""

    def __init__(self, runtimes: Sequence[Runtime], host: str, port: int) -> None:
        gates: dict[str, tuple[Runtime, Callers]] = {}
        names = {rpc.name: runtime.name for runtime in runtimes for rpc in runtime.service.rpcs}
        for runtime in runtimes:
            for rpc in runtime.service.rpcs:
                for method, callers in rpc.callers.items():
                    gates[f"/{rpc.name}/{method}"] = (runtime, callers)
        self._server = grpc.aio.server(
            interceptors=(WatchedCalls(names), Gate(gates)),
            options=(
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", 4 * 1024 * 1024),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                # A caller that vanished without a word is let go.
                ("grpc.keepalive_time_ms", 8_000),
                ("grpc.keepalive_timeout_ms", 5_000),
                ("grpc.http2.ping_timeout_ms", 5_000),
                # Callers connect anew every few minutes, so that they find instances that were added; streams go on undisturbed.
                ("grpc.max_connection_age_ms", 300_000),
            ),
        )
        self._health: Any = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)  # type: ignore[no-untyped-call]
        for runtime in runtimes:
            for rpc in runtime.service.rpcs:
                servicer = rpc.servicer(runtime)
                missing = {name for name in vars(type(servicer)) if name[0].isupper()} - rpc.callers.keys()
                if missing:
                    raise Incomplete(f"{rpc.name}: {sorted(missing)}")
                rpc.add(servicer, self._server)
        self.port = self._server.add_insecure_port(f"{host}:{port}")

    async def start(self) -> None:
        await self._server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Say that we are going: callers that watch our health send new calls elsewhere, while we still answer."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float = 3.0) -> None:
        """Let running calls end, then close."""
        await self.drain()
        await self._server.stop(grace)
