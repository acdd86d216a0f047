"""What the clients of a workload saw: every operation as it was begun and as it ended, with values that occur once."""

import time
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """How an operation ended for its client; `UNKNOWN` when no answer came and nobody asked again."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Write:
    """One message a client wanted to send. `value` is its text, unique in the run."""

    client: int
    thread: str
    value: str
    key: str
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    outcome: Outcome = Outcome.UNKNOWN
    message: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as the system kept it."""

    message: str
    thread: str
    seq: int
    value: str


@dataclass(frozen=True, slots=True)
class Told:
    """One notice that a person was given about a message, in the order given to that person."""

    person: str
    channel: str
    message: str
    number: int = 0
