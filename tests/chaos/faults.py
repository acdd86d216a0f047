"""Kills and freezes processes of a run, found among the descendants of its supervisor."""

import os
import signal
from pathlib import Path

from tests.support.product import Product

KINDS = {
    "api": "bookbag serve all",
    "worker": "bookbag work all",
    "postgres": "postgres -D",
    "valkey": "valkey-server",
    "broker": "kafka.Kafka",
}
"""What the command line of each kind holds. A kind that is not here is such words itself: `bookbag work notify`."""


def pid_of(product: Product, kind: str) -> int | None:
    """The process of a kind that runs now; None while it is being started again."""
    parents: dict[int, int] = {}
    words: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue

    def below(pid: int) -> bool:
        while pid > 1:
            if pid == product.process.pid:
                return True
            pid = parents.get(pid, 0)
        return False

    wanted = KINDS.get(kind, kind)
    found = [pid for pid, said in words.items() if wanted in said and pid != product.process.pid and below(pid)]
    return min(found, default=None)


def kill(product: Product, kind: str, number: int = signal.SIGKILL) -> bool:
    """Send a signal to the process of a kind. False when there is none just now."""
    pid = pid_of(product, kind)
    if pid is None:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
