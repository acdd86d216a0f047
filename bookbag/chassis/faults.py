"""Named places where the chaos harness makes a process die, freeze, fail or wait. Everywhere else they are one call that does nothing.

Switched on, a place looks for its order in a folder that the harness shares with the processes: a file of its name, with one action in
it. An order is for one process, once: whoever renames the file carries it out. It is never on in a cluster (`Platform.faults`).
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

BEFORE_INSERT: Final = "before-insert"
AFTER_INSERT: Final = "after-insert"
BEFORE_COMMIT: Final = "before-commit"
AFTER_COMMIT: Final = "after-commit-before-the-reply"
AFTER_PUBLISH: Final = "after-publish-before-the-mark"
AFTER_EFFECT: Final = "after-effect-before-the-offset"
AFTER_HAND_OVER: Final = "after-hand-over-before-sent"

POINTS: Final = (
    BEFORE_INSERT, AFTER_INSERT, BEFORE_COMMIT, AFTER_COMMIT, AFTER_PUBLISH, AFTER_EFFECT, AFTER_HAND_OVER,
)  # fmt: skip


class Ordered(Exception):
    """The harness ordered a failure here."""


async def _pass_by(point: str, whose: str) -> None:
    """Nothing is ordered where nobody can order."""


reached: Callable[[str, str], Awaitable[None]] = _pass_by
"""Say that the code has come to a point, and whose code: a service, or a pool by its name. Call it as `faults.reached(…)`."""


def switch_on(folder: Path | None) -> None:
    """Obey orders in a folder from now on; with None pass by as ever. Once, at the start of a process."""
    global reached
    if folder is not None:

        async def obey(point: str, whose: str) -> None:
            order = _taken(folder, point, whose)
            if order is not None:
                await _carry_out(order)

        reached = obey


def _taken(folder: Path, point: str, whose: str) -> str | None:
    """The order for this point, or for this point of whoever stands here, when there is one and nobody else was quicker."""
    for name in (f"{point}@{whose.replace(' ', '-')}", point):
        order = folder / f"{name}.order"
        with suppress(FileNotFoundError):
            action = order.read_text().strip()
            order.rename(folder / f"{name}.{os.getpid()}.taken")
            return action
    return None


async def _carry_out(order: str) -> None:
    action, _, number = order.partition(" ")
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "fail":
            raise Ordered
        case "delay":
            await asyncio.sleep(float(number))
        case _:
            raise ValueError(f"there is no order {order!r}: kill, freeze, fail, delay SECONDS")
