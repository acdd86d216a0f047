"""Decides whether a step still stands, by the content of what went into it, so that nothing is done twice."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_IGNORED = {"node_modules", "dist", "__pycache__", ".vite", "coverage", "test-results"}


def fingerprint(paths: Iterable[Path], *, also: str = "") -> str:
    """Give a hash over the names and contents of files and folders; `also` adds what is not in a file."""
    total = hashlib.sha256(also.encode())
    for path in paths:
        for file in sorted(_files(path)):
            total.update(f"\0{file}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in path.iterdir():
            if child.name not in _IGNORED and ".gen." not in child.name:
                yield from _files(child)


class Stamp:
    """A small file that holds the fingerprint of what a step was last done with."""

    def __init__(self, path: Path, *outputs: Path) -> None:
        self._path = path
        self._outputs = outputs

    def stands(self, mark: str) -> bool:
        """Tell whether the step was done with exactly this, and what it made is still there."""
        try:
            return self._path.read_text() == mark and all(output.exists() for output in self._outputs)
        except OSError:
            return False

    def set(self, mark: str) -> None:
        """Note that the step is done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(mark)

    def clear(self) -> None:
        """Forget the step, before it is begun anew: an interrupted one must not count as done."""
        self._path.unlink(missing_ok=True)
