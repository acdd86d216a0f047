"""The three Grafana dashboards, described in a few lines each and written as JSON by `make docs`; import them as they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RANGE = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what it tells in a sentence, the queries with their legends, and the unit of its numbers."""

    title: str
    tells: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    wide: int = 12
    kind: str = "timeseries"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    tells: str
    panels: Sequence[Panel]


def _rate(metric: str, by: str = "", where: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{where}[{RANGE}]))"


def _per_minute(metric: str, by: str = "", where: str = "") -> str:
    return f"60 * {_rate(metric, by, where)}"


def _quantile(share: float, metric: str, by: str = "") -> str:
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[{RANGE}])))"


SEND = (
    '{http_request_method="POST",http_route="/messaging/v1/threads/{thread}/messages",http_response_status_code="201"}'
)

A_SCHOOL_DAY = Board(
    "bookbag-day",
    "Bookbag: a school's day",
    "What people do with the product over a day, all schools together: no school and no person can be told apart here.",
    (
        Panel("Messages sent", "Accepted messages per minute.",
              [(_per_minute('http_server_request_duration_seconds_count', where=SEND), "messages per minute")], wide=8),
        Panel("People listening", "Live streams open now.", [("sum(bookbag_live_streams)", "streams")], wide=8),
        Panel("Sign-ins", "Tries per minute by how they ended.",
              [(_per_minute('bookbag_sign_ins_total', 'outcome'), "{{outcome}}")], wide=8),
        Panel("What reaches people", "Deliveries per minute by channel.",
              [(_per_minute('bookbag_deliveries_total', 'channel', '{outcome="sent"}'), "{{channel}}")]),
        Panel("Translations", "Texts per minute by engine and outcome.",
              [(_per_minute('bookbag_translations_total', 'engine, outcome'), "{{engine}} {{outcome}}")]),
        Panel("Requests", "Requests per second by service route.",
              [("topk(10, bookbag:http_requests:rate5m)", "{{http_route}}")], "reqps", 24),
    ),
)  # fmt: skip

DELIVERY = Board(
    "bookbag-delivery",
    "Bookbag: delivery",
    "From the accepted message to the person: outbox, bus, consumers, live stream, mail, translation.",
    (
        Panel("Waiting to be published", "Events in the outbox, by service.",
              [("max by (service_name) (bookbag_outbox_waiting)", "{{service_name}}")], wide=8),
        Panel("Oldest unpublished event", "Past 30 s: EventsNotPublished.",
              [("max by (service_name) (bookbag_outbox_oldest_age_seconds)", "{{service_name}}")], "s", 8),
        Panel("Published", "Events per second.", [(_rate("bookbag_outbox_published_total", "service_name"), "{{service_name}}")], wide=8),
        Panel("Consumers behind", "Events not handled yet.",
              [("max by (consumer, topic) (bookbag_consumer_lag)", "{{consumer}} {{topic}}")], wide=8),
        Panel("Events handled", "Per second by consumer and outcome.",
              [(_rate("bookbag_events_handled_total", "consumer, outcome"), "{{consumer}} {{outcome}}")], wide=8),
        Panel("Age of an event when it took effect", "Relay, bus and consumer together.",
              [(_quantile(0.5, "bookbag_event_age_seconds", "consumer"), "{{consumer}} p50"),
               (_quantile(0.99, "bookbag_event_age_seconds", "consumer"), "{{consumer}} p99")], "s", 8),
        Panel("Parked and given up", "Anything above nothing wants a person.",
              [("max by (service_name) (bookbag_parked_records)", "{{service_name}} parked"),
               ("max by (service_name) (bookbag_dead_letters)", "{{service_name}} dead")], wide=8),
        Panel("Mails", "What becomes of them, per minute.",
              [(_per_minute('bookbag_deliveries_total', 'outcome, reason', '{channel="email"}'), "{{outcome}} {{reason}}")], wide=8),
        Panel("Handing a mail over", "How long the mail server takes.",
              [(_quantile(0.99, "bookbag_mail_handover_duration_seconds", "outcome"), "{{outcome}} p99")], "s", 8),
        Panel("One event, one attempt", "p99 by consumer and type.",
              [(_quantile(0.99, "bookbag_event_handling_duration_seconds", "consumer, event_type"), "{{consumer}} {{event_type}}")], "s"),
        Panel("One text at an engine", "p99 by engine.", [(_quantile(0.99, "bookbag_translation_duration_seconds", "engine"), "{{engine}}")], "s"),
    ),
)  # fmt: skip

