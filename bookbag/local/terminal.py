"""What the person at the terminal reads while Bookbag starts: one line per step, with the seconds it took."""

import contextlib
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Terminal:
    """Speaks in whole lines; a step's line is finished when the step is."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _open: bool = False

    def say(self, line: str = "") -> None:
        if self._open:
            self._write("\n")
            self._open = False
        self._write(f"{line}\n")

    @contextlib.contextmanager
    def step(self, name: str, *, since: float | None = None, done: str = "ready") -> Generator[None]:
        """One step; `since` (monotonic) when it began before this line."""
        began = time.monotonic() if since is None else since
        self._write(f"  {name} … ")
        self._open = True
        yield
        self._open = False
        self._write(f"{done} in {time.monotonic() - began:.1f} s\n")

    def ask(self, question: str) -> bool:
        """Yes or no, asked until it is one of them; False when nobody is there to answer."""
        while True:
            self._write(f"{question} [yes/no] ")
            answer = sys.stdin.readline()
            if answer.strip().lower() in ("yes", "y"):
                return True
            if not answer or answer.strip().lower() in ("no", "n"):
                return False

    def _write(self, text: str) -> None:
        # The terminal may be gone (closed window, broken pipe) while there is still something to stop.
        with contextlib.suppress(OSError, ValueError):
            self.out.write(text)
            self.out.flush()
