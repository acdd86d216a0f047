"""Commands of the product as the processes they are, forked from one that has imported it: to import costs each more than it does.

Nothing less is proven. Each is a process of its own, with settings, output and exit code of its own; only that `python -m bookbag` leads
here is left to those tests that type it.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bookbag.cli.main import main
from bookbag.cli.services import NAMES

_IMPORTED = (
    "bookbag.cli.commands",
    "bookbag.chassis.process",
    "bookbag.chassis.kafka_bus",
    "bookbag.chassis.objects_s3",
    "alembic.script",
    *(f"services.{name}.service" for name in NAMES),
    __name__,
)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(_IMPORTED))


class Running:
    """A process of the product, with the words that `subprocess` has for one."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
        self._process: Any = _CONTEXT.Process(target=_be, args=(words, dict(environment), out, err), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended. Raises TimeoutExpired."""
        self._process.join(seconds)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("bookbag", seconds)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(*words: str, environment: Mapping[str, str], seconds: float = 110) -> subprocess.CompletedProcess[str]:
    """One command to its end; `environment` is all that it is told. Raises TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = Running(words, environment, out, err)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _be(words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """What the process does: become `bookbag words`."""
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(main(words))
