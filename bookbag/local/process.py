"""Starts and ends processes so that none outlives the supervisor, whatever ends the supervisor.

Each child gets a session of its own (Ctrl-C in the terminal reaches the supervisor only, which stops things in order) and
asks the kernel for a signal when its parent dies, so even `kill -9` of the supervisor leaves nothing running.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bookbag.local.files import write_private
from bookbag.local.refusals import CannotStart

_LAUNCH: Final = str(Path(__file__).with_name("launch.py"))
LARGEST_LOG: Final = 10 * 1024 * 1024
"""Bytes after which a log is put aside as `.1`; one earlier log is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a child runs as: ourselves, ourselves seen as an ordinary user (a user namespace), or another account."""

    in_namespace: bool = False
    user: int | None = None
    group: int | None = None

    @property
    def word(self) -> str:
        """As `launch` is told."""
        if self.in_namespace:
            return "namespace"
        return "ourselves" if self.user is None else f"{self.user}:{self.user if self.group is None else self.group}"


OURSELVES: Final = Account()
IN_NAMESPACE: Final = Account(in_namespace=True)


def spawn(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path | None = None,
    account: Account = OURSELVES,
    when_parent_dies: signal.Signals = signal.SIGTERM,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; its output is appended to `log`, also why it could not be started.

    Call it from a thread that lives as long as the supervisor: the kernel takes the end of the starting thread for the
    end of the parent.
    """
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if log else subprocess.DEVNULL
    launch = (sys.executable, "-ISE", _LAUNCH, str(os.getpid()), str(int(when_parent_dies)), account.word)
    try:
        return subprocess.Popen(
            [*launch, *command],
            cwd=folder,
            env=dict(environment),
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        if output != subprocess.DEVNULL:
            os.close(output)


def exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """What `poll` says, for whoever may be interrupted by a wish to stop.

    `poll` takes a lock and only then begins its `try`: a wish that is raised in between leaves it taken, and the stop, which waits for
    the process, would wait for ever. Here nothing is taken; a code that is lost to such a wish counts as 0.
    """
    if process.returncode is None:
        try:
            pid, status = os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = process.pid, 0
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


def end(process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM, within: float = 10.0) -> bool:
    """Ask a child to stop, and after `within` seconds end it and all it started. True when it stopped by itself."""
    ask(process, first)
    return finish(process, within=within)


def finish(process: subprocess.Popen[bytes], *, within: float) -> bool:
    """Wait for a child that was asked to stop; after `within` seconds end it. True when it stopped by itself."""
    gently = True
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        gently = False
    sweep(process)
    process.wait()
    return gently


def ask(process: subprocess.Popen[bytes], signal_: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal_)


def sweep(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of a child's process group: grandchildren must not outlive the one who knew them."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Whether a process lives; one that ended and waits to be collected does not count."""
    state = _state(pid)
    if state is not None:
        return state[0] not in "ZX"
    if sys.platform == "linux":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def started(pid: int) -> int | None:
    """When a process started, in the kernel's ticks: with the pid it names one process for ever. None when unknown."""
    state = _state(pid)
    return int(state[19]) if state else None


def _state(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the name, which may itself hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def end_stranger(pid: int, *signals: signal.Signals, within: float) -> bool:
    """End a process that is not our child: each signal gets `within` seconds to work. True when it is gone."""
    for signal_ in signals:
        try:
            os.kill(pid, signal_)
        except ProcessLookupError:
            return True
        if wait_until(lambda: not is_running(pid), within):
            return True
    return not is_running(pid)


def remember(path: Path, pid: int) -> None:
    """Note a child, so that a later run can end it should it outlive this one."""
    write_private(path, f"{pid} {started(pid)}")


def end_remembered(path: Path, *signals: signal.Signals, within: float) -> None:
    """End the process noted at `path`, if that very process still runs. Raises CannotStart when it cannot be ended."""
    try:
        pid, since = path.read_text().split()
    except (FileNotFoundError, ValueError):
        return
    if since == str(started(int(pid))) and not end_stranger(int(pid), *signals, within=within):
        raise CannotStart(f"A process of an earlier run does not stop: end process {pid} and start again.")
    path.unlink(missing_ok=True)


def wait_until(fact: Callable[[], bool], within: float, *, every: float = 0.01) -> bool:
    """Look until something is so; False when `within` seconds pass first."""
    end_at = time.monotonic() + within
    while not fact():
        if time.monotonic() >= end_at:
            return False
        pause(every)
    return True


def pause(seconds: float) -> None:
    """Rest between two looks at another program's state, which tells nobody when it changes."""
    time.sleep(seconds)


def put_aside(log: Path) -> None:
    """Keep a log from growing without end. Safe while it is written to: writers append, so they go on at its new end."""
    try:
        if log.stat().st_size < LARGEST_LOG:
            return
    except FileNotFoundError:
        return
    with log.open("rb+") as current, log.with_name(log.name + ".1").open("wb") as earlier:
        while chunk := current.read(1 << 20):
            earlier.write(chunk)
        current.truncate(0)


def last_lines(log: Path, count: int = 12, *, since: int = 0) -> list[str]:
    """The end of a log, for telling why something did not start."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - 16_384) if since <= size else 0)
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
