"""A cluster of this machine, from the folder of tools that CLUSTER_TOOLS names (`../shared/cluster` when unset).

Its scripts are programs: `up.sh --gateway NAMESPACE/NAME`, `down.sh`, `docker-up.sh`, `docker-down.sh`, `base-image.sh`, `load-image NAME…`
and `kube CMD…`, which runs something in the cluster's network. Without such a folder the tests take any kubeconfig.
"""

import os
import re
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.bootstrap.progress import ROOT

SCRIPTS = ("up.sh", "down.sh", "docker-up.sh", "docker-down.sh", "base-image.sh", "load-image", "kube")
BASE = "localhost/python:3.11-slim-bookworm"
HOST = "172.30.0.1"
TOLD = {
    "CLUSTER_HOST": HOST,
    "CLUSTER_GATEWAY_CLASS": "contour",
    "CLUSTER_LISTENER": "443",
    # Listeners below 1024 are served 8000 higher.
    "CLUSTER_ADDRESS": f"{HOST}:8443",
    "CLUSTER_PROXIES": "10.244.0.1",
}


def folder() -> Path:
    return Path(os.environ.get("CLUSTER_TOOLS") or ROOT.parent / "shared" / "cluster").resolve()


def why_not_in_ci() -> str | None:
    """The same for `make test`, which starts a cluster in continuous integration alone."""
    return why_not() if os.environ.get("CI") == "true" else "it starts a whole cluster; `make cluster-test` does that"


def why_not() -> str | None:
    """Why no cluster can be had here, in a sentence; None when one can."""
    place = folder()
    lacking = [name for name in SCRIPTS if not (place / name).exists()]
    if lacking:
        return f"no tools that start a cluster in {place} (CLUSTER_TOOLS names their folder; `make cluster-test KUBECONFIG=…` takes any cluster)"
    return None if os.geteuid() == 0 else "starting a cluster on this machine needs root"


def script(name: str, *words: str, told: Mapping[str, str] | None = None) -> None:
    """Run one, its words going where ours go. Raises CalledProcessError."""
    environment = os.environ | dict(told or {})
    subprocess.run([folder() / name, *words], check=True, env=environment, stdin=subprocess.DEVNULL)


@contextmanager
def docker() -> Generator[dict[str, str]]:
    """Docker, until the block ends: the variables by which it is found."""
    up = subprocess.run(
        [folder() / "docker-up.sh"], check=True, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        yield dict(re.findall(r"^export (\w+)=(\S+)$", up.stdout, re.MULTILINE))
    finally:
        script("docker-down.sh")


@contextmanager
def cluster(gateway: str) -> Generator[Sequence[str]]:
    """A cluster that serves the Gateway NAMESPACE/NAME, until the block ends: the command in front of whatever is to run in its network."""
    try:
        script("up.sh", "--gateway", gateway)
        yield [str(folder() / "kube")]
    finally:
        script("down.sh")
