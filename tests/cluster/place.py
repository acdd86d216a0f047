"""The cluster that the tests were given, by variables of the environment, and its kubectl and helm."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "bookbag"
NAMESPACE = "bookbag"
RELEASE = "bookbag"
HOST = "bookbag.test"


@dataclass(frozen=True)
class Place:
    """What is different from one cluster to the next."""

    images: tuple[str, str]
    """Two images of the same product that differ in a label, so that there is something to upgrade to."""
    host: str
    """Address of this machine, as pods reach it."""
    gateway_class: str
    listener: int
    """Port of the Gateway's listener."""
    address: str
    """HOST:PORT where this machine reaches that listener."""
    proxies: tuple[str, ...]
    """Addresses from which the gateway's requests come to the pods."""

    @classmethod
    def told(cls) -> "Place | None":
        """As the environment says; None where no cluster was given."""
        if "CLUSTER_IMAGES" not in os.environ:
            return None
        first, second = os.environ["CLUSTER_IMAGES"].split(",")
        return cls(
            (first, second), os.environ["CLUSTER_HOST"], os.environ["CLUSTER_GATEWAY_CLASS"],
            int(os.environ["CLUSTER_LISTENER"]), os.environ["CLUSTER_ADDRESS"],
            tuple(os.environ["CLUSTER_PROXIES"].split(",")),
        )  # fmt: skip

    @property
    def url(self) -> str:
        """What people open."""
        return f"https://{HOST}:{self.address.rpartition(':')[2]}"


class Failed(AssertionError):
    """A command of the cluster failed; its own words are the message."""


def run(*command: str, within: float = 120, told: str | None = None) -> str:
    """Run a command to its end and give what it printed. Raises Failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=within, input=told or "")
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{' '.join(command)}: nothing within {within:g} s") from late
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def kubectl(*words: str, within: float = 120, told: str | None = None) -> str:
    return run("kubectl", "--namespace", NAMESPACE, *words, within=within, told=told)


def got(*words: str) -> Any:
    """What `kubectl get` finds, as data."""
    return json.loads(kubectl("get", *words, "--output", "json"))


def pods(component: str | None = None, *, ready: bool = False) -> Sequence[dict[str, Any]]:
    """Pods of the release that are not on their way out, by component."""
    selector = f"app.kubernetes.io/instance={RELEASE}" + (
        f",app.kubernetes.io/component={component}" if component else ""
    )
    found = [one for one in got("pods", "--selector", selector)["items"] if "deletionTimestamp" not in one["metadata"]]
    return [one for one in found if is_ready(one)] if ready else found


def leaving() -> Sequence[str]:
    """Pods on their way out."""
    return [name_of(one) for one in got("pods")["items"] if "deletionTimestamp" in one["metadata"]]


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def name_of(thing: dict[str, Any]) -> str:
    return thing["metadata"]["name"]


OURS = {"bookbag-keys", "bookbag-redis", "bookbag-mail", "bookbag-object-store", "bookbag-tls"}
OF_THE_CLUSTER = {"kube-root-ca.crt", "default", "kubernetes"}


def left() -> set[str]:
    """Everything in the namespace that neither the cluster nor the operator put there."""
    kinds = run("kubectl", "api-resources", "--verbs=list", "--namespaced", "--output=name").split()
    found = run(
        "kubectl", "--namespace", NAMESPACE, "get", ",".join(one for one in kinds if not one.startswith("events")),
        "--output=name", "--ignore-not-found",
    ).split()  # fmt: skip
    names = {one: one.rpartition("/")[2] for one in found}
    return {
        one
        for one, name in names.items()
        if name not in OURS | OF_THE_CLUSTER and not name.startswith("bookbag-database-")
    }
