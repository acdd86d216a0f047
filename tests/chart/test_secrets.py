"""What the chart asks for by name is what `bookbag prepare` makes and what the chart's README tells an operator to make."""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from bookbag.cli.prepare import prepare
from tests.chart.charts import CHART, environment, pods, rendered

BY_HAND = {"bookbag-object-store", "bookbag-kafka", "bookbag-backup", "bookbag-translate"}
"""Of somebody else's making: the keys of servers, which `prepare` does not know."""


def asked(values: str) -> Mapping[str, set[str]]:
    """Every key of every Secret that a pod refers to."""
    found: dict[str, set[str]] = defaultdict(set)
    for pod in pods(rendered(values)).values():
        for told in environment(pod).values():
            if not isinstance(told, str):
                found[told["name"]].add(told["key"])
        for volume in pod["spec"]["volumes"]:
            if "secret" in volume:
                found[volume["secret"]["secretName"]] |= {item["key"] for item in volume["secret"]["items"]}
    return found


@pytest.mark.req("OPS-2")
def test_every_secret_of_the_chart_is_made_by_prepare_or_by_hand(tmp_path: Path) -> None:
    prepare(argparse.Namespace(to=tmp_path, postgresql="db:5432", options="", redis="redis://r", mail="smtp://m"))
    made = {
        item["metadata"]["name"]: set(item["data"])
        for item in json.loads((tmp_path / "secrets.json").read_text())["items"]
    }
    wanted = asked("everything-on")
    assert set(wanted) - BY_HAND == set(made)
    for name, keys in made.items():
        assert wanted[name] == keys, name


def test_the_readme_names_every_secret() -> None:
    page = (CHART / "README.md").read_text()
    for name, keys in asked("hardened").items():
        told = "bookbag-database-NAME" if name.startswith("bookbag-database-") else name
        line = next(line for line in page.splitlines() if line.startswith(f"| `{told}`"))
        if name != "bookbag-keys":
            assert all(f"`{key}`" in line for key in keys), name
