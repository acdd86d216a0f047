"""Logs, traces and metrics of a process, set up once. Logs are JSON with an allow-list of fields: no body, no name, no address.

A field that is not on the list does not leave the process, so nobody can log a child's words by accident.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ALLOWED = frozenset({
    "event", "level", "timestamp", "logger", "service", "dependency", "error", "where", "job", "lease", "rpc", "route", "method",
    "status", "milliseconds", "trace_id", "school_id", "consumer", "count", "port", "kind", "channel", "outcome", "engine", "pair",
    "code", "seconds", "worker", "state",
})  # fmt: skip
"""The fields a log line may have. `where` is file and line of an exception, never its message."""


def _allow(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = line.pop("exc_info", None)
    if isinstance(error, BaseException):
        line["where"] = _place_of(error)
        line.setdefault("error", type(error).__name__)
    for name in [name for name in line if name not in ALLOWED]:
        del line[name]
    return line


def _place_of(error: BaseException) -> str:
    """The last few places an exception passed, without its message, which may quote what people wrote."""
    places: list[str] = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('site-packages/')[2].rpartition('/')[2]}:{step.tb_lineno}")
        step = step.tb_next
    return " > ".join(places[-6:])


def _trace_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = format(context.trace_id, "032x")
    return line


class _Foreign(logging.Handler):
    """What libraries log: their name, level and the template of their message, never its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, str(record.msg)[:200] if not record.args else "library message", logger=record.name,
            error=record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None,
        )  # fmt: skip


def set_up(process: str, otlp_endpoint: str) -> None:
    """Set up this process. `process` becomes the service name of traces; an empty endpoint sends no traces."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_id,
            _allow,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Foreign(level=logging.WARNING)], level=logging.WARNING, force=True)
    resource = Resource.create({"service.name": f"bookbag-{process}", "service.namespace": "bookbag"})
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()]))
    if otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint)))
        trace.set_tracer_provider(provider)
