"""P6: how soon the product is ready when there is nothing left to set up, and how much memory it takes idle, process by process."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.results import Result
from bench.running import NAMES, Kind, running
from bookbag.local.measure import lines_of, memory_report

READY_GOAL = {"up": 5.0, "stack": 30.0}
"""Seconds. For many processes there is no goal but that nobody should wait for coffee."""
MEMORY_GOAL = {"up": 500.0, "stack": 2500.0}


def measure() -> Sequence[Result]:
    """On one machine, then as many processes."""
    return [*_of("up", "P6"), *_of("stack", "P6S")]


def _of(kind: Kind, prefix: str) -> Sequence[Result]:
    """Start once to set up, then twice for the figures; memory after ten idle seconds."""
    with tempfile.TemporaryDirectory(prefix="bookbag-bench-") as name:
        folder = Path(name) / "data"
        with running(folder, kind) as first:
            pass
        with running(folder, kind) as second:
            pass
        with running(folder, kind) as third:
            time.sleep(10)
            report = memory_report([third.process.pid])
    print("\n".join(lines_of(report)))
    used = sum(memory.bytes for memory in report) / 1e6
    ready, goal, memory_goal = min(second.seconds, third.seconds), READY_GOAL[kind], MEMORY_GOAL[kind]
    return [
        Result(f"{prefix}a", f"ready, set up before, {NAMES[kind]}", round(ready, 2), "s", f"≤ {goal:g}", ready <= goal,
               {"first": first.seconds, "again": [second.seconds, third.seconds]}),
        Result(f"{prefix}b", f"memory of the whole idle product, {NAMES[kind]}", round(used, 1), "MB", f"≤ {memory_goal:g}",
               used <= memory_goal, {"processes": {f"{memory.name} {memory.pid}": memory.bytes for memory in report}}),
    ]  # fmt: skip
