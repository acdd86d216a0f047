"""The form in which every measurement is written, so that a program can read it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path("build/results/bench.json")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure against its goal. `raw` holds the single runs."""

    id: str
    what: str
    value: float
    unit: str
    goal: str
    holds: bool
    raw: dict[str, Any] = field(default_factory=dict[str, Any])


def write(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Replace the figures measured now and keep the others."""
    kept: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    new = {result.id for result in results}
    rows = [row for row in kept if row["id"] not in new] + [asdict(result) for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sorted(rows, key=lambda row: str(row["id"])), indent=1) + "\n")


def show(result: Result) -> None:
    """Print one figure for a person."""
    mark = "holds" if result.holds else "MISSED"
    print(f"{result.id:6} {result.what}: {result.value:g} {result.unit} (goal {result.goal}: {mark})")
