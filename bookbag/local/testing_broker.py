"""A real broker for tests: one Kafka per test run, started when the first test of any process asks, gone with the run.

Tests share it, so each keeps to topics under a prefix of its own (`broker.prefix()`). Who kills or freezes a broker starts his own.
"""

import sys
from pathlib import Path
from typing import Self, final

from bookbag.local import guardian
from bookbag.local.kafka import EmbeddedKafka, KafkaAddress

_MODULE = "bookbag.local.testing_broker"


@final
class TestBroker:
    """The broker of this test run, for one of its processes. Made by `join`, ended by `leave` or by the process's end."""

    __test__ = False

    def __init__(self, folder: Path, membership: int, address: KafkaAddress) -> None:
        self.address = address
        self._folder = folder
        self._membership = membership

    @classmethod
    def join(cls, run: str | None = None) -> Self:
        """Join the broker of a run, starting it when nobody has. Raises CannotStart."""
        folder = guardian.folder_of(run, "broker")
        membership, known = guardian.join(folder, _MODULE)
        return cls(folder, membership, KafkaAddress(known["port"]))

    def prefix(self) -> str:
        """A prefix for topics and groups that nobody else of the run has."""
        return f"t{guardian.next_number(self._folder)}."

    def leave(self) -> None:
        """Say that this process is done; the broker ends when the last has left."""
        guardian.leave(self._membership)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    broker = EmbeddedKafka(place / "kafka")
    guardian.guard(place, (broker,), lambda: {"port": broker.address.port})
