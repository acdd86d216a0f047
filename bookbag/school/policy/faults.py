"""What is wrong with a policy document, said so that somebody who leads a school can put it right."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bookbag.school.policy.phrases import phrase

Path = tuple[str | int, ...]
"""Where a value is: keys and places in lists, from the top."""

THE_DOCUMENT = phrase("the document")
"""The path of what is wrong with all of it."""


def dotted(path: Path) -> str:
    """The path as people write it: `messages.families.hours.monday[0].to`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or THE_DOCUMENT


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: where, what, and what would be right. `line` counts from 1 and is None where it cannot be had."""

    path: str
    problem: str
    right: str
    line: int | None = None

    def __str__(self) -> str:
        """One line for a person."""
        where = f"line {self.line}, {self.path}" if self.line else self.path
        return f"{where}: {self.problem}. {self.right}"


class PolicyRefused(Exception):
    """The document cannot be a school's policy; `faults` has every mistake that could be found, top to bottom."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep them in the order of the lines."""
        self.faults = tuple(sorted(set(faults), key=lambda fault: (fault.line or 0, fault.path, fault.problem)))
        super().__init__("\n".join(map(str, self.faults)))


Lines = Mapping[Path, int]


def at(lines: Lines, path: Path, problem: str, right: str) -> Fault:
    """A fault with the line of its field, or of what the field would stand in."""
    for length in range(len(path), -1, -1):
        if (line := lines.get(path[:length])) is not None:
            return Fault(dotted(path), problem, right, line)
    return Fault(dotted(path), problem, right)
