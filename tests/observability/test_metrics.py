"""What a scrape shows: every figure that is declared, under the labels it was declared with, and nothing anybody typed."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bookbag.chassis import measures
from bookbag.chassis.clock import new_id
from tests.observability.conftest import Traced
from tests.observability.test_rules import existing

OURS = ("bookbag_", "http_", "rpc_", "db_")


def scrape(traced: Traced) -> Iterator[tuple[str, dict[str, str], float]]:
    for port in traced.world.product.admin_ports.values():
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics", verify=False).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value


def value(traced: Traced, name: str, **labels: str) -> float:
    return sum(found for one, said, found in scrape(traced) if one == name and labels.items() <= said.items())


@pytest.fixture(scope="module")
def used(traced: Traced) -> Traced:
    """Everything that counts has happened once: requests well and badly, a sign-in, a stream, a mail."""
    world, thread = traced.world, traced.world.objects["thread"]
    world.says("teacher", thread, "A word for everybody.")
    with world.product.client() as http:
        http.post("/identity/v1/sessions", json={"email": "nobody@people.example", "password": "a wrong password"})
        http.get(f"/messaging/v1/threads/{new_id()}", headers=world.headers("teacher"))
        http.get("/nowhere/at/all")
        http.request("PROPFIND", "/messaging/v1/threads")
        with http.stream("GET", "/notify/v1/stream", headers=world.headers("office")) as stream:
            assert stream.status_code == 200
            world.product.wait(lambda: value(traced, "bookbag_live_streams") >= 1)
    world.product.wait(
        lambda: value(traced, "bookbag_mail_handover_duration_seconds_count", outcome="taken"), seconds=30
    )
    world.product.wait(lambda: value(traced, "bookbag_outbox_published_total", service_name="messaging"))
    return traced


@pytest.mark.req("OPS-3")
def test_every_series_is_declared_and_has_its_labels_and_no_others(used: Traced) -> None:
    there = existing()
    for name, labels, _ in scrape(used):
        if name.startswith(OURS):
            assert name in there, name
            assert set(labels) - {"le"} == there[name] - {"le"}, name
            for said in labels.values():
                assert not re.search(r"[0-9a-f]{8}-|@|\s.*\s.*\s", said), (name, said)


SELDOM = {
    "db_client_connection_wait_time_seconds", "bookbag_translations_total", "bookbag_translation_duration_seconds",
}  # fmt: skip
"""What need not have happened here; one row of a histogram or counter appears with its first event."""


@pytest.mark.req("OPS-3")
def test_every_figure_that_is_declared_is_shown(used: Traced) -> None:
    used.world.product.wait(
        lambda: (
            {name for name, one in measures.DECLARED.items() if not set(one.exposed) & {n for n, _, _ in scrape(used)}}
            <= SELDOM
        ),
        seconds=30,
    )


@pytest.mark.req("OPS-3")
def test_a_request_is_counted_by_the_template_of_its_route_and_by_its_status(used: Traced) -> None:
    count = "http_server_request_duration_seconds_count"
    route = "/messaging/v1/threads/{thread}"
    assert value(used, count, http_route=f"{route}/messages", http_response_status_code="201") >= 1
    assert value(used, count, http_route=route, http_response_status_code="404") >= 1
    assert value(used, count, http_request_method="OTHER") >= 1
    assert value(used, "bookbag_sign_ins_total", outcome="wrong") >= 1


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize(
    ("counted", "outcomes"),
    [
        ("bookbag_sign_ins_total", {"done", "wrong", "limited", "away"}),
        ("bookbag_mail_handover_duration_seconds_count", {"taken", "refused", "away"}),
    ],
)
def test_every_outcome_is_counted_from_zero_so_that_a_rate_sees_the_first(
    used: Traced, counted: str, outcomes: set[str]
) -> None:
    assert {labels["outcome"] for name, labels, _ in scrape(used) if name == counted} == outcomes


@pytest.mark.req("OPS-3")
def test_calls_that_got_no_connection_are_counted_from_zero_in_every_pool(used: Traced) -> None:
    shown = {
        name: {labels["db_client_connection_pool_name"] for one, labels, _ in scrape(used) if one == name}
        for name in ("db_client_connection_max", "db_client_connection_timeouts_total")
    }
    assert shown["db_client_connection_max"] == shown["db_client_connection_timeouts_total"] != set()


@pytest.mark.req("OPS-3")
def test_calls_are_counted_on_both_sides(used: Traced) -> None:
    method = {"rpc_method": "bookbag.content.v1.ContentOwnerService/ListReaders", "rpc_response_status_code": "OK"}
    used.world.product.wait(lambda: value(used, "rpc_client_call_duration_seconds_count", **method))
    assert value(used, "rpc_server_call_duration_seconds_count", **method) >= 1


@pytest.mark.req("OPS-3")
def test_every_copy_of_who_is_who_says_when_it_was_heard(used: Traced) -> None:
    ages = {
        labels["service_name"]: age for name, labels, age in scrape(used) if name == "bookbag_feed_heard_age_seconds"
    }
    assert set(ages) == {"messaging", "notify", "translate"}
    assert all(0 <= age < 30 for age in ages.values())


@pytest.mark.req("OPS-3")
def test_each_job_says_how_often_it_runs_and_when_it_last_did(used: Traced) -> None:
    jobs = {labels["job_name"] for name, labels, _ in scrape(used) if name == "bookbag_job_interval_seconds"}
    assert {"sample_figures", "purge_infrastructure", "deliver_due_mails"} <= jobs
    last = {labels["job_name"] for name, labels, at in scrape(used)
            if name == "bookbag_job_last_success_timestamp_seconds" and at > 0}  # fmt: skip
    assert jobs == last


def test_a_label_that_is_not_on_the_list_cannot_be_declared() -> None:
    with pytest.raises(measures.UnboundedLabel, match="school"):
        measures.counter("bookbag_tests_total", "A counter by school.", "school")
    assert "bookbag_tests_total" not in measures.DECLARED
