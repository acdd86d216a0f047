"""What runs in a stack right now, as a file that the stack keeps up to date: for `bookbag stack status` and `logs`, and for tests."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bookbag.local.files import write_private
from bookbag.local.parts import Part
from bookbag.local.process import exit_code

_NAME = "stack.json"


@dataclass(frozen=True, slots=True)
class Standing:
    """One process. `pid` is 0 while it is being started again; `ready` is the port that answers `/readyz`, 0 for foreign servers."""

    name: str
    service: str
    pid: int
    log: Path
    ports: dict[str, int] = field(default_factory=dict[str, int])
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """A part of the stack, and what is to be told of it."""

    part: Part
    name: str
    service: str
    log: Path
    ports: dict[str, int]
    ready: int = 0

    def now(self) -> Standing:
        process = self.part.process
        pid = process.pid if process is not None and exit_code(process) is None else 0
        return Standing(self.name, self.service, pid, self.log, self.ports, self.ready)


@dataclass(frozen=True, slots=True)
class StackState:
    """A running stack: its address, the process that watches over it and takes the mail, and all others."""

    address: str
    supervisor: int
    processes: Sequence[Standing]


def note_state(folder: Path, address: str, known: Sequence[Known]) -> None:
    """Write the file anew."""
    standing = [asdict(each.now()) for each in known]
    write_private(
        folder / _NAME,
        json.dumps({"address": address, "supervisor": os.getpid(), "processes": standing}, indent=1, default=str),
    )


def forget_state(folder: Path) -> None:
    (folder / _NAME).unlink(missing_ok=True)


def state_of(folder: Path) -> StackState | None:
    """The stack on this folder; None when none runs."""
    try:
        content: dict[str, Any] = json.loads((folder / _NAME).read_text())
    except FileNotFoundError:
        return None
    processes: list[dict[str, Any]] = content["processes"]
    for each in processes:
        each["log"] = Path(each["log"])
    return StackState(content["address"], content["supervisor"], [Standing(**each) for each in processes])
