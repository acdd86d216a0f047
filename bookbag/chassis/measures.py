"""Every figure the product exports is declared here or through here, once, with its words and its labels.

So the page of metrics, the alert rules and the dashboards can be checked against what exists. Labels are few by construction: only
names on the list below, whose values the code knows beforehand. Never an id, a school, a person, or anything somebody typed.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LABELS: Mapping[str, str] = {
    "http_request_method": "one of nine methods, or OTHER",
    "http_route": "the template of a route, never the path that was asked; empty where none fits",
    "http_response_status_code": "the status of the answer",
    "rpc_method": "service and method of the protocol",
    "rpc_response_status_code": "gRPC's name of the status",
    "db_client_connection_pool_name": "service and role of a pool",
    "db_client_connection_state": "used or idle",
    "service_name": "one of the product's services",
    "consumer": "the service that hears",
    "event_type": "a type of the protocol",
    "topic": "a topic of the bus",
    "outcome": "one of a few words, listed at each metric",
    "channel": "email or live",
    "reason": "one of the reasons of the delivery model",
    "engine": "an engine's name",
    "job_name": "a job of a manifest",
    "kind": "what a lease is for",
}
"""The labels there are, and what bounds each. `job`, `instance` and `service` are words that Prometheus gives to targets itself."""

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds in seconds for what a person waits for."""

SLOW = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
"""Bounds in seconds for work nobody waits for."""

FRESH_SECONDS = 30.0
"""A sampled value is shown so long; a process that no longer samples shows nothing rather than what was."""

disable_created_metrics()


class UnboundedLabel(Exception):
    """A label is not on the list."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric as it is declared. `name` is the exposed one, without a histogram's endings."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...]

    @property
    def exposed(self) -> tuple[str, ...]:
        """The series names that a query may ask for."""
        if self.kind == "histogram":
            return tuple(f"{self.name}{ending}" for ending in ("_bucket", "_sum", "_count"))
        return (self.name,)


DECLARED: dict[str, Measure] = {}
"""What has been declared by the modules imported so far, by name."""


def _declare(name: str, kind: Kind, text: str, labels: Sequence[str]) -> None:
    strange = [label for label in labels if label not in LABELS]
    if strange:
        raise UnboundedLabel(f"{name}: {', '.join(strange)}")
    DECLARED[name] = Measure(name, kind, text, tuple(labels))


def counter(name: str, text: str, *labels: str) -> Counter:
    """Something that happens, counted; its name ends in `_total`."""
    _declare(name, "counter", text, labels)
    return Counter(name, text, labels)


def gauge(name: str, text: str, *labels: str) -> Gauge:
    """Something of this process that goes up and down."""
    _declare(name, "gauge", text, labels)
    return Gauge(name, text, labels)


def histogram(name: str, text: str, *labels: str, bounds: Sequence[float]) -> Histogram:
    """How long something takes, in seconds."""
    _declare(name, "histogram", text, labels)
    return Histogram(name, text, labels, buckets=bounds)


class _Shown(Collector):
    """A gauge whose values are asked for when somebody looks."""

    def __init__(self, measure: Measure, read: Callable[[], Iterable[tuple[Sequence[str], float]]]) -> None:
        self._measure = measure
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self._measure.name, self._measure.text, labels=self._measure.labels)]

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._measure.name, self._measure.text, labels=self._measure.labels)
        for labels, value in self._read():
            family.add_metric(labels, value)
        return [family]


def shown(name: str, text: str, *labels: str, read: Callable[[], Iterable[tuple[Sequence[str], float]]]) -> None:
    """A gauge read from memory at each look; `read` must not wait."""
    _declare(name, "gauge", text, labels)
    REGISTRY.register(_Shown(DECLARED[name], read))


class Sampled:
    """A gauge somebody sets in a rhythm, because reading it costs a question to a database."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, ...], tuple[float, float]] = {}

    def set(self, value: float, *labels: str) -> None:
        """Note a value, for half a minute."""
        self._values[labels] = (value, time.monotonic())

    def read(self) -> Iterable[tuple[Sequence[str], float]]:
        """What is still fresh."""
        oldest = time.monotonic() - FRESH_SECONDS
        return [(labels, value) for labels, (value, at) in tuple(self._values.items()) if at >= oldest]


def sampled(name: str, text: str, *labels: str) -> Sampled:
    """Declare a gauge that is sampled: `samples.py` has the rhythm."""
    values = Sampled()
    shown(name, text, *labels, read=values.read)
    return values


http_server = histogram(
    "http_server_request_duration_seconds",
    "Time from a request to the head of its answer.",
    "http_request_method", "http_route", "http_response_status_code",
    bounds=FAST,
)  # fmt: skip
rpc_server = histogram(
    "rpc_server_call_duration_seconds",
    "Calls answered to siblings. Streams without a deadline are not measured: the feed has a figure of its own.",
    "rpc_method", "rpc_response_status_code",
    bounds=FAST,
)  # fmt: skip
rpc_client = histogram(
    "rpc_client_call_duration_seconds",
    "Calls made to siblings, as the caller sees them.",
    "rpc_method", "rpc_response_status_code",
    bounds=FAST,
)  # fmt: skip
pool_waits = histogram(
    "db_client_connection_wait_time_seconds",
    "Time a call waited for a free connection, where it waited over a millisecond.",
    "db_client_connection_pool_name",
    bounds=FAST,
)
pool_timeouts = counter(
    "db_client_connection_timeouts_total",
    "Calls that got no connection, in two seconds or because the server has none left, and were told that the database is away.",
    "db_client_connection_pool_name",
)
events = counter(
    "bookbag_events_handled_total",
    "Events handled. Outcomes: done, repeated (its effect was committed already), failed (tried again), dead (given up on).",
    "consumer", "event_type", "outcome",
)  # fmt: skip
event_time = histogram(
    "bookbag_event_handling_duration_seconds",
    "One attempt at one event.",
    "consumer", "event_type",
    bounds=FAST,
)  # fmt: skip
event_age = histogram(
    "bookbag_event_age_seconds",
    "How old an event was when its effect was committed: relay, bus and consumer together.",
    "consumer",
    bounds=SLOW,
)
published = counter("bookbag_outbox_published_total", "Events brought to the bus.", "service_name")
outbox_waiting = sampled(
    "bookbag_outbox_waiting", "Events that wait to be published; counted up to a hundred thousand.", "service_name"
)
outbox_age = sampled(
    "bookbag_outbox_oldest_age_seconds", "Age of the oldest unpublished event; 0 without one.", "service_name"
)
lag = sampled("bookbag_consumer_lag", "Published events a consumer has not committed yet.", "consumer", "topic")
parked = sampled("bookbag_parked_records", "Records that wait behind one that failed.", "service_name")
dead_letters = sampled("bookbag_dead_letters", "Records given up on that wait for an operator.", "service_name")
job_time = histogram(
    "bookbag_job_duration_seconds",
    "Runs of jobs. Outcomes: done, away (a dependency was), failed.",
    "service_name", "job_name", "outcome",
    bounds=SLOW,
)  # fmt: skip
job_interval = gauge("bookbag_job_interval_seconds", "How often a job is meant to run.", "service_name", "job_name")
job_success = gauge(
    "bookbag_job_last_success_timestamp_seconds",
    "When a job last ended well in this process, in Unix time.",
    "service_name",
    "job_name",
)
