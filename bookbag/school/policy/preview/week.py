"""The school week as bands to draw: staff, lessons, answers, and what happens to a message of a family at each hour."""

from dataclasses import dataclass

from bookbag.school.policy.document.messages import Outside
from bookbag.school.policy.rules import Outcome, SchoolRules
from bookbag.school.roles import Role
from bookbag.school.time.week import MIDNIGHT, WEEKDAYS, DayKind, Spans, without

_BECOMES = {Outside.SEND: Outcome.NOW, Outside.HOLD: Outcome.HELD, Outside.REFUSE: Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """One weekday of an ordinary school week. Minutes since midnight, [from, to).

    `families` covers the whole day: (from, to, what happens to a message a family writes then).
    """

    weekday: str
    staff: Spans
    access: Spans
    rings: Spans
    lessons: Spans
    answers: Spans
    families: tuple[tuple[int, int, Outcome], ...]


def drawn_week(rules: SchoolRules) -> tuple[DrawnDay, ...]:
    """Monday to Sunday, without holidays and closed days."""
    teacher, guardian = rules.person(Role.TEACHER), rules.person(Role.GUARDIAN)
    days: list[DrawnDay] = []
    for place, name in enumerate(WEEKDAYS):
        kind = DayKind.SCHOOL
        through = guardian.sends.timetable.spans(kind, place)
        hours = guardian.sends_hours.timetable.spans(kind, place)
        bands = [(start, end, Outcome.NOW) for start, end in through]
        bands += [(start, end, _BECOMES[guardian.in_lessons]) for start, end in without(hours, through)]
        bands += [(start, end, _BECOMES[guardian.outside]) for start, end in without(((0, MIDNIGHT),), hours)]
        days.append(
            DrawnDay(
                name,
                staff=rules.staff.timetable.spans(kind, place),
                access=teacher.entry.timetable.spans(kind, place),
                rings=teacher.rings.timetable.spans(kind, place),
                lessons=rules.lessons.timetable.spans(kind, place),
                answers=rules.answers.timetable.spans(kind, place),
                families=tuple(sorted(bands)),
            )
        )
    return tuple(days)
