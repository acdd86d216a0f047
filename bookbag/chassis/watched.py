"""Measures what comes in over HTTP and what goes over gRPC: how often, how it ended, how long it took, and as part of which trace.

Of a request only its method, the template of its route and its status are noted: never its path, its query or who asked. A line is
logged for a slow request alone; what failed is logged where it failed, and how often is a figure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import grpc
import grpc.aio
import structlog
from opentelemetry.trace import Span, SpanKind

from bookbag.chassis import measures, tracing

if TYPE_CHECKING:
    from prometheus_client import Histogram
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"})

SLOW_SECONDS = 1.0
"""An answer that begins later than this is worth a line."""


class Watched:
    """An application whose requests are counted, timed and traced until their answer begins.

    `templates` gives the template of a route by the identity of the route. A stream counts as answered with its first byte: how long
    it then lives says nothing of how well it was served.
    """

    def __init__(self, app: ASGIApp, service: str, templates: Mapping[int, str], *, from_clients: bool) -> None:
        self._app = app
        self._service = service
        self._templates = templates
        self._from_clients = from_clients
        self._series: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        span = self._begin(scope) if tracing.collects() else None
        answered = False

        def note(status: int) -> None:
            nonlocal answered
            if not answered:
                answered = True
                self._note(scope, status, time.perf_counter() - began, span)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            if span is None:
                await self._app(scope, receive, watched)
            else:
                with tracing.attached(span):
                    await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            note(499)  # the process stops, or whoever asked has gone
            raise
        finally:
            note(500)

    def _begin(self, scope: Scope) -> Span:
        parent = None
        if self._from_clients:
            found = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
            parent = found.decode("latin-1") or None
        return tracing.begin(self._service, "request", SpanKind.SERVER, parent=parent, apart=True)

    def _note(self, scope: Scope, status: int, seconds: float, span: Span | None) -> None:
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        route = self._templates.get(id(scope.get("route")), "")
        series = self._series.get((method, route, status))
        if series is None:
            series = measures.http_server.labels(method, route, str(status))
            self._series[method, route, status] = series
        series.observe(seconds)
        if seconds > SLOW_SECONDS:
            log.warning(
                "request was slow", service=self._service, method=method, route=route, status=status,
                milliseconds=round(seconds * 1000),
            )  # fmt: skip
        if span is not None:
            span.update_name(f"{method} {route}".rstrip())
            span.set_attributes(
                {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            )
            if status >= 500:
                tracing.failed(span, str(status))
            span.end()


class WatchedCalls(grpc.aio.ServerInterceptor):
    """Counts and times the calls a server answers, and makes each a part of the trace its caller names; none begins here.

    The first of the interceptors, so that it sees what the others refuse. `services` says which service answers under an RPC name.
    """

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method.removeprefix("/")
        service = self._services.get(method.partition("/")[0])
        if handler is None or service is None:
            return handler
        metadata = dict(handler_call_details.invocation_metadata or ())
        parent = str(metadata["traceparent"]) if "traceparent" in metadata else None
        if handler.unary_unary is not None:
            unary = handler.unary_unary

            async def one(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
                with _answering(service, method, parent, context) as span, tracing.attached(span):
                    return await unary(request, context)  # type: ignore[misc]

            return grpc.unary_unary_rpc_method_handler(
                one, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
            )
        if handler.unary_stream is not None:
            stream = handler.unary_stream

            async def many(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
                # A generator may be closed from elsewhere, so the span is not made the running one.
                with _answering(service, method, parent, context):
                    async for answer in stream(request, context):  # type: ignore[misc]
                        yield answer

            return grpc.unary_stream_rpc_method_handler(
                many, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
            )
        return handler


@contextmanager
def _answering(
    service: str, method: str, parent: str | None, context: grpc.aio.ServicerContext[Any, Any]
) -> Generator[Span]:
    span = tracing.begin(service, method, SpanKind.SERVER, parent=parent) if parent else tracing.NONE
    lasting = cast("float | None", context.time_remaining()) is None
    began, code = time.perf_counter(), "OK"
    try:
        yield span
    except grpc.aio.AbortError:
        code = _name_of(context.code())
        raise
    except GeneratorExit:
        code = "CANCELLED"
        raise
    except BaseException as error:
        code = "UNKNOWN" if isinstance(error, Exception) else "CANCELLED"
        raise
    finally:
        _told(measures.rpc_server, span, method, code, None if lasting else time.perf_counter() - began)


@contextmanager
def calling(service: str, stub_method: object, *, lasting: bool = False) -> Generator[Span]:
    """A call to a sibling. Its metadata must carry the span, see `tracing.parent_of`; a `lasting` stream is neither timed nor traced."""
    method = bytes(getattr(stub_method, "_method", b"")).decode().removeprefix("/")
    span = tracing.NONE
    if not lasting and tracing.running() is not None:
        span = tracing.begin(service, method, SpanKind.CLIENT)
    began, code = time.perf_counter(), "OK"
    try:
        yield span
    except grpc.aio.AioRpcError as error:
        code = error.code().name
        raise
    except BaseException:
        code = "CANCELLED"
        raise
    finally:
        _told(measures.rpc_client, span, method, code, None if lasting else time.perf_counter() - began)


def _told(measure: Histogram, span: Span, method: str, code: str, seconds: float | None) -> None:
    if seconds is not None:
        measure.labels(method, code).observe(seconds)
    span.set_attributes({"rpc.system.name": "grpc", "rpc.method": method, "rpc.response.status_code": code})
    if code in _FAULTS:
        tracing.failed(span, code)
    span.end()


_FAULTS = frozenset({"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS", "UNIMPLEMENTED"})
"""What is a fault of a server; the others are answers."""


def _name_of(code: object) -> str:
    return code.name if isinstance(code, grpc.StatusCode) else "UNKNOWN"
