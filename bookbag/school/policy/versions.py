"""Versions of a school's policy: which one counted at an instant, from when a new one can count, and what differs (POL-2)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from bookbag.school.policy.document import Policy
from bookbag.school.policy.faults import Path, dotted
from bookbag.school.policy.phrases import Phrase, phrase, said
from bookbag.school.policy.shape import choices, fields_of, is_section, optional, plain
from bookbag.school.policy.values import to_data


@dataclass(frozen=True, slots=True)
class Version:
    """One version without its text: numbers rise by one, `author` is None for the founding and for operators."""

    number: int
    author: UUID | None
    reason: str
    made_at: datetime
    counts_from: datetime


V = TypeVar("V", bound=Version)


class CannotCountInThePast(ValueError):
    """A version cannot change what held before it was made."""


def effective_from(asked: datetime | None, now: datetime) -> datetime:
    """From when a new version counts: now, or at the later instant that was asked for. Raises CannotCountInThePast."""
    if asked is None:
        return now
    if asked < now:
        raise CannotCountInThePast(f"A change counts from now or later, not from {asked.isoformat()}.")
    return asked


def counting_at(versions: Iterable[V], at: datetime) -> V | None:
    """The version that counts, or counted, at an instant: the newest one whose time had come; None before the first.

    A version replaces all before it from its own instant on, also one that was still waiting for a later date. Since no
    version can count from before it was made, the answer for a past instant never changes.
    """
    return max((one for one in versions if one.counts_from <= at), key=lambda one: one.number, default=None)


def next_change(versions: Sequence[V], at: datetime) -> datetime | None:
    """The next instant after `at` at which another version begins to count, or None."""
    now = counting_at(versions, at)
    later = sorted({one.counts_from for one in versions if one.counts_from > at})
    for instant in later:
        then = counting_at(versions, instant)
        if then is not None and (now is None or then.number > now.number):
            return instant
    return None


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs: its path, what it says of itself, and both values as they stand in the document (None: absent)."""

    path: str
    about: Phrase
    was: Any
    is_: Any

    @property
    def before(self) -> str | None:
        """What it was, in English words."""
        return in_words(self.was, "en")

    @property
    def after(self) -> str | None:
        """What it is, in English words."""
        return in_words(self.is_, "en")

    def __str__(self) -> str:
        """In words."""
        if self.before is None:
            return f"{self.path}: {self.after} (new)"
        if self.after is None:
            return f"{self.path}: {self.before} (removed)"
        return f"{self.path}: {self.before} → {self.after}"


def difference(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Every setting whose effective value differs, in the order of the document."""
    return tuple(_differ(Policy, to_data(before, Policy), to_data(after, Policy), ()))


def _differ(kind: Any, before: Any, after: Any, path: Path, about: str = "") -> Iterator[Change]:
    if before == after:
        return
    both = (before, after)
    if not (is_section(kind) and all(isinstance(side, dict) for side in both)):
        yield Change(dotted(path), phrase(about), before, after)
        return
    for field in fields_of(kind):
        one, other = (side.get(field.key) for side in both)
        yield from _differ(_inside(field.kind), one, other, (*path, field.key), field.text)


def _inside(kind: Any) -> Any:
    """The section behind a field's kind, also where words could stand instead of it."""
    only = optional(kind)
    kind = only if only is not None else kind
    pair = choices(kind)
    return pair[1] if pair else plain(kind)


def in_words(value: Any, language: str) -> str | None:
    """A setting's value as people write it, with what is neither a name nor a number said in a language; None for an absent one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return said(phrase("yes") if value else phrase("no"), language)
    held = value
    if isinstance(value, dict):
        pairs: dict[str, Any] = held
        if set(pairs) == {"from", "to"}:
            return f"{pairs['from']}–{pairs['to']}"
        return "; ".join(f"{key}: {in_words(one, language)}" for key, one in pairs.items()) or said(
            phrase("nothing"), language
        )
    if isinstance(value, list):
        items: list[Any] = held
        return ", ".join(str(in_words(one, language)) for one in items) or said(phrase("none"), language)
    return str(value)
