"""`bookbag restore --data`: makes a new installation on this machine and gives a backup back into it, or lets one school into a run."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import depot_of
from bookbag.cli.backup import manifest_of
from bookbag.local.environment import settings_of_running
from bookbag.local.new_folder import new_folder
from bookbag.local.refusals import CannotStart


class _Failed(Exception):
    """The restore said why in words; what was begun is undone."""


def restore_here(asked: argparse.Namespace, run: Callable[[argparse.Namespace], int]) -> int:
    """Make the folder, `run` the restore on it, stop its database. One school comes into what runs on the folder. The exit code."""
    # The database is a child of ours: whoever ends us ends it too.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)
    data, asked.data = asked.data, None
    try:
        manifest = asyncio.run(manifest_of(depot_of(asked.place, _keys())))
        if manifest.school is not None and (running := settings_of_running(data)) is not None:
            os.environ |= running
            return run(asked)
        # A demo comes back as a demo: what its people could do they can do again.
        otherwise = "" if manifest.school is None else ", or start it first: one school comes into what runs"
        with new_folder(data, demo=manifest.demo, otherwise=otherwise) as settings:
            os.environ |= settings
            if run(asked) != 0:
                raise _Failed
    except (BackupRefused, CannotStart) as refused:
        print(refused, file=sys.stderr)
        return 1
    except _Failed:
        return 1
    if not getattr(asked, "json", False):
        print(f"Start it with `bookbag up --data {data}`.")
    return 0


def _keys() -> tuple[str, str] | None:
    """The keys of the store that backups are in: there are no other settings yet."""
    access, secret = os.environ.get("BOOKBAG_BACKUP_ACCESS_KEY"), os.environ.get("BOOKBAG_BACKUP_SECRET_KEY")
    return (access, secret) if access and secret else None


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(1)
