"""Finds the programs that look at the Helm chart: in PATH, or in the cache of a folder of cluster tools, which fills it when asked.

`CLUSTER_TOOLS` names that folder, `CLUSTER_CACHE` its cache. Without either nothing is fetched from anywhere.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tools.bootstrap.progress import ROOT

JUDGE = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0"


def folder() -> Path:
    """The folder of cluster tools, whether it is there or not."""
    named = os.environ.get("CLUSTER_TOOLS")
    return Path(named).resolve() if named else ROOT.parent / "shared" / "cluster"


def store() -> Path:
    """Where that folder keeps what it has made."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CLUSTER_CACHE") or Path(home) / "cluster-tools")


@cache
def program(name: str) -> Path | None:
    """Where a program is; None when it is nowhere. The first question may take some seconds: what is packed is unpacked then."""
    known = _there(name)
    if known is None and (folder() / "build.sh").exists():
        subprocess.run([folder() / "build.sh", "lint"], check=False, stdin=subprocess.DEVNULL, capture_output=True)
        known = _there(name)
    return known


def _there(name: str) -> Path | None:
    kept = store() / "bin" / name
    found = str(kept) if kept.exists() else shutil.which(name)
    return Path(found) if found else None


@cache
def judge() -> Path | None:
    """kube-score. Where Go is there it is built once, from its module, beside the other programs: that takes a minute or two."""
    known = _there("kube-score")
    if known is None and shutil.which("go") and _there("helm"):
        environment = {**os.environ, "GOBIN": str(store() / "bin"), "CGO_ENABLED": "0"}
        command = ["go", "install", "-trimpath", "-ldflags=-s -w", JUDGE]
        subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        known = _there("kube-score")
    return known


def why_not() -> str | None:
    """Why the chart cannot be looked at here; None when it can."""
    missing = [name for name in ("helm", "untt", "kubeconform") if program(name) is None]
    if not missing:
        return None
    return f"{', '.join(missing)} not in PATH, and {folder()} is no folder of cluster tools (CLUSTER_TOOLS names one)"
