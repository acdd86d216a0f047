"""Keeps the parts of one run alive and ends them in order: who dies is started again, who is told to stop leaves nothing.

One thread, woken by the kernel when a child ends or a person says stop; it does not poll while all is well.
"""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final, final

from bookbag.local.parts import Part, ServiceProcess
from bookbag.local.process import exit_code, put_aside, sweep
from bookbag.local.refusals import CannotStart

BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the first, second, … start of a part that keeps ending."""
CALM_AFTER: Final = 10.0
"""Seconds of life after which the next end counts as the first."""
_LOOK_AFTER: Final = 60.0


class StopRequested(BaseException):
    """Somebody asked for the end: Ctrl-C, SIGTERM, or the terminal was closed. Not an error, so nothing catches it as one."""


@contextlib.contextmanager
def stop_signals() -> Generator[threading.Event]:
    """Inside, the first signal to stop raises StopRequested in the main thread; further ones are left to `stop_all`.

    Python drops what is raised while it collects an object, so the wish is also kept in the event that this gives.
    """
    asked = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_stop_signals()
        asked.set()
        raise StopRequested

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def ignore_stop_signals() -> None:
    """From here on the stop is under way, and interrupting it would leave things running."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _nothing)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler that does nothing; unlike SIG_IGN it may take the place of one that is just being called."""


@dataclass(slots=True)
class _Watched:
    """How a part has fared."""

    part: Part
    ready_since: float | None
    ends: int = 0
    start_at: float | None = None


@final
class Supervisor:
    """Watches parts that are ready; `tell` gets one line whenever something happens."""

    def __init__(self, parts: Sequence[Part], *, tell: Callable[[str], None], asked: threading.Event) -> None:
        """`asked` is set once somebody asked for the end."""
        now = time.monotonic()
        self._asked = asked
        self._watched = [_Watched(part, ready_since=now) for part in parts]
        self._tell = tell

    def watch(self) -> None:
        """Go on for ever; only StopRequested ends it."""
        with _woken_by_children() as bell:
            while True:
                for each in self._watched:
                    self._look_at(each)
                if self._asked.is_set():
                    raise StopRequested
                if select.select([bell], [], [], self._rest())[0]:
                    os.read(bell, 4096)

    def _rest(self) -> float:
        now = time.monotonic()
        rest = _LOOK_AFTER
        for each in self._watched:
            if each.start_at is not None:
                rest = min(rest, max(0.0, each.start_at - now))
            elif each.ready_since is None:
                rest = min(rest, 0.1)
        return rest

    def _look_at(self, watched: _Watched) -> None:
        part, now = watched.part, time.monotonic()
        try:
            if watched.start_at is not None:
                if now >= watched.start_at:
                    watched.start_at = None
                    part.begin()
            elif watched.ready_since is None:
                if part.check():
                    watched.ready_since = now
                    self._tell(f"{part.name} is back.")
            elif part.process is not None and exit_code(part.process) is not None:
                sweep(part.process)
                self._plan(watched, f"{part.name} {_how_it_ended(part.process.returncode)}")
            elif isinstance(part, ServiceProcess):
                put_aside(part.log)
        except CannotStart as refusal:
            self._plan(watched, str(refusal))

    def _plan(self, watched: _Watched, what: str) -> None:
        now = time.monotonic()
        if watched.ready_since is not None and now - watched.ready_since > CALM_AFTER:
            watched.ends = 0
        wait = BACKOFF[min(watched.ends, len(BACKOFF) - 1)]
        watched.ends += 1
        watched.ready_since = None
        watched.start_at = now + wait
        self._tell(f"{what.rstrip('.')}; starting it again in {wait:g} s.")


def stop_all(parts: Sequence[Part], *, within: float) -> None:
    """Stop everything, last started first. Our own processes are asked together and share the `within` seconds."""
    services = [part for part in parts if isinstance(part, ServiceProcess)]
    for each in services:
        each.ask_to_stop()
    end_at = time.monotonic() + within
    for each in services:
        each.finish(within=max(0.0, end_at - time.monotonic()))
    for part in reversed(parts):
        part.stop()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


@contextlib.contextmanager
def _woken_by_children() -> Generator[int]:
    """A file descriptor that becomes readable when a child ends."""
    bell, hammer = os.pipe()
    os.set_blocking(hammer, False)
    os.set_blocking(bell, False)

    before = signal.signal(signal.SIGCHLD, _nothing)  # the bell rings only where there is a handler
    ringing = signal.set_wakeup_fd(hammer, warn_on_full_buffer=False)
    try:
        yield bell
    finally:
        signal.set_wakeup_fd(ringing)
        signal.signal(signal.SIGCHLD, before)
        os.close(bell)
        os.close(hammer)
