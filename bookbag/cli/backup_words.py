"""The words of `backup` and `restore`; what they do is imported only when one of them runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

_WHERE = "a folder, or s3://bucket/prefix?endpoint=…&region=…&path_style=true"


def backup_parsers(commands: "Commands") -> None:
    """Add `backup` and `restore`."""
    backup = commands.add_parser("backup", help="put down every service's rows and the files, while all runs")
    backup.add_argument("--to", required=True, metavar="PLACE", help=f"where backups are kept: {_WHERE}")
    backup.add_argument("--school", metavar="CODE", help="only what belongs to this school")
    backup.add_argument(
        "--data", type=Path, default=Path(".bookbag"), help="data folder of a run on this machine (.bookbag)"
    )
    backup.add_argument("--json", action="store_true", help="print for programs")

    restore = commands.add_parser(
        "restore",
        help="give a backup back into an installation that nobody has used; that of one school also beside others",
    )
    restore.add_argument("--from", required=True, dest="place", metavar="BACKUP", help=f"one backup: {_WHERE}")
    restore.add_argument(
        "--data",
        type=Path,
        help="a new data folder on this machine, for one school also that of a run; without it, the installation that the settings name",
    )
    restore.add_argument(
        "--again", action="store_true", help="one school: first remove what an earlier try left that broke off"
    )
    restore.add_argument("--json", action="store_true", help="print for programs")
