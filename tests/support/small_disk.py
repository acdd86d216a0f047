"""A disk of a few hundred megabytes that a test can fill to the last byte, for root and for ordinary users."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_OWN = 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"'


@dataclass(frozen=True)
class SmallDisk:
    """`folder` is where whoever is run by `prefix` finds the disk."""

    folder: Path
    prefix: tuple[str, ...]

    def seen_by(self, pid: int) -> Path:
        """The folder as others reach it: where the disk is mounted for one process and its children only, through that process."""
        return Path(f"/proc/{pid}/root{self.folder}") if self.prefix else self.folder


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Root mounts a tmpfs, and so does whoever may by sudo; everybody else does in namespaces of their own."""
    folder.mkdir()
    options = f"size={megabytes}m,mode=700,uid={os.getuid()},gid={os.getgid()}"
    for words in ((), ("sudo", "-n")):
        if _works(*words, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
            try:
                yield SmallDisk(folder, ())
            finally:
                subprocess.run([*words, "umount", "--lazy", str(folder)], check=True)
            return
    own = (
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        _OWN,
        f"size={megabytes}m,mode=700",
        str(folder),
    )
    if not _works(*own, "true"):
        pytest.skip("neither mount, nor sudo mount, nor a mount in a user namespace is allowed here")
    yield SmallDisk(folder, own)


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
