"""What a command gives back: an answer for people and programs, or a refusal in words."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


class Refused(Exception):
    """A command cannot do what it was asked; the words say why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command prints: lines for people, or the same as rows for programs. `wrong` ends it with code 1 all the same."""

    text: str
    rows: Sequence[dict[str, Any]]
    wrong: bool = False


@contextmanager
def reader_may_leave() -> Generator[None]:
    """For what prints. Whoever reads may stop reading, as `head` does: that is no failure, and what is left is told to nobody."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as columns under their names."""
    heads = list(rows[0])
    widths = [max(len(head), *(len(str(row[head])) for row in rows)) for head in heads]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
             for line in [heads, *([row[head] for head in heads] for row in rows)]]  # fmt: skip
    return "\n".join(lines)


def incomplete(error: "ValidationError", service: str = "") -> str:
    """One sentence about settings that are missing or wrong, under the names that operators give them; never a value."""
    found = error.errors(include_input=False, include_url=False)
    prefix = f"BOOKBAG_{service.upper()}_" if service else "BOOKBAG_"
    names = {prefix + str(one["loc"][0]).upper() if one["loc"] else "": one for one in found}
    missing = sorted(name for name, one in names.items() if one["type"] == "missing")
    wrong = [f"{name} ({one['msg']})".strip() for name, one in names.items() if one["type"] != "missing"]
    words = [f"{', '.join(missing)} must be set"] if missing else []
    words += [f"{', '.join(wrong)} cannot be read as set"] if wrong else []
    return f"The settings are not complete: {'; '.join(words)}."
