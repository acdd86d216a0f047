"""The words of the commands about events; what they do is imported only when one of them runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bookbag.cli.services import NAMES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def event_parsers(commands: "Commands") -> None:
    """Add `deadletters`, `outbox`, `consumers` and `feed`."""
    letters = commands.add_parser("deadletters", help="events that were given up on")
    actions = letters.add_subparsers(dest="action", required=True, metavar="action")
    _common(actions.add_parser("list", help="what failed, where and why"))
    show = actions.add_parser("show", help="all there is to know about one, but for what it says")
    _common(show)
    show.add_argument("events", nargs=1, metavar="event", help="id from the list")
    again = actions.add_parser("replay", help="put them back in line")
    _common(again)
    again.add_argument("events", nargs="*", help="ids from the list")
    again.add_argument("--all", action="store_true", help="all of them")
    gone = actions.add_parser("drop", help="remove them for good")
    _common(gone)
    gone.add_argument("events", nargs="+", help="ids from the list")

    outbox = commands.add_parser("outbox", help="events on their way out")
    actions = outbox.add_subparsers(dest="action", required=True, metavar="action")
    _common(actions.add_parser("status", help="how many wait"))
    _common(actions.add_parser("again", help="publish once more what the last seven days published"))

    consumers = commands.add_parser("consumers", help="who hears events")
    actions = consumers.add_subparsers(dest="action", required=True, metavar="action")
    _common(actions.add_parser("lag", help="how far each is behind"))

    feed = commands.add_parser("feed", help="what services know of who is who")
    actions = feed.add_subparsers(dest="action", required=True, metavar="action")
    _common(actions.add_parser("status", help="how far each copy is, and when it was last heard to be complete"))


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--service", default="all", choices=[*NAMES, "all"], metavar="service", help="only this one")
    command.add_argument(
        "--data", type=Path, default=Path(".bookbag"), help="data folder of a run on this machine (.bookbag)"
    )
    command.add_argument("--json", action="store_true", help="print for programs")
