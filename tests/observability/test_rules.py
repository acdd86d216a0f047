"""Rules and dashboards ask only for what exists, and whoever an alert wakes finds a page that says what to do."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from bookbag.chassis import measures
from bookbag.cli.services import NAMES, named
from tests.observability.queries import named_in
from tools.bootstrap import promtool

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "observability"
RUNBOOKS = ROOT / "docs" / "runbooks"
OF_THE_TARGET = {"job", "instance", "le"}
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
SECTIONS = ("What it means for people", "Look", "Likely causes", "What to do", "How to know it is over")


def existing() -> dict[str, set[str]]:
    """Every series there can be, with its labels: ours, what the client library counts, what the rules record."""
    for name in NAMES:
        named(name)
    for module in ("process", "telemetry"):
        importlib.import_module(f"bookbag.chassis.{module}")
    found = {exposed: set(one.labels) for one in measures.DECLARED.values() for exposed in one.exposed}
    for family in REGISTRY.collect():
        if family.name.startswith(("process_", "python_")):
            found |= {sample.name: set(sample.labels) for sample in family.samples}
    for rule in RULES:
        if "record" in rule:
            found[rule["record"]] = named_in(rule["expr"]).grouped
    return found | OF_PROMETHEUS


def wrong_with(query: str, there: dict[str, set[str]]) -> list[str]:
    asked = named_in(query)
    missing = [metric for metric in asked.metrics if metric not in there]
    known = set().union(*(there.get(metric, set()) for metric in asked.metrics)) | OF_THE_TARGET
    strange = [
        f"{metric}{{{label}}}"
        for metric, labels in asked.metrics.items()
        for label in labels - there.get(metric, set()) - OF_THE_TARGET
    ]
    return missing + strange + sorted(asked.grouped - known)


def queries() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for board in sorted(FOLDER.glob("dashboards/*.json")):
        for panel in json.loads(board.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{board.name}: {panel['title']}", target["expr"]


@pytest.mark.req("OPS-3")
def test_every_query_of_rules_and_dashboards_asks_for_what_exists() -> None:
    there, asked = existing(), list(queries())
    assert len(asked) > 50
    assert {place: found for place, query in asked if (found := wrong_with(query, there))} == {}


def test_a_metric_or_label_that_does_not_exist_is_seen() -> None:
    there = existing()
    assert wrong_with("sum(rate(bookbag_letters_total[5m]))", there) == ["bookbag_letters_total"]
    assert wrong_with('bookbag_dead_letters{school="x"} > 0', there) == ["bookbag_dead_letters{school}"]
    assert wrong_with("max by (person) (bookbag_dead_letters)", there) == ["person"]
    assert wrong_with("rate(http_server_request_duration_seconds[5m])", there) == [
        "http_server_request_duration_seconds"
    ]


@pytest.mark.req("OPS-3")
def test_every_metric_of_ours_is_looked_at_somewhere() -> None:
    looked = {metric for _, query in queries() for metric in named_in(query).metrics}
    unseen = {name for name, one in measures.DECLARED.items() if not set(one.exposed) & looked}
    assert unseen == set()


@pytest.mark.req("OPS-3")
def test_there_are_three_dashboards() -> None:
    assert {board.stem for board in FOLDER.glob("dashboards/*.json")} == {
        "bookbag-day",
        "bookbag-delivery",
        "bookbag-health",
    }


def without_a_page(alerts: list[dict[str, Any]], pages: set[str]) -> tuple[list[str], set[str]]:
    """Alerts that name no page of their own, and pages of no alert."""
    bare = [
        alert["alert"]
        for alert in alerts
        if alert.get("annotations", {}).get("runbook_url") != f"docs/runbooks/{alert['alert']}.md"
        or alert["alert"] not in pages
    ]
    return bare, pages - {alert["alert"] for alert in alerts}


@pytest.mark.req("OPS-3")
def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README"}
    assert without_a_page(ALERTS, pages) == ([], set())


def test_an_alert_without_a_runbook_and_a_runbook_without_an_alert_are_seen() -> None:
    bare = [{"alert": "A", "annotations": {}}, {"alert": "B", "annotations": {"runbook_url": "docs/runbooks/B.md"}}]
    assert without_a_page(bare, {"A", "C"}) == (["A", "B"], {"C"})


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_a_runbook_says_what_it_is_how_to_look_what_to_do_and_when_it_is_over(alert: dict[str, Any]) -> None:
    page = (RUNBOOKS / f"{alert['alert']}.md").read_text()
    heads = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert tuple(heads) == SECTIONS
    assert page.startswith(f"# {alert['alert']}\n")
    assert re.search(r"^    \S", page, re.MULTILINE), "a command to type"
    assert alert["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.req("OPS-3")
def test_promtool_finds_no_mistake_and_every_alert_is_tested() -> None:
    tested = (FOLDER / "rules.test.yaml").read_text()
    assert [alert["alert"] for alert in ALERTS if f'{{alertname="{alert["alert"]}"' not in tested] == []
    tool = promtool.found()
    if tool is None:
        pytest.skip("promtool is not there: `make test` fetches it with apt; the suite `alerts` says the same")
    done = subprocess.run(
        [tool, "test", "rules", str(FOLDER / "rules.test.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
