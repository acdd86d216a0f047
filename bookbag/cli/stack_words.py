"""The words of `bookbag stack` on the command line, apart from what they do, which is loaded only when it is asked for."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bookbag.cli.services import NAMES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

DATA = Path(".bookbag-stack")
_LARGEST = 8


def stack_parser(commands: "Commands") -> None:
    """Add `stack` and what it can be asked."""
    stack = commands.add_parser("stack", help="run every service and worker as its own process, with Kafka and S3")
    actions: Any = stack.add_subparsers(dest="action", required=True, metavar="action")
    up = actions.add_parser("up", help="start all of it; Ctrl-C stops all of it")
    up.add_argument("--port", type=int, default=8443, help="port of the one address people open (8443)")
    up.add_argument("--no-demo", action="store_true", help="start empty, without the demo school and its sign-ins")
    up.add_argument("--fresh", action="store_true", help="remove what the folder keeps and start over; asks first")
    up.add_argument("--yes", action="store_true", help="answer yes to what --fresh asks")
    up.add_argument(
        "--instances", action="append", default=[], type=instances, metavar="SERVICE=NUMBER",
        help="run several instances of a service, such as identity=2; can be given again for another",
    )  # fmt: skip
    status = actions.add_parser("status", help="ports, memory and state of every process; what waits")
    status.add_argument("--json", action="store_true", help="print for programs")
    logs = actions.add_parser("logs", help="show what processes say, and go on until Ctrl-C")
    logs.add_argument("--service", default="all", help="only this service, or this process of the status list")
    logs.add_argument("--lines", type=int, default=20, help="how many earlier lines of each process (20)")
    logs.add_argument("--no-follow", action="store_true", help="end after what is there")
    for each in (up, status, logs):
        each.add_argument("--data", type=Path, default=DATA, help=f"folder that keeps everything ({DATA})")


def instances(text: str) -> tuple[str, int]:
    """`identity=2`, read. Raises ArgumentTypeError."""
    service, _, number = text.partition("=")
    if service not in NAMES:
        raise argparse.ArgumentTypeError(f"there is no service {service!r}; there are {', '.join(NAMES)}")
    if not number.isdecimal() or not 1 <= int(number) <= _LARGEST:
        raise argparse.ArgumentTypeError(f"say how many instances of {service}, from 1 to {_LARGEST}")
    return service, int(number)


def chosen(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    """The last word on each service counts."""
    return dict(pairs)
