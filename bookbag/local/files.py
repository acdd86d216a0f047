"""Writes small files so that a reader, or a machine that loses power, sees the old one or the new one and never half."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` at `path` for the owner's eyes only (0600), whole or not at all, on disk when it returns."""
    write_whole(path, text.encode(), mode=0o600)


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
