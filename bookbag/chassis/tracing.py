"""Spans: one trace from a request over rows, the bus, calls and deliveries, and nothing of what people wrote in any of them.

Nobody collects, nobody pays: without an address to send to, a span costs a look at a variable. Each service has a provider of its own,
so that a process that runs several still says which one acted. What leaves is cut to the list below, events and messages of errors
never leave, and a collector that is away or hangs costs spans, never a request.
"""

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

log = structlog.get_logger()

ATTRIBUTES = frozenset({
    "http.request.method", "http.route", "http.response.status_code", "rpc.system.name", "rpc.method", "rpc.response.status_code",
    "server.address", "messaging.system", "messaging.operation.type", "messaging.destination.name", "messaging.batch.message_count",
    "error.type", "bookbag.school", "bookbag.event_type", "bookbag.outcome", "bookbag.channel", "bookbag.reason", "bookbag.engine",
    "bookbag.count",
})  # fmt: skip
"""What a span may say. The school is an id; there is no person, no text, no language, no path
and no query."""

RESOURCE = frozenset({
    "service.name", "service.namespace", "service.instance.id", "service.version", "bookbag.process", "telemetry.sdk.language",
    "telemetry.sdk.name", "telemetry.sdk.version",
})  # fmt: skip
"""What a process says of itself."""

EXPORT_SECONDS = 3.0
"""One try to hand spans over takes no longer."""

LAST_SECONDS = 3.0
"""So long a process that ends waits for its last spans to be taken."""

WAITING = 4096
"""Spans kept until they are sent; beyond it the oldest go."""

NONE: Span = trace.INVALID_SPAN
"""The span of whoever has none: everything can be done to it, and nothing comes of it."""

_PROPAGATOR = TraceContextTextMapPropagator()
_NOTHING = trace.set_span_in_context(trace.INVALID_SPAN, Context())


@dataclass(slots=True)
class _Collecting:
    """What a process has once it sends traces."""

    processor: BatchSpanProcessor
    sampler: Sampler
    process: str
    instance: str
    tracers: dict[str, Tracer] = field(default_factory=dict[str, Tracer])

    def tracer(self, service: str) -> Tracer:
        found = self.tracers.get(service)
        if found is None:
            resource = Resource.create({
                "service.name": service, "service.namespace": "bookbag", "service.instance.id": self.instance,
                "bookbag.process": self.process,
            })  # fmt: skip
            said = {name: value for name, value in resource.attributes.items() if name in RESOURCE}
            provider = TracerProvider(resource=Resource(said), sampler=self.sampler, shutdown_on_exit=False)
            provider.add_span_processor(self.processor)
            found = self.tracers[service] = provider.get_tracer("bookbag")
        return found


_now: list[_Collecting] = []
"""Empty while nobody collects."""


class _OfCauses(Sampler):
    """A trace that begins with links is kept when one of its causes is; any other, with the ratio asked for."""

    def __init__(self, ratio: float) -> None:
        self._ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if any(link.context.trace_flags.sampled for link in links or ()):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._ratio.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"OfCauses({self._ratio.get_description()})"


class _Cut(SpanExporter):
    """Sends what the lists allow and nothing else, and says once, not each time, that nobody takes it."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export([cut(span) for span in spans])
        except Exception as error:
            log.error("spans cannot be written", error=type(error).__name__, exc_info=error)
            return SpanExportResult.FAILURE
        away = result is not SpanExportResult.SUCCESS
        if away is not self._away:
            self._away = away
            note = log.warning if away else log.info
            note("traces are not taken" if away else "traces are taken again", dependency="collector")
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


def cut(span: ReadableSpan) -> ReadableSpan:
    """The span as it may leave: allowed attributes, no events, no description of an error."""
    kept = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=kept,
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def set_up(process: str, instance: str, endpoint: str, ratio: float) -> None:
    """Send spans to an OTLP/HTTP address from now on, `ratio` of the traces that begin here; nothing for an empty address."""
    close()
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    sender = _Cut(OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS))
    processor = BatchSpanProcessor(sender, max_queue_size=WAITING, schedule_delay_millis=1000)
    _now.append(_Collecting(processor, ParentBased(_OfCauses(ratio)), process, instance))


def close() -> None:
    """Send what is left, for a few seconds at most, and collect no more."""
    while _now:
        ending = threading.Thread(target=_now.pop().processor.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(LAST_SECONDS)


def collects() -> bool:
    """Whether spans of this process go anywhere."""
    return bool(_now)


def _context(traceparent: str | None) -> Context | None:
    """The context a row or a header speaks of; None, which means the running one, without it."""
    return _PROPAGATOR.extract({"traceparent": traceparent}, context=_NOTHING) if traceparent else None


def _links(causes: Iterable[str | None]) -> list[Link]:
    contexts = (trace.get_current_span(_context(cause)).get_span_context() for cause in dict.fromkeys(causes) if cause)
    return [Link(context) for context in contexts if context.is_valid]


def begin(
    service: str,
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, str | int] | None = None,
    apart: bool = False,
) -> Span:
    """A span that its caller ends. `parent` is a traceparent; without one it continues the running trace, or, `apart`, begins one."""
    if not _now:
        return NONE
    context = _NOTHING if apart and not parent else _context(parent)
    return _now[0].tracer(service).start_span(
        name, context, kind, attributes, _links(links), record_exception=False, set_status_on_exception=False
    )  # fmt: skip


@contextmanager
def span(
    service: str,
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, str | int] | None = None,
    apart: bool = False,
) -> Generator[Span]:
    """A block under a span, see `begin`. An error that leaves it is noted by its type alone."""
    if not _now:
        yield NONE
        return
    begun = begin(service, name, kind, parent=parent, links=links, attributes=attributes, apart=apart)
    with trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield begun
        except Exception as error:
            failed(begun, type(error).__name__)
            raise


def failed(span: Span, error: str) -> None:
    """Mark a span as failed; `error` is a type or a code, never a message."""
    span.set_attribute("error.type", error)
    span.set_status(StatusCode.ERROR)


def mark(
    service: str,
    name: str,
    kind: SpanKind,
    *,
    parent: str | None,
    attributes: Mapping[str, str | int] | None = None,
) -> None:
    """A moment of a trace that a row belongs to, such as a frame that goes out; nothing for a row without a trace."""
    if _now and parent:
        begin(service, name, kind, parent=parent, attributes=attributes).end()


def parent_of(span: Span) -> str | None:
    """The traceparent that makes what follows a child of this span."""
    if not span.get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(span, _NOTHING))
    return carrier.get("traceparent")


def running() -> str | None:
    """The traceparent of the running span, to be carried by rows, records and calls; None outside any trace."""
    return parent_of(trace.get_current_span()) if _now else None


def trace_id() -> str | None:
    """The id of the running trace, for logs."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None


@contextmanager
def attached(span: Span) -> Generator[None]:
    """A block in which a span begun elsewhere is the running one; it does not end with the block."""
    if not span.get_span_context().is_valid:
        yield
        return
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield
