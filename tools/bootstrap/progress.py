"""Shows what is being done and how long it takes, and turns every failure into one sentence that says what to do."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "bootstrap"

_NO_NETWORK = (
    "temporary failure in name resolution",
    "name or service not known",
    "failed to resolve",
    "dns error",
    "newconnectionerror",
    "failed to establish a new connection",
    "connection refused",
    "network is unreachable",
    "error sending request",
    "failed to fetch",
    "connect timeout",
    "read timed out",
    "enotfound",
    "eai_again",
    "econnrefused",
    "etimedout",
    "econnreset",
    "enetunreach",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DISK_FULL = ("no space left on device", "enospc", "disk quota exceeded")


class Trouble(Exception):
    """A step cannot be done. The text is one sentence for the person at the keyboard."""


class OutOfReach(Trouble):
    """What a step needs could not be fetched over the network."""


class Progress:
    """Prints one line when a step begins and one when it ends; on a terminal also what is running right now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._live = sys.stdout.isatty()
        self._done = threading.Event()
        self._ticker: threading.Thread | None = None
        self._heartbeat = 0.25 if self._live else 20.0

    @contextmanager
    def step(self, title: str, *, first: str = "") -> Generator[None]:
        """Run the body as the step `title`; `first` tells what to expect when it may take long."""
        began = time.monotonic()
        with self._lock:
            self._running[title] = began
            if not self._live:
                self._print(f"  … {title}{f' ({first})' if first else ''}")
        self._start_ticker()
        try:
            yield
        except BaseException:
            with self._lock:
                self._running.pop(title, None)
                self._print(f"  ✗ {title} ({time.monotonic() - began:.1f} s)")
            raise
        with self._lock:
            self._running.pop(title, None)
            self._print(f"  ✓ {title} ({time.monotonic() - began:.1f} s)")

    def say(self, sentence: str) -> None:
        """Print one line between the steps."""
        with self._lock:
            self._print(f"  {sentence}")

    def close(self) -> None:
        """Stop the live line; safe to call twice."""
        self._done.set()
        if self._ticker is not None:
            self._ticker.join()

    def _start_ticker(self) -> None:
        with self._lock:
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, daemon=True)
                self._ticker.start()

    def _tick(self) -> None:
        while not self._done.wait(self._heartbeat):
            with self._lock:
                if not self._running:
                    continue
                now = time.monotonic()
                what = ", ".join(f"{title} {now - began:.0f} s" for title, began in self._running.items())
                if self._live:
                    width = shutil.get_terminal_size().columns - 1
                    sys.stdout.write(f"\r\033[K{f'  … {what}'[:width]}")
                    sys.stdout.flush()
                else:
                    self._print(f"  … {what}")

    def _print(self, line: str) -> None:
        start = "\r\033[K" if self._live else ""
        print(f"{start}{line}", flush=True)


def run(command: Sequence[str | Path], *, log: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a command quietly, its output kept in build/bootstrap/<log>.log.

    Raises OutOfReach when its output speaks of the network, Trouble for a full disk or any other failure.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("w", encoding="utf-8", errors="replace") as out:
        code = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code == 0:
        return
    said = path.read_text(encoding="utf-8", errors="replace")
    lower = said.lower()
    where = path.relative_to(ROOT)
    if any(sign in lower for sign in _DISK_FULL):
        raise Trouble(f"The disk is full: free some space and run it again (details: {where}).")
    if any(sign in lower for sign in _NO_NETWORK):
        raise OutOfReach(f"The network did not answer (details: {where}).")
    raise Trouble(f"{Path(str(command[0])).name} failed: {_reason(said)[:200]} (details: {where}).")


def _reason(said: str) -> str:
    """Pick the line that tells most: the first that speaks of an error beyond naming one, else the last."""
    lines = [line.strip() for line in _COLOUR.sub("", said).splitlines() if line.strip()]
    errors = [
        line for line in lines if re.search(r"error|cannot|refus", line, re.IGNORECASE) and not line.endswith(":")
    ]
    telling = [line for line in errors if not re.match(r"npm error (code|errno|syscall)\b", line)]
    return (telling or errors or lines[-1:] or ["it said nothing"])[0]
