"""The chart as Helm renders it, and what is asked of it."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.bootstrap import cluster_tools

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "bookbag"
VALUES = ("small", "standard", "hardened", "everything-on")
"""The files of values in the chart's `ci` folder."""
KUBERNETES = "1.35.4"

Doc = Mapping[str, Any]


def run(program: str, *words: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    found = cluster_tools.program(program)
    assert found is not None, cluster_tools.why_not()
    return subprocess.run([found, *words], input=given, capture_output=True, text=True, check=False, timeout=100)


def helm(values: str, *more: str) -> subprocess.CompletedProcess[str]:
    return run(
        "helm", "template", "oak", CHART, "--namespace", "school", "--kube-version", KUBERNETES,
        "--values", CHART / "ci" / f"{values}.yaml", *more,
    )  # fmt: skip


@cache
def text(values: str, *more: str) -> str:
    done = helm(values, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def rendered(values: str, *more: str) -> tuple[Doc, ...]:
    """All objects of a release `oak` in the namespace `school`."""
    return tuple(doc for doc in yaml.load_all(text(values, *more), yaml.CSafeLoader) if doc)


def refusal(values: Mapping[str, Any], *, base: str = "small") -> str:
    """What Helm says to values it does not take."""
    more = ["--set-json=" + f"{key}={json.dumps(value)}" for key, value in values.items()]
    done = helm(base, *more)
    assert done.returncode != 0, f"taken: {more}"
    return done.stderr


def of_kind(docs: Iterable[Doc], *kinds: str) -> dict[str, Doc]:
    return {doc["metadata"]["name"]: doc for doc in docs if doc["kind"] in kinds}


def component(doc: Doc) -> str:
    return doc["metadata"]["labels"]["app.kubernetes.io/component"]


def pods(docs: Iterable[Doc]) -> dict[str, Doc]:
    """The pods that would run, by component: those of Deployments, Jobs and CronJobs, and the one of `helm test`."""
    found: dict[str, Doc] = {}
    for doc in docs:
        match doc["kind"]:
            case "Deployment" | "Job":
                found[component(doc)] = doc["spec"]["template"]
            case "CronJob":
                found[component(doc)] = doc["spec"]["jobTemplate"]["spec"]["template"]
            case "Pod":
                found[component(doc)] = doc
            case _:
                pass
    return found


def container(pod: Doc) -> Doc:
    (one,) = pod["spec"]["containers"]
    return one


def environment(pod: Doc) -> dict[str, str | Doc]:
    """What the container is told: a word, or the reference to a secret."""
    told = container(pod)["env"]
    names = [one["name"] for one in told]
    assert len(names) == len(set(names)), f"told twice: {sorted(name for name in names if names.count(name) > 1)}"
    return {one["name"]: one["value"] if "value" in one else one["valueFrom"]["secretKeyRef"] for one in told}
