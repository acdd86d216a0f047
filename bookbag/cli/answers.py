"""What a command gives back: an answer for people and programs, or a refusal in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """A command cannot do what it was asked; the words say why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command prints: lines for people, or the same as rows for programs. `wrong` ends it with code 1 all the same."""

    text: str
    rows: Sequence[dict[str, Any]]
    wrong: bool = False


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as columns under their names."""
    heads = list(rows[0])
    widths = [max(len(head), *(len(str(row[head])) for row in rows)) for head in heads]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
             for line in [heads, *([row[head] for head in heads] for row in rows)]]  # fmt: skip
    return "\n".join(lines)
