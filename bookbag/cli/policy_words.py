"""The words of `bookbag policy`; what they do is imported only when one of them runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bookbag.school.policy.presets import PRESETS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def policy_parser(commands: "Commands") -> None:
    """Add `policy check` and `policy preset`."""
    policy = commands.add_parser("policy", help="a school's rules as a document")
    actions = policy.add_subparsers(dest="action", required=True, metavar="action")
    check = actions.add_parser("check", help="find every mistake in a document, or say in plain words what it means")
    check.add_argument("file", type=Path, help="the YAML document")
    check.add_argument("--json", action="store_true", help="print the mistakes for programs")
    preset = actions.add_parser("preset", help="print one of the documents that ship with the product")
    preset.add_argument("name", choices=[*PRESETS, *PRESETS.values()], metavar="name", help=", ".join(PRESETS))
