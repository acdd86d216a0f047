"""Says how much memory a run takes, process by process, so that the goal of 500 MB is measured and not believed.

`python -m bookbag.local.measure [data folder]` prints it for the run that uses the folder.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The proportional share of memory of one process: shared pages are divided among those who share them."""

    pid: int
    name: str
    bytes: int


def memory_report(pids: Iterable[int]) -> list[ProcessMemory]:
    """These processes and all their descendants, in order of pid. Those that ended meanwhile are left out. Linux only."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    wanted, todo = set[int](), list(pids)
    while todo:
        pid = todo.pop()
        if pid not in wanted:
            wanted.add(pid)
            todo += children.get(pid, [])
    found = (_memory_of(pid) for pid in sorted(wanted))
    return [memory for memory in found if memory is not None]


def lines_of(report: Iterable[ProcessMemory]) -> list[str]:
    """The report as a table, with the sum as its last line."""
    report = list(report)
    lines = [f"{memory.pid:>8}  {memory.bytes / 1e6:7.1f} MB  {memory.name}" for memory in report]
    return [*lines, f"{'all':>8}  {sum(memory.bytes for memory in report) / 1e6:7.1f} MB  {len(report)} processes"]


def supervisor_of(folder: Path) -> int | None:
    """The pid of the supervisor that uses a data folder; None when nothing runs on it."""
    try:
        return int((folder / "lock").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _memory_of(pid: int) -> ProcessMemory | None:
    try:
        figures = Path(f"/proc/{pid}/smaps_rollup").read_text()
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return None
    share = next((int(line.split()[1]) * 1024 for line in figures.splitlines() if line.startswith("Pss:")), 0)
    return ProcessMemory(pid, _short(words), share)


def _short(words: str) -> str:
    """A command line without the folders, which say nothing and fill the line."""
    first, _, rest = words.partition(" ")
    return f"{first.rpartition('/')[2]} {rest}"[:60].strip()


def main() -> int:
    """Print the report of the run on one data folder."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".bookbag")
    pid = supervisor_of(folder)
    report = [] if pid is None else memory_report([pid])
    if not report:
        print(f"Nothing runs on {folder}.")
        return 1
    print("\n".join(lines_of(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
