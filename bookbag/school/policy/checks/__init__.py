"""What a schema cannot say: settings that contradict each other, dates out of order, places and languages that do not exist.

Each check names the settings it looks at and runs when those, and only those, are well formed: so a document with a slip
in one corner still hears of the mistakes in all others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bookbag.school.policy.faults import Path

Found = Iterator[tuple[Path, str, str]]
"""(where, what is wrong, what would be right)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `needs` are the settings it is given, in order, as paths with dots."""

    needs: tuple[str, ...]
    look: Callable[..., Found]


CHECKS: list[Check] = []


def looks_at(*needs: str) -> Callable[[Callable[..., Found]], Callable[..., Found]]:
    """Register a check."""

    def register(look: Callable[..., Found]) -> Callable[..., Found]:
        CHECKS.append(Check(needs, look))
        return look

    return register


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of plain data with its path, outer ones first."""
    yield path, value
    if isinstance(value, dict):
        for key, one in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from walk(one, (*path, str(key)))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for place, one in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from walk(one, (*path, place))
