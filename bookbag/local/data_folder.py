"""The folder that holds everything one installation knows: whose it is, which layout it has, who may use it now.

The rules here protect people from losing a school: one supervisor at a time, no older Bookbag over newer data, nothing removed
that is not certainly a Bookbag data folder, and demo sign-ins only where the folder was made as a demo.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self, cast, final

from bookbag.local.files import write_private
from bookbag.local.refusals import CannotStart, disk_full

LAYOUT: Final = 1
"""What lies where. Raise it when an older Bookbag could not work with the folder any more."""
SMALLEST_FREE: Final = 200 * 1024 * 1024
_SHEET: Final = "bookbag.json"
_LOCK: Final = "lock"
_DEMO: Final = "demo"


def free_bytes(place: Path) -> int:
    """Room for an ordinary user on the file system of a place that may not exist yet."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


@final
class DataFolder:
    """An open data folder: while this is open nobody else can open it. Made by `open_folder`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path: Final = path
        self._lock = lock

    @property
    def is_demo(self) -> bool:
        """Whether the folder was made as a demo: decided once, when it was made."""
        return (self.path / _DEMO).exists()

    @property
    def is_complete(self) -> bool:
        return (self.path / _SHEET).exists()

    def place(self, name: str) -> Path:
        """A folder inside, made when it is missing, for this user's eyes only."""
        inside = self.path / name
        inside.mkdir(mode=0o700, exist_ok=True)
        return inside

    def create(self, *, demo: bool) -> None:
        """Make an empty folder into a data folder. The sheet comes last: it says that the rest is there."""
        if demo:
            write_private(
                self.path / _DEMO, "This folder was made as a demo: whoever opens the page may sign in as anybody.\n"
            )
        write_private(self.path / _SHEET, json.dumps({"product": "bookbag", "layout": LAYOUT}))

    def empty(self) -> None:
        """Remove all there is, keeping the lock held. The sheet goes last, so that a half emptied folder is still ours."""
        inside = [entry for entry in self.path.iterdir() if entry.name not in (_SHEET, _LOCK)]
        for entry in inside:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        (self.path / _SHEET).unlink(missing_ok=True)

    def close(self) -> None:
        """Let others open the folder."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_folder(path: Path, *, free: Callable[[Path], int] = free_bytes) -> DataFolder:
    """Open a data folder for this process alone; an empty or missing one is opened too, and is not `is_complete`.

    Raises CannotStart: no room, not a Bookbag folder, a newer layout, or somebody else has it open.
    """
    path = path.expanduser().resolve()
    try:
        if free(path) < SMALLEST_FREE:
            raise disk_full(path)
        _refuse_foreign(path)
        # As root, another account may have to run the server inside: it may pass through, but not look around.
        path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"The data folder {path} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 32, 0).decode().strip()
        os.close(lock)
        who = f"by process {pid}" if pid else "by another process"
        raise CannotStart(
            f"Bookbag is already running on {path} ({who}): stop it, or give another folder by --data."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return DataFolder(path, lock)


def _refuse_foreign(path: Path) -> None:
    """Nothing but an empty place or a Bookbag folder of a layout we know."""
    if not path.exists():
        return
    if not path.is_dir():
        raise CannotStart(f"{path} is a file: give a folder by --data.")
    sheet = path / _SHEET
    if not sheet.exists():
        others = sorted(entry.name for entry in path.iterdir() if entry.name not in (_LOCK, _DEMO))
        others = [name for name in others if not (name.startswith(".") and name.endswith(".new"))]
        if others:
            raise CannotStart(
                f"{path} holds other files ({others[0]}): give an empty folder or a Bookbag one by --data."
            )
        return
    layout = _layout_of(sheet)
    if layout is None:
        raise CannotStart(
            f"{path} is not a Bookbag data folder, or its {_SHEET} is damaged: give another folder by --data."
        )
    if layout > LAYOUT:
        raise CannotStart(
            f"{path} was made by a newer Bookbag (layout {layout}, this one knows {LAYOUT}): update Bookbag, "
            "or give another folder by --data."
        )


def _layout_of(sheet: Path) -> int | None:
    try:
        content: object = json.loads(sheet.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    known = cast("dict[str, Any]", content)
    layout = known.get("layout")
    return layout if known.get("product") == "bookbag" and isinstance(layout, int) else None
