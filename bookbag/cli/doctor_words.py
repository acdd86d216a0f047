"""The words of `bookbag doctor`; what it does is imported only when it runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bookbag.cli.services import NAMES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def doctor_parser(commands: "Commands") -> None:
    """Add `doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="look at settings, servers, versions, clocks and room, and say what to do",
        description="Looks at all that an installation stands on and changes nothing. Ends with code 1 when anything is wrong.",
    )
    doctor.add_argument("--service", default="all", choices=[*NAMES, "all"], metavar="service", help="only this one")
    doctor.add_argument(
        "--data", type=Path, default=Path(".bookbag"), help="data folder of a run on this machine (.bookbag)"
    )
    doctor.add_argument("--json", action="store_true", help="print for programs")
