"""The words of the commands about the record; what they do is imported only when one of them runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bookbag.cli.services import NAMES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def audit_parser(commands: "Commands") -> None:
    """Add `audit`."""
    audit = commands.add_parser("audit", help="the record of who did what, as a chain: never what it says")
    actions = audit.add_subparsers(dest="action", required=True, metavar="action")
    for name, text in (
        ("verify", "prove that nothing on the record was changed, removed, moved or put in"),
        ("status", "how long each chain is and how far it is anchored outside the database"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--school", metavar="CODE", help="only this school")
        action.add_argument(
            "--service", default="all", choices=[*NAMES, "all"], metavar="service", help="only this one"
        )
        action.add_argument(
            "--data", type=Path, default=Path(".bookbag"), help="data folder of a run on this machine (.bookbag)"
        )
        action.add_argument("--json", action="store_true", help="print for programs")
