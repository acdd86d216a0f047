"""P6: how soon `bookbag up` is ready when there is nothing left to set up, and how much memory the idle product takes."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.results import Result
from bookbag.local import ports
from bookbag.local.measure import lines_of, memory_report

READY_GOAL = 5.0
MEMORY_GOAL = 500.0


def measure() -> Sequence[Result]:
    """Start once to set up, then twice for the figures; memory after ten idle seconds."""
    with tempfile.TemporaryDirectory(prefix="bookbag-bench-") as name:
        folder = Path(name) / "data"
        with running(folder) as (_, first, _):
            pass
        with running(folder) as (_, second, _):
            pass
        with running(folder) as (_, third, process):
            time.sleep(10)
            report = memory_report([process.pid])
    print("\n".join(lines_of(report)))
    used = sum(memory.bytes for memory in report) / 1e6
    ready = min(second, third)
    return [
        Result("P6a", "`bookbag up` ready, set up before", round(ready, 2), "s", f"≤ {READY_GOAL:g}", ready <= READY_GOAL,
               {"first": first, "again": [second, third]}),
        Result("P6b", "memory of the whole idle product", round(used, 1), "MB", f"≤ {MEMORY_GOAL:g}", used <= MEMORY_GOAL,
               {"processes": {f"{memory.name} {memory.pid}": memory.bytes for memory in report}}),
    ]  # fmt: skip


@contextmanager
def running(folder: Path) -> Generator[tuple[str, float, subprocess.Popen[str]]]:
    """Run the product until the block ends; gives its address and the seconds until it said that it is ready."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bookbag", "up", "--data", str(folder), "--port", str(ports.choose(1)[0])],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                break
        else:
            raise SystemExit("bookbag up ended before it was ready")
        yield found[0], time.monotonic() - began, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
