"""The product as a person starts it, for measurements: as two processes (`bookbag up`) or as many (`bookbag stack up`)."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bookbag.local import ports
from tests.support.policy import demo_rules

Kind = Literal["up", "stack"]
KINDS: Final[dict[Kind, tuple[str, ...]]] = {"up": ("up",), "stack": ("stack", "up")}
NAMES: Final[dict[Kind, str]] = {"up": "one machine", "stack": "many processes"}


@dataclass(frozen=True, slots=True)
class Running:
    """A running product and how long it took until it said that it is ready, in seconds."""

    address: str
    folder: Path
    process: subprocess.Popen[str]
    seconds: float


@contextmanager
def running(folder: Path, kind: Kind = "up", *options: str) -> Generator[Running]:
    """Run the product over a data folder until the block ends. Its schools are open at any hour: a figure asks for no calendar."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bookbag", *KINDS[kind], "--data", str(folder), "--port", str(ports.choose_lasting(1)[0]), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | demo_rules(folder),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told: list[str] = []
        for line in process.stdout:
            told.append(line)
            found = re.search(r"ready after .*(https?://127\.0\.0\.1:\d+)", line)
            if found:
                break
        else:
            raise SystemExit("bookbag ended before it was ready:\n" + "".join(told[-20:]))
        yield Running(found[1], folder, process, time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=90)


@contextmanager
def fresh(kind: Kind, *options: str) -> Generator[Running]:
    """The same over a folder of its own that goes away."""
    with (
        tempfile.TemporaryDirectory(prefix="bookbag-bench-") as name,
        running(Path(name) / "data", kind, *options) as one,
    ):
        yield one
