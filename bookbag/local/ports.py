"""Chooses loopback ports nobody uses and tells whether one is taken."""

import contextlib
import fcntl
import functools
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_CHOSEN_FROM: Final = range(15_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen there now; connections still winding down do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(count: int) -> list[int]:
    """That many different free ports: all are held until the last is found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def choose_lasting(count: int) -> list[int]:
    """The same for servers that listen only some seconds later.

    They lie below those that systems give to outgoing connections, which come and go by the hundred between the choice and the moment
    the chosen one's server listens. No process of ours chooses what another has chosen that still lives.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(_CHOSEN_FROM, len(_CHOSEN_FROM)):
        if len(found) == count:
            break
        if is_free(port) and _claimed(port):
            found.append(port)
    return found


_OURS: Final[set[int]] = set()
"""What this process has chosen: a lock tells only of others."""


def _claimed(port: int) -> bool:
    """Choose a port for as long as this process lives; False when it was chosen already."""
    if port in _OURS:
        return False
    try:
        fcntl.lockf(_register(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    _OURS.add(port)
    return True


@functools.cache
def _register() -> int:
    """A file of which each byte stands for a port: who has locked it has chosen that port, and the kernel unlocks what the dead had."""
    path = Path(tempfile.gettempdir()) / f"bookbag-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def choose_one() -> int:
    """One port for a server that listens soon."""
    return choose_lasting(1)[0]
