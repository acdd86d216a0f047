"""The words of `bookbag prepare`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def prepare_parser(commands: "Commands") -> None:
    """Add `prepare`."""
    prepare = commands.add_parser(
        "prepare", help="make keys, database script and Secrets for an installation on Kubernetes"
    )
    prepare.add_argument("--to", type=Path, required=True, help="folder; what is in it already is kept and completed")
    prepare.add_argument("--postgresql", required=True, metavar="HOST:PORT", help="where the services find PostgreSQL")
    prepare.add_argument("--options", default="", help="put behind each database address, such as sslmode=verify-full")
    prepare.add_argument(
        "--redis", default="", metavar="URL", help="address of Redis or Valkey, such as rediss://:password@host:6379/0"
    )
    prepare.add_argument(
        "--mail", default="", metavar="URL", help="address of the mail server, such as smtps://user:password@host:465"
    )