HEALTH = Board(
    "bookbag-health",
    "Bookbag: health",
    "Whether the processes are well: first row what people feel, then what it comes from.",
    (
        Panel("Alerts", "Firing now.", [('ALERTS{alertstate="firing"}', "{{alertname}}")], wide=6, kind="stat"),
        Panel("Requests that fail", "Share of 5xx.", [("bookbag:http_failures:ratio5m", "failed")], "percentunit", 6),
        Panel("Slowest routes", "p99 until the answer begins.", [("topk(8, bookbag:http_latency:p99_5m)", "{{http_route}}")], "s"),
        Panel("Who is who, last heard", "Past 5 s somebody shut out may still be let in; past 30 s the service refuses.",
              [("max by (service_name) (bookbag_feed_heard_age_seconds)", "{{service_name}}")], "s", 8),
        Panel("Calls between services", "Per second by method and status.",
              [(_rate("rpc_client_call_duration_seconds_count", "rpc_method, rpc_response_status_code"), "{{rpc_method}} {{rpc_response_status_code}}")], "reqps", 8),
        Panel("Calls answered", "p99 by method.", [(_quantile(0.99, "rpc_server_call_duration_seconds", "rpc_method"), "{{rpc_method}}")], "s", 8),
        Panel("Connections in use", "Share of each pool.",
              [("bookbag:pool_used:ratio", "{{instance}} {{db_client_connection_pool_name}}")], "percentunit", 8),
        Panel("Waiting for a connection", "p99 of those that waited, and those that gave up per second.",
              [(_quantile(0.99, "db_client_connection_wait_time_seconds", "db_client_connection_pool_name"), "{{db_client_connection_pool_name}}"),
               (_rate("db_client_connection_timeouts_total", "db_client_connection_pool_name"), "gave up {{db_client_connection_pool_name}}")], "s", 8),
        Panel("Leases held", "Who does which work.", [("sum by (instance, kind) (bookbag_leases_held)", "{{instance}} {{kind}}")], wide=8),
        Panel("Jobs", "Runs per minute by job and outcome.",
              [(_per_minute('bookbag_job_duration_seconds_count', 'job_name, outcome'), "{{job_name}} {{outcome}}")], wide=8),
        Panel("Memory", "By process.", [('process_resident_memory_bytes{job="bookbag"}', "{{instance}}")], "bytes", 8),
        Panel("Disk left", "Of the one-machine run.", [("min(bookbag_disk_free_bytes / bookbag_disk_size_bytes)", "left")], "percentunit", 8),
    ),
)  # fmt: skip

BOARDS = (A_SCHOOL_DAY, DELIVERY, HEALTH)


def page_of(board: Board) -> str:
    """The dashboard as Grafana reads it; panels fill rows of 24 from left to right."""
    panels: list[dict[str, Any]] = []
    left = top = 0
    for number, panel in enumerate(board.panels, 1):
        if left + panel.wide > 24:
            left, top = 0, top + 8
        panels.append(_panel(number, panel, {"h": 8, "w": panel.wide, "x": left, "y": top}))
        left += panel.wide
    return json.dumps(
        {
            "uid": board.uid, "title": board.title, "description": board.tells, "tags": ["bookbag"], "schemaVersion": 39,
            "editable": True, "refresh": "10s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
            "templating": {"list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0},
            ]},
            "panels": panels,
        },
        indent=1,
    ) + "\n"  # fmt: skip


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.tells, "gridPos": place, "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(64 + place), "datasource": source, "expr": expr, "legendFormat": legend}
            for place, (expr, legend) in enumerate(panel.queries, 1)
        ],
    }  # fmt: skip
