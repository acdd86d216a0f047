"""What the supervisor asks of everything it starts, so that a database and our own processes are watched alike."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Final, Protocol, final

from bookbag.local import answers
from bookbag.local.process import ask, end_remembered, exit_code, finish, last_lines, pause, put_aside, remember, spawn
from bookbag.local.refusals import CannotStart

READY_WITHIN: Final = 60.0
"""Seconds: a database that lost power replays its log before it answers."""


class Part(Protocol):
    """One thing that runs beside the supervisor."""

    @property
    def name(self) -> str: ...

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running child; None when it was not started or was stopped."""
        ...

    def begin(self) -> None:
        """Start it, or start it again, without waiting. Raises CannotStart."""
        ...

    def check(self) -> bool:
        """Whether it is ready. Raises CannotStart when it never will be."""
        ...

    def stop(self) -> None:
        """End it and all it started. Harmless when it does not run."""
        ...


def wait_ready(part: Part, *, within: float = READY_WITHIN) -> None:
    """Wait until a part that was begun is ready. Raises CannotStart."""
    end_at = time.monotonic() + within
    while not part.check():
        if time.monotonic() > end_at:
            part.stop()
            raise CannotStart(f"{part.name} was not ready after {within:.0f} s.")
        pause(0.01)


def start(part: Part) -> None:
    """Start one part and wait until it is ready. Raises CannotStart."""
    part.begin()
    wait_ready(part)


def end_leftovers(logs: Path) -> None:
    """End our own processes that an earlier, killed supervisor left behind. Raises CannotStart."""
    for note in logs.glob("*.pid"):
        end_remembered(note, signal.SIGTERM, signal.SIGKILL, within=5.0)


@final
class ServiceProcess:
    """One of our own processes: ready when `GET /readyz` on its port answers 200."""

    def __init__(
        self, name: str, command: tuple[str, ...], *, environment: dict[str, str], port: int, folder: Path, logs: Path
    ) -> None:
        self._name = name
        self._command = command
        self._environment = environment
        self._port = port
        self._folder = folder
        self._log = logs / f"{name.lower()}.log"
        self._log_from = 0
        self._note = logs / f"{name.lower()}.pid"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @property
    def log(self) -> Path:
        return self._log

    def begin(self) -> None:
        put_aside(self._log)
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        self._process = spawn(self._command, folder=self._folder, environment=self._environment, log=self._log)
        remember(self._note, self._process.pid)

    def check(self) -> bool:
        if self._process is None:
            raise CannotStart(f"{self._name} was not started.")
        if exit_code(self._process) is not None:
            last = (last_lines(self._log, 1, since=self._log_from) or ["it said nothing"])[0].strip()
            raise CannotStart(f"{self._name} ended while starting: {last} (its log is {self._log}).")
        return answers.is_ready(self._port)

    def ask_to_stop(self) -> None:
        if self._process is not None:
            ask(self._process, signal.SIGTERM)

    def stop(self, *, within: float = 10.0) -> None:
        self.ask_to_stop()
        self.finish(within=within)

    def finish(self, *, within: float) -> None:
        """Wait for a process that was asked to stop; end it after `within` seconds."""
        process, self._process = self._process, None
        if process is not None:
            finish(process, within=within)
            self._note.unlink(missing_ok=True)
