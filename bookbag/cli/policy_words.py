"""The words of `bookbag policy`; what they do is imported only when one of them runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bookbag.school.policy.presets import PRESETS
from bookbag.school.roles import Role

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def policy_parser(commands: "Commands") -> None:
    """Add everything that begins with `policy`."""
    policy = commands.add_parser("policy", help="a school's rules as a document")
    actions = policy.add_subparsers(dest="action", required=True, metavar="action")
    check = actions.add_parser("check", help="find every mistake in a document, or say in plain words what it means")
    check.add_argument("file", type=Path, help="the YAML document")
    check.add_argument("--json", action="store_true", help="print the mistakes for programs")
    preset = actions.add_parser("preset", help="print one of the documents that ship with the product")
    preset.add_argument("name", choices=[*PRESETS, *PRESETS.values()], metavar="name", help=", ".join(PRESETS))

    data = Path(".bookbag")
    show = actions.add_parser("show", help="print the rules of a school as they count, or counted")
    show.add_argument("school", help="code of the school, such as BRLA")
    show.add_argument("--at", metavar="INSTANT", help="such as 2027-03-03T16:59+00:00; left out: now")
    show.add_argument("--words", action="store_true", help="say what they mean instead of printing the document")
    replace = actions.add_parser("set", help="give a school a new version of its rules")
    replace.add_argument("school", help="code of the school, such as BRLA")
    replace.add_argument("file", type=Path, help="the YAML document")
    replace.add_argument("--reason", required=True, help="why; kept in the history and in the school's record")
    replace.add_argument(
        "--after", metavar="VERSION", type=_version, default=argparse.SUPPRESS,
        help="the version that this document changes, refused when another one was saved meanwhile; `any` for whichever is"
        " the newest; left out: the one in the first line that `policy show` printed",
    )  # fmt: skip
    replace.add_argument("--counts-from", metavar="INSTANT", help="left out: at once")
    explain = actions.add_parser("explain", help="what the rules say to one person at an instant, and why")
    explain.add_argument("school", help="code of the school, such as BRLA")
    explain.add_argument("--person", required=True, help="name as the school writes it, or id")
    explain.add_argument("--role", choices=[*map(str, Role)], metavar="role", help="left out: each role they have")
    explain.add_argument("--at", metavar="INSTANT", help="such as 2027-03-03T16:59+00:00; left out: now")
    for action in (show, replace, explain):
        action.add_argument("--json", action="store_true", help="print for programs")
        action.add_argument("--data", type=Path, default=data, help="data folder of a run on this machine (.bookbag)")


def _version(text: str) -> int | None:
    """A version's number; None for `any`."""
    if text == "any":
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 7):
        raise argparse.ArgumentTypeError("give the number of a version, or any")
    return int(text)
