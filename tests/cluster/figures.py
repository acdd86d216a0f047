"""What was measured on the cluster, kept in build/results/cluster.json for whoever compares one run with the next, and told beside its goal."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bookbag.cli.answers import table
from tests.cluster.place import ROOT

FILE = ROOT / "build" / "results" / "cluster.json"
GOAL_SECONDS = 15.0
"""From the death of all pods of a process to the next message that is accepted."""

NOT_PROVEN = (
    "one node: pods moved to another node, spread over zones, a node that is drained or lost",
    "KEDA's controller is not there: ScaledObjects are accepted and stored, nothing scales by Kafka's lag",
    "the Prometheus operator is not there: monitors and rules are accepted and stored, nothing scrapes by them",
    "the gateway runs on the node itself, where no NetworkPolicy reaches: that a policy lets the gateway in is not noticed if missing",
    "PostgreSQL, Kafka, Valkey and the object store are single servers: their own failover is theirs to prove",
)


@dataclass(frozen=True)
class Figure:
    """One line of what is told. `read` raises KeyError when it was not measured; without a goal it is only told."""

    what: str
    read: Callable[[Mapping[str, Any]], float]
    unit: str = ""
    goal: float | None = None


def _told() -> Iterable[Figure]:
    yield Figure("size of the image", lambda all_: all_["image_mb"], "MB", 350)
    yield Figure("building it, twice", lambda all_: all_["build_seconds"], "s")
    yield Figure("the cluster's start", lambda all_: all_["cluster_ready_seconds"], "s")
    yield Figure("from `helm install` to all pods ready", lambda all_: all_["install_to_ready_seconds"], "s")
    for process in ("messaging-api", "identity-api", "messaging-worker"):
        key = f"killed_{process.replace('-', '_')}"
        yield Figure(
            f"{process} killed: nobody's message accepted for", lambda all_, key=key: all_[key]["longest_silence_seconds"], "s", GOAL_SECONDS
        )  # fmt: skip
        yield Figure(f"{process} killed: messages given up", lambda all_, key=key: all_[key]["given_up"], "", 0)
    for change in ("upgrade", "rollback"):
        yield Figure(
            f"{change} under load: requests refused", lambda all_, key=change: sum(all_[key]["first_answers_refused"].values()), "", 0
        )  # fmt: skip
        yield Figure(
            f"{change} under load: 99 of 100 messages within", lambda all_, key=change: all_[key]["p99_ms"], "ms"
        )
    yield Figure("the whole run", lambda all_: all_["seconds"], "s", 720)


def lines(measured: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was measured beside its goal, a row for each figure that is there."""
    found: list[dict[str, str]] = []
    for figure in _told():
        try:
            value = figure.read(measured)
        except KeyError:
            continue
        goal, holds = "", ""
        if figure.goal is not None:
            goal, holds = f"≤ {figure.goal:g} {figure.unit}".strip(), "holds" if value <= figure.goal else "MISSED"
        found.append({"figure": figure.what, "measured": f"{value:g} {figure.unit}".strip(), "goal": goal, "": holds})
    return found


def show() -> None:
    """Print what this run measured, when it was more than its own length."""
    rows = lines(json.loads(FILE.read_text()))
    if len(rows) > 1:
        print(f"\n{table(rows)}\n")


def note(**measured: Any) -> None:
    """Add figures to the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(known | measured | {"not_proven": NOT_PROVEN}, indent=1) + "\n")
