"""Which dates are school days: terms, holidays inside them, and single closed days (POL-3)."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bookbag.school.time.week import DayKind


@dataclass(frozen=True, slots=True)
class Closed:
    """One closed day. `staff_work` marks a training day: no lessons, but staff are at work."""

    day: date
    staff_work: bool = False


class SchoolCalendar:
    """Answers what a date is to the school. Dates are those of the school's zone; ranges include both ends."""

    __slots__ = ("_kinds", "_known")

    def __init__(
        self,
        terms: Iterable[tuple[date, date]],
        holidays: Iterable[tuple[date, date]] = (),
        closed: Iterable[Closed] = (),
    ) -> None:
        """Lay the days out once; a holiday or closed day outside every term changes nothing."""
        kinds = {ordinal: DayKind.SCHOOL for first, last in terms for ordinal in _ordinals(first, last)}
        for first, last in holidays:
            for ordinal in _ordinals(first, last):
                kinds.pop(ordinal, None)
        for one in closed:
            if one.day.toordinal() in kinds:
                if one.staff_work:
                    kinds[one.day.toordinal()] = DayKind.STAFF
                else:
                    del kinds[one.day.toordinal()]
        self._kinds = kinds
        self._known = sorted(kinds)

    def kind(self, ordinal: int) -> DayKind:
        """What the date with this proleptic ordinal is; a date that no term covers is free."""
        return self._kinds.get(ordinal, DayKind.FREE)

    def next_known(self, ordinal: int) -> int | None:
        """The first day after this one that is not free, or None when no later term is known."""
        place = bisect_right(self._known, ordinal)
        return self._known[place] if place < len(self._known) else None


def _ordinals(first: date, last: date) -> range:
    return range(first.toordinal(), last.toordinal() + 1)
