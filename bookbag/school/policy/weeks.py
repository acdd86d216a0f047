"""Turns the document's hours into timetables: what `staff`, `always` and a week of one's own mean in minutes."""

from collections.abc import Iterable

from bookbag.school.policy.document.fields import Days, Hours, NamedHours, Span, Week
from bookbag.school.time.week import ALWAYS, NEVER, WEEKDAYS, DayKind, Timetable

AT_WORK = (DayKind.SCHOOL, DayKind.STAFF)
"""Days in term on which staff work, training days included."""


def timetable(hours: Hours, staff: Timetable = NEVER) -> Timetable:
    """The hours in minutes; `staff` is what the word staff stands for."""
    match hours:
        case NamedHours.ALWAYS:
            return ALWAYS
        case NamedHours.NEVER:
            return NEVER
        case NamedHours.STAFF:
            return staff
        case Week():
            kinds: Iterable[DayKind] = DayKind if hours.days is Days.EVERY_DAY else AT_WORK
            return Timetable.of(([(span.from_, span.to) for span in day] for day in days_of(hours)), kinds)


def days_of(week: Week) -> tuple[tuple[Span, ...], ...]:
    """The spans of each weekday, Monday first."""
    return tuple(getattr(week, name) for name in WEEKDAYS)


def lesson_timetable(hours: Hours, staff: Timetable) -> Timetable:
    """Lessons are given on school days alone, never on a training day, whatever hours they have."""
    return timetable(hours, staff).on((DayKind.SCHOOL,))
