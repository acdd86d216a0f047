"""A real OTLP/HTTP receiver on loopback: takes what processes export, reads the protocol, and keeps every span.

It can also be as bad as collectors are: refuse everything, or take a connection and never answer.
"""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True, slots=True)
class Span:
    """One span as it came over the wire."""

    service: str
    process: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: Sequence[tuple[str, str]]
    attributes: dict[str, str]
    failed: bool
    events: int
    status: str


@dataclass
class Collector:
    """What was received so far; `raw` is every byte of it, for those who look for what should not be there."""

    endpoint: str
    mood: Literal["taking", "refusing", "hanging"] = "taking"
    spans: list[Span] = field(default_factory=list)
    raw: bytes = b""
    asked: int = 0
    _released: threading.Event = field(default_factory=threading.Event)

    def named(self, name: str, **wanted: str) -> list[Span]:
        """The spans of a name, with these fields."""
        found = [one for one in list(self.spans) if one.name == name]
        return [one for one in found if all(getattr(one, key) == value for key, value in wanted.items())]

    def of_trace(self, trace: str) -> list[Span]:
        return [one for one in list(self.spans) if one.trace == trace]

    def _take(self, body: bytes) -> None:
        asked = ExportTraceServiceRequest.FromString(body)
        self.raw += body
        for part in asked.resource_spans:
            said = _plain(part.resource.attributes)
            for scope in part.scope_spans:
                self.spans += [_read(span, said) for span in scope.spans]


def _plain(attributes: Sequence[KeyValue]) -> dict[str, str]:
    return {one.key: str(getattr(one.value, one.value.WhichOneof("value") or "string_value")) for one in attributes}


def _read(span: WireSpan, resource: dict[str, str]) -> Span:
    return Span(
        service=resource["service.name"],
        process=resource["bookbag.process"],
        name=span.name,
        kind=WireSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        attributes=_plain(span.attributes),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        events=len(span.events),
        status=span.status.message,
    )


@contextmanager
def collecting() -> Generator[Collector]:
    """A receiver that runs while the block does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.asked += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            if collector.mood == "hanging":
                collector._released.wait(60)
                return
            taking = collector.mood == "taking" and self.path == "/v1/traces"
            if taking:
                collector._take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if taking else 503)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector._released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
