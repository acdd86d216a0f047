"""A week of hours as minutes of the school's wall clock, for each kind of day, and what remains when two such weeks meet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

MIDNIGHT = 24 * 60
"""The minute at which a day ends, written 24:00."""

Spans = tuple[tuple[int, int], ...]
"""Minutes of one day as [from, to): sorted, not touching, the wall clock's own minutes (0 to 1440)."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DayKind(IntEnum):
    """What a date is to the school."""

    SCHOOL = 0
    """In term, with lessons."""
    STAFF = 1
    """In term, closed to pupils, but staff are at work (training)."""
    FREE = 2
    """Outside terms, in a holiday, or closed."""


def tidy(spans: Iterable[tuple[int, int]]) -> Spans:
    """Sort spans and join those that touch or overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def common(one: Spans, other: Spans) -> Spans:
    """The minutes that are in both."""
    return tidy((max(a, c), min(b, d)) for a, b in one for c, d in other)


def without(one: Spans, other: Spans) -> Spans:
    """The minutes of `one` that are not in `other`."""
    left = list(one)
    for c, d in other:
        left = [piece for a, b in left for piece in ((a, min(b, c)), (max(a, d), b)) if piece[0] < piece[1]]
    return tidy(left)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Spans by kind of day, then by weekday (Monday is 0)."""

    days: tuple[tuple[Spans, ...], ...]

    @classmethod
    def of(cls, week: Iterable[Iterable[tuple[int, int]]], kinds: Iterable[DayKind]) -> "Timetable":
        """The same week on each of these kinds of day, nothing on the others."""
        tidied = tuple(tidy(day) for day in week)
        wanted = frozenset(kinds)
        return cls(tuple(tidied if kind in wanted else _NOTHING for kind in DayKind))

    def spans(self, kind: DayKind, weekday: int) -> Spans:
        """The minutes of one kind of day on one weekday."""
        return self.days[kind][weekday]

    def meet(self, other: "Timetable") -> "Timetable":
        """What is in both: hours that somebody narrowed."""
        return self._pairwise(other, common)

    def minus(self, other: "Timetable") -> "Timetable":
        """What remains: hours apart from lessons."""
        return self._pairwise(other, without)

    def on(self, kinds: Iterable[DayKind]) -> "Timetable":
        """The same hours, on these kinds of day alone."""
        wanted = frozenset(kinds)
        return Timetable(tuple(self.days[kind] if kind in wanted else _NOTHING for kind in DayKind))

    def _pairwise(self, other: "Timetable", combine: Callable[[Spans, Spans], Spans]) -> "Timetable":
        return Timetable(
            tuple(
                tuple(combine(one, two) for one, two in zip(mine, theirs, strict=True))
                for mine, theirs in zip(self.days, other.days, strict=True)
            )
        )


_NOTHING: tuple[Spans, ...] = ((),) * 7
_ALL_DAY: tuple[Spans, ...] = (((0, MIDNIGHT),),) * 7
NEVER = Timetable((_NOTHING,) * 3)
ALWAYS = Timetable((_ALL_DAY,) * 3)


class NotATime(ValueError):
    """The text is not a time of day written HH:MM."""


def minute_of(text: str) -> int:
    """`16:30` as minutes since midnight; `24:00` is the day's end. Raises NotATime."""
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise NotATime(text)
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > MIDNIGHT:
        raise NotATime(text)
    return total


def clock_of(minute: int) -> str:
    """Minutes since midnight as the document writes them."""
    return f"{minute // 60:02}:{minute % 60:02}"
