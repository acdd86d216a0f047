"""Traces are kept by the ratio asked for and by their causes, cut to the list, and never in anybody's way."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog
from opentelemetry.trace import SpanKind

from bookbag.chassis import tracing
from bookbag.chassis.bus import Record
from bookbag.chassis.hearing import hearing
from tests.support.collector import Collector, Span, collecting

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as receiver:
        yield receiver
        tracing.close()


def received(collector: Collector) -> list[Span]:
    tracing.close()
    return collector.spans


def test_without_an_address_a_span_is_nothing_and_carries_nothing() -> None:
    tracing.set_up("test", "1", "", 1.0)
    with tracing.span("toy", "work", parent=SAMPLED) as span:
        assert not span.is_recording()
        assert tracing.running() is None
        assert tracing.parent_of(span) is None
    assert not tracing.collects()


def test_what_runs_in_a_span_is_its_child_and_rows_carry_it_on(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    with tracing.span("first", "cause", apart=True):
        carried = tracing.running()
        with tracing.span("first", "inner"):
            pass
    with tracing.span("second", "later", parent=carried):
        pass
    found = {span.name: span for span in received(collector)}
    assert found["inner"].parent == found["cause"].id == found["later"].parent
    assert len({span.trace for span in found.values()}) == 1
    assert (found["cause"].service, found["later"].service) == ("first", "second")


def test_a_span_apart_begins_a_trace_inside_another(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    with tracing.span("toy", "outer", apart=True):
        tracing.begin("toy", "own", SpanKind.SERVER, apart=True).end()
    found = {span.name: span for span in received(collector)}
    assert found["own"].parent == ""
    assert found["own"].trace != found["outer"].trace


def test_what_nobody_asked_to_sample_is_not_sent_but_a_sampled_cause_is_followed(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 0.0)
    with tracing.span("toy", "by chance", apart=True) as lost:
        assert not lost.is_recording()
        assert int(str(tracing.running())[-2:], 16) & 1 == 0, "the decision travels with the rows"
    with tracing.span("toy", "in line", parent=SAMPLED):
        pass
    with tracing.span("toy", "not in line", parent=UNSAMPLED):
        pass
    with tracing.span("toy", "in a batch", links=[UNSAMPLED, SAMPLED], apart=True):
        pass
    with tracing.span("toy", "not in a batch", links=[UNSAMPLED], apart=True):
        pass
    assert {span.name for span in received(collector)} == {"in line", "in a batch"}


def test_what_is_no_traceparent_is_no_parent(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    with tracing.span("toy", "outer", apart=True):
        for broken in ("", "no", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "99-x", "é"):
            with tracing.span("toy", "inner", parent=broken, links=[broken]):
                pass
    found = received(collector)
    assert {len(span.links) for span in found} == {0}
    assert len(found) == 6


@pytest.mark.req("OPS-3", "PRV-5")
def test_attributes_that_are_not_on_the_list_and_words_of_errors_stay_here(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    with (
        pytest.raises(ValueError),
        tracing.span("toy", "work", attributes={"bookbag.school": "an id", "text": "Ocelot"}, apart=True) as span,
    ):
        span.set_attribute("url.query", "Ocelot")
        span.add_event("Ocelot", {"said": "Ocelot"})
        raise ValueError("Ocelot")
    (found,) = received(collector)
    assert found.attributes == {"bookbag.school": "an id", "error.type": "ValueError"}
    assert found.failed
    assert (found.events, found.status) == (0, "")
    assert b"Ocelot" not in collector.raw


def lines_while(act: Callable[[], None]) -> list[str]:
    """What was logged while something is done, by us or by the library."""
    lines: list[str] = []

    class Foreign(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.name)

    handler, root = Foreign(), logging.getLogger()
    root.addHandler(handler)
    before = logging.getLogger("opentelemetry").level
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    try:
        with structlog.testing.capture_logs() as ours:
            act()
    finally:
        root.removeHandler(handler)
        logging.getLogger("opentelemetry").setLevel(before)
    return lines + [line["event"] for line in ours]


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("mood", ["refusing", "hanging", "nobody"])
def test_a_collector_that_takes_nothing_holds_nobody_up_and_is_told_of_once(collector: Collector, mood: str) -> None:
    if mood == "nobody":
        endpoint = "http://127.0.0.1:1/v1/traces"
    else:
        collector.mood, endpoint = mood, collector.endpoint  # type: ignore[assignment]
    tracing.set_up("test", "1", endpoint, 1.0)
    longest = 0.0

    def work() -> None:
        nonlocal longest
        for _ in range(3 * tracing.WAITING):
            began = time.perf_counter()
            tracing.begin("toy", "work", apart=True).end()
            longest = max(longest, time.perf_counter() - began)

    lines = lines_while(work)
    began = time.monotonic()
    lines += lines_while(tracing.close)
    assert longest < tracing.EXPORT_SECONDS, "no span waits for an export"
    assert time.monotonic() - began < tracing.LAST_SECONDS + 5
    assert len(lines) <= 1, lines
    assert not [one for one in threading.enumerate() if one.name == "last spans" and not one.daemon]


def test_a_collector_that_comes_back_is_told_of(collector: Collector) -> None:
    collector.mood = "refusing"
    tracing.set_up("test", "1", collector.endpoint, 1.0)

    def until(fact: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not fact():
            assert time.monotonic() < end
            tracing.begin("toy", "work", apart=True).end()
            time.sleep(0.05)  # may thread-sleep: another thread exports, with a deadline

    with structlog.testing.capture_logs() as lines:
        until(lambda: len(lines) == 1)
        collector.mood = "taking"
        until(lambda: len(lines) == 2)
    assert [line["event"] for line in lines] == ["traces are not taken", "traces are taken again"]
    assert collector.spans


def record(trace: str | None) -> Record:
    kind = "google.protobuf.Int64Value"
    return Record(uuid4(), uuid4(), "google.protobuf", 0, uuid4(), kind, b"", None, trace, datetime.now(UTC))


@pytest.mark.req("OPS-3")
def test_of_events_handled_together_each_is_in_its_own_trace_and_linked_to_what_was_done_for_all(
    collector: Collector,
) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    causes = [tracing.begin("teller", "cause", apart=True) for _ in range(2)]
    for cause in causes:
        cause.end()
    records = [record(tracing.parent_of(cause)) for cause in causes]
    with hearing(records, "toy") as heard:
        with tracing.span("toy", "done once"):
            pass
        with tracing.span("toy", "row of the first", parent=heard.traces[records[0].event_id]):
            pass
    found = received(collector)
    first, second = (
        next(span for span in found if span.parent == format(cause.get_span_context().span_id, "016x"))
        for cause in causes
    )
    (batch,) = [span for span in found if span.name.startswith("process batch")]
    assert first.trace != second.trace != batch.trace != first.trace
    assert set(batch.links) == {(first.trace, first.id), (second.trace, second.id)}
    assert {span.name for span in found if span.parent == batch.id} == {"done once"}
    assert {span.name for span in found if span.parent == first.id} == {"row of the first"}


def test_an_event_handled_alone_is_its_cause_s_child_and_fails_by_type(collector: Collector) -> None:
    tracing.set_up("test", "1", collector.endpoint, 1.0)
    with pytest.raises(ZeroDivisionError), hearing([record(SAMPLED)], "toy"), tracing.span("toy", "inner"):
        raise ZeroDivisionError("Ocelot")
    found = {span.name: span for span in received(collector)}
    handling = found["process google.protobuf.Int64Value"]
    assert (handling.parent, handling.failed, handling.attributes["error.type"]) == (
        "b7ad6b7169203331",
        True,
        "ZeroDivisionError",
    )
    assert found["inner"].parent == handling.id
