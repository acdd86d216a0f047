"""Chooses loopback ports nobody uses and tells whether one is taken."""

import contextlib
import random
import socket
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
    the chosen one's server listens.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(_CHOSEN_FROM, len(_CHOSEN_FROM)):
            if len(found) == count:
                break
            each = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                each.bind((LOOPBACK, port))
                found.append(port)
    return found


def choose_one() -> int:
    """One port for a server that listens soon."""
    return choose_lasting(1)[0]
