"""Orders to the processes of a run: at which point which of them dies, freezes, fails or waits (see `bookbag.chassis.faults`)."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Orders:
    """The folder that the processes look into. Each order is carried out once."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def give(self, point: str, action: str, *, whose: str = "") -> str:
        """Order `kill`, `freeze`, `fail` or `delay SECONDS` at a point, of one service or pool. Gives the order's name."""
        name = f"{point}@{whose.replace(' ', '-')}" if whose else point
        beside = self.folder / f"{name}.new"
        beside.write_text(action)
        beside.rename(self.folder / f"{name}.order")
        return name

    def carried_out_by(self, name: str) -> int | None:
        """The process that carried out the order last; None when nobody has come to the point yet."""
        taken = sorted(self.folder.glob(f"{name}.*.taken"), key=lambda path: path.stat().st_mtime)
        return int(taken[-1].name.split(".")[-2]) if taken else None

    def withdraw(self, name: str) -> None:
        """Forget an order and that it was carried out."""
        for path in (self.folder / f"{name}.order", *self.folder.glob(f"{name}.*.taken")):
            path.unlink(missing_ok=True)

    def thaw(self, name: str) -> None:
        """Wake the process that an order froze."""
        pid = self.carried_out_by(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
