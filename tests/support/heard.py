"""What a product says while one waits for it and, when it does not come to the point, everything by which one can tell why."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bookbag.local.process import last_lines

ABORTED_WITHIN = 10.0
"""Seconds. With those given to get ready less than a test has, so that all is told before the test itself is ended."""

_LINES, _WIDTH = 12, 400


@dataclass
class Heard:
    """A product's process, its folder, and what it said so far, of which the first `known` characters were waited for."""

    process: subprocess.Popen[str]
    folder: Path
    said: bytes = b""
    known: int = 0

    @classmethod
    def start(cls, command: Sequence[str], folder: Path, told: Mapping[str, str]) -> "Heard":
        """Start it, with `told` as settings of all its processes."""
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **told},
        )  # fmt: skip
        return cls(process, folder)

    @property
    def text(self) -> str:
        return self.said.decode(errors="replace")

    def ready(self, words: str, *, within: float) -> re.Match[str]:
        """As `until`, for the words by which it says that it is ready. Without them it is ended, and says where it was."""
        try:
            return self.until(words, within=within)
        except BaseException:
            self._abort()
            raise

    def until(self, words: str, *, within: float = 90.0) -> re.Match[str]:
        """Read on until it says something, a regular expression. Whatever ends this earlier, a test's own limit too, is told with what it
        said and what its logs end in."""
        end = time.monotonic() + within
        try:
            while (found := re.compile(words).search(self.text, self.known)) is None:
                more = self._more(end)
                assert more is not None, f"not within {within:g} s did it say {words}: {self.text[-_WIDTH:]}"
                assert more, f"it ended without saying {words}: {self.text[-_WIDTH:]}"
        except BaseException:
            _print("what it said", self.text.splitlines()[-5 * _LINES :])
            for log in sorted(self.folder.glob("*/*.log")):
                _print(str(log.relative_to(self.folder)), last_lines(log, _LINES))
            raise
        self.known = found.end()
        return found

    def end(self, *, within: float) -> int:
        """Ask it to end, as Ctrl-C does, hear its last words, and give its exit code. One that does not listen is killed."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.said += self.process.communicate(timeout=within)[0].encode()
        except BaseException:
            self.process.kill()
            raise
        return self.process.returncode

    def _more(self, end: float) -> bytes | None:
        """Read what there is, also what is no whole line yet: it tells at which step one is. Nothing after the last word, None when the
        time is over."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            return None
        more = os.read(self.process.stdout.fileno(), 65_536)
        self.said += more
        return more

    def _abort(self) -> None:
        before, end = len(self.text), time.monotonic() + ABORTED_WITHIN
        self.process.send_signal(signal.SIGABRT)
        while self._more(end):
            pass
        self.process.kill()
        _print("where it was", self.text[before:].splitlines()[: 5 * _LINES])


def _print(what: str, lines: Sequence[str]) -> None:
    print("\n".join([f"── {what}", *(f"   {line[:_WIDTH]}" for line in lines)]))
