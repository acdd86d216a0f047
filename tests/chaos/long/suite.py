"""R5, R6, R7 and R9 as the chaos tests prove them: runs the suite and reads from its report what the tests measured."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.results import Result

REPORT = Path("build/results/chaos-suite.xml")

MUTANTS = (
    "id > cursor", "SKIP LOCKED relay without key lock", "synchronous_commit=off", "no idempotency key", "offset before effect",
    "swallowed consumer error", "audience fixed at enqueue",
)  # fmt: skip

VISIBLE_SECONDS = 10.0
HALF_OPEN_SECONDS = 15.0


@dataclass
class Report:
    """How each test ended, and what tests noted of themselves."""

    passed: dict[str, bool] = field(default_factory=dict)
    noted: dict[str, list[str]] = field(default_factory=dict)

    def failed(self, *words: str) -> list[str]:
        """Tests with one of the words in their names that did not pass; says so when there is no such test at all."""
        chosen = {name: passed for name, passed in self.passed.items() if any(word in name for word in words)}
        return [name for name, passed in chosen.items() if not passed] if chosen else ["no such test ran"]

    def largest(self, name: str) -> float:
        """The largest number noted under a name; infinity when nobody noted one."""
        return max(map(float, self.noted.get(name, [])), default=float("inf"))


def measure() -> Sequence[Result]:
    """Run all chaos tests, one process at a time so that nothing disturbs what is measured."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "tests/chaos", "-n", "0", f"--junit-xml={REPORT}"]
    subprocess.run(command, check=False)
    return judged(_read(REPORT))


def _read(path: Path) -> Report:
    report = Report()
    for case in ET.parse(path).getroot().iter("testcase"):
        ended = {child.tag for child in case}
        report.passed[f"{case.get('classname')}::{case.get('name')}"] = not ended & {"failure", "error", "skipped"}
        for note in case.iter("property"):
            report.noted.setdefault(note.get("name", ""), []).append(note.get("value", ""))
    return report


def judged(report: Report) -> list[Result]:
    """The results of a report."""

    def none(name: str, what: str, found: list[str]) -> Result:
        return Result(name, what, len(found), "count", "0", not found, {"found": found})

    def within(name: str, what: str, note: str, goal: float) -> Result:
        value = report.largest(note)
        return Result(
            name, what, round(value, 1), "s", f"≤ {goal:g}", value <= goal, {"runs": report.noted.get(note, [])}
        )

    found = [mutant for mutant in MUTANTS if mutant in report.noted.get("mutant", [])]
    sound = report.failed("test_mutants", "test_checkers")
    return [
        within("R5b", "a dead letter is visible", "dead_letter_seconds", VISIBLE_SECONDS),
        none("R5c", "replays that did not take effect exactly once", report.failed("replayed_takes_effect_exactly_once")),
        none("R6", "tests without Redis that saw a fault", report.failed("without_redis")),
        within("R7c", "a half-open connection is found out", "half_open_seconds", HALF_OPEN_SECONDS),
        Result("R9", "mutants that turn their checker red, their sound twins clean", len(found), "count", str(len(MUTANTS)),
               len(found) == len(MUTANTS) and not sound, {"found": found, "not clean": sound}),
    ]  # fmt: skip
