"""Servers that belong to a run of several processes: started for the first that asks, gone when the last is gone.

Every member holds a shared lock on one file of the run's folder; a guardian process owns the servers and waits for that file to be
free. The kernel frees a lock however its holder ends, so a killed run leaves nothing.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Final

from bookbag.local.files import write_private
from bookbag.local.parts import Part, wait_ready
from bookbag.local.process import wait_until
from bookbag.local.refusals import CannotStart

_STARTS_WITHIN: Final = 60.0
_KNOWN: Final = "servers.json"

_guardians: Final[list[subprocess.Popen[bytes]]] = []
"""Kept, not waited for: they outlive us when others of the run go on."""


def folder_of(run: str | None, kind: str) -> Path:
    """The folder of one kind of servers of a run. Without a name the run is xdist's, or this process."""
    name = run or os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process-{os.getpid()}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"bookbag-{kind}-{os.getuid()}-{digest}"


def join(folder: Path, module: str) -> tuple[int, dict[str, Any]]:
    """Become a member: gives the membership, to be closed by `leave`, and what the guardian wrote of its servers.

    `module` is the program that calls `guard` for the folder. Raises CannotStart.
    """
    membership = _become_member(folder)
    try:
        with alone(folder / "starting"):
            if not (folder / _KNOWN).exists():
                _start_guardian(folder, module)
        return membership, json.loads((folder / _KNOWN).read_text())
    except BaseException:
        leave(membership)
        raise


def leave(membership: int) -> None:
    """Say that this process is done."""
    with contextlib.suppress(OSError):
        os.close(membership)


@contextlib.contextmanager
def alone(path: Path) -> Generator[None]:
    """Hold a lock of the run that one process has at a time."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def next_number(folder: Path) -> int:
    """A number no other process of the run has, from 1."""
    with alone(folder / "numbers"):
        counter = folder / "number"
        number = int(counter.read_text()) + 1 if counter.exists() else 1
        write_private(counter, str(number))
        return number


def guard(folder: Path, parts: Sequence[Part], known: Callable[[], dict[str, Any]]) -> None:
    """Be the guardian: start the servers, say what `known` gives, wait until the run has no member any more, leave no trace."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It ends with the run, not with a key that was meant for the run. Not SIG_IGN: the servers would inherit that.
        signal.signal(each, _outlive)
    try:
        for part in parts:
            part.begin()
        for part in parts:
            wait_ready(part)
        write_private(folder / _KNOWN, json.dumps(known()))
        with (folder / "members").open() as members:
            fcntl.flock(members, fcntl.LOCK_EX)
            for part in reversed(parts):
                part.stop()
            shutil.rmtree(folder)
    except CannotStart as refusal:
        (folder / "refusal").write_text(str(refusal))
        raise
    finally:
        for part in reversed(parts):
            part.stop()


def _outlive(_number: int, _frame: object) -> None:
    """Go on."""


def _become_member(folder: Path) -> int:
    """Take a shared lock on the run's file. The guardian of an ended run removes the file: then it is made anew."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            members = os.open(folder / "members", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        fcntl.flock(members, fcntl.LOCK_SH)
        with contextlib.suppress(FileNotFoundError):
            if (folder / "members").stat().st_ino == os.fstat(members).st_ino:
                return members
        os.close(members)


def _start_guardian(folder: Path, module: str) -> None:
    """Start the process that owns the servers, in a session of its own, and wait for what it writes."""
    refusal = folder / "refusal"
    refusal.unlink(missing_ok=True)
    guardian = subprocess.Popen(
        [sys.executable, "-m", module, str(folder)],
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _guardians.append(guardian)
    wait_until(lambda: (folder / _KNOWN).exists() or guardian.poll() is not None, _STARTS_WITHIN)
    if not (folder / _KNOWN).exists():
        guardian.kill()
        raise CannotStart(refusal.read_text() if refusal.exists() else "The servers for tests do not start.")
