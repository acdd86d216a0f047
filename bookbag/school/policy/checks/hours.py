"""Checks of hours: ends after beginnings, no overlap, and no hours that contradict others."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from bookbag.school.policy.checks import Found, looks_at, walk
from bookbag.school.policy.document.fields import Hours, NamedHours, Week
from bookbag.school.policy.document.messages import FamilyWindow, Outside, Promise, PromiseKind, StaffWindow
from bookbag.school.policy.document.people import Lessons, StaffAccess, StaffNotifications
from bookbag.school.policy.faults import Path
from bookbag.school.policy.weeks import lesson_timetable, timetable
from bookbag.school.time.week import NEVER, WEEKDAYS, DayKind, NotATime, Timetable, clock_of, minute_of


def hours_in_order(data: Any) -> Found:
    """Spans of one weekday end after they begin and do not overlap; looked for in the raw data, wherever hours stand."""
    for path, value in walk(data):
        if isinstance(value, list) and path and path[-1] in WEEKDAYS:
            yield from _one_day(path, list(_spans(value)))  # pyright: ignore[reportUnknownArgumentType]


def _spans(day: list[Any]) -> Iterator[tuple[int, int, int]]:
    for place, span in enumerate(day):
        try:
            yield minute_of(span["from"]), minute_of(span["to"]), place
        except (NotATime, KeyError, TypeError, AttributeError):
            continue  # its form is wrong, which the schema tells


def _one_day(path: Path, spans: list[tuple[int, int, int]]) -> Found:
    for start, end, place in spans:
        if end <= start:
            yield (
                (*path, place, "to"),
                f"{clock_of(end)} is not after {clock_of(start)}",
                "Hours end later on the same day; for a night write two spans, to 24:00 and from 00:00.",
            )
    kept = [one for one in sorted(spans) if one[0] < one[1]]
    for (a, b, _), (start, end, place) in pairwise(kept):
        if start < b:
            yield (
                (*path, place, "from"),
                f"{clock_of(start)}–{clock_of(end)} overlaps {clock_of(a)}–{clock_of(b)}",
                f"Begin at {clock_of(b)} or later, or make one span of both.",
            )


def hours_beyond(
    inner: Hours, outer: Timetable, path: Path = (), staff: Timetable = NEVER
) -> Iterator[tuple[Path, str]]:
    """The spans of `inner` that reach beyond `outer`, each with its path and words."""
    beyond = timetable(inner, staff).minus(outer)
    told: set[tuple[int, tuple[int, int]]] = set()
    for kind in DayKind:
        for day, name in enumerate(WEEKDAYS):
            for start, end in beyond.spans(kind, day):
                if (day, (start, end)) not in told:  # the same minutes on another kind of day only repeat it
                    told.add((day, (start, end)))
                    when = f"{clock_of(start)}–{clock_of(end)} of {name.capitalize()}"
                    yield _span_of(inner, path, day, start), when


def _span_of(hours: Hours, path: Path, day: int, minute: int) -> Path:
    if not isinstance(hours, Week):
        return path
    name = WEEKDAYS[day]
    for place, span in enumerate(getattr(hours, name)):
        if span.from_ <= minute < span.to:
            return (*path, name, place)
    return path


@looks_at("staff.hours")
def the_working_day_has_hours(hours: Hours) -> Found:
    if isinstance(hours, NamedHours) and hours is not NamedHours.ALWAYS:
        yield ("staff", "hours"), f"{str(hours)!r} leaves nobody at work", "Write the hours of each weekday."
    elif isinstance(hours, Week) and not any(any(day) for day in timetable(hours).days):
        yield ("staff", "hours"), "no weekday has hours", "Write the hours of at least one weekday."


@looks_at("staff.hours", "lessons")
def lessons_are_within_staff_hours(hours: Hours, lessons: Lessons) -> Found:
    staff = timetable(hours)
    for path, words in hours_beyond(lessons.hours, staff, ("lessons", "hours"), staff):
        yield path, f"lessons at {words} are outside staff hours", "Let lessons begin and end within staff.hours."


@looks_at("staff.hours", "answers.slots")
def answers_are_within_staff_hours(hours: Hours, slots: Hours) -> Found:
    staff = timetable(hours)
    for path, words in hours_beyond(slots, staff, ("answers", "slots"), staff):
        yield path, f"answers at {words} are outside staff hours", "Let answering slots lie within staff.hours."


@looks_at("staff.hours", "staff.access", "answers.slots", "staff.notifications")
def staff_can_come_in_when_they_are_needed(
    hours: Hours, access: StaffAccess, slots: Hours, notifications: StaffNotifications
) -> Found:
    staff = timetable(hours)
    entry = timetable(access.hours, staff)
    for path, words in hours_beyond(slots, entry, ("answers", "slots"), staff):
        yield path, f"nobody may come in to answer at {words}", "Widen staff.access.hours, or move the slot."
    for path, words in hours_beyond(notifications.hours, entry, ("staff", "notifications", "hours"), staff):
        yield (
            path,
            f"phones would ring at {words}, when nobody may come in",
            "Widen staff.access.hours, or narrow these.",
        )


@looks_at("staff.hours", "lessons", "answers.slots", "messages.staff", "answers.promise")
def answers_can_be_sent(hours: Hours, lessons: Lessons, slots: Hours, window: StaffWindow, promise: Promise) -> Found:
    if promise.kind is PromiseKind.NONE:
        return
    staff = timetable(hours)
    left = timetable(slots, staff)
    if not any(any(day) for day in left.days):
        yield ("answers", "slots"), "an answer is promised, yet nobody answers at any time", "Write when staff answer."
        return
    if window.outside is Outside.REFUSE:
        left = left.meet(timetable(window.hours, staff))
    if window.in_lessons is not Outside.SEND:
        left = left.minus(lesson_timetable(lessons.hours, staff))
    if not any(left.days[DayKind.SCHOOL]):
        yield (
            ("answers", "slots"),
            "all answering slots lie where staff may not write (in lessons, or outside messages.staff.hours)",
            "Add a slot before or after lessons.",
        )


_NEEDS = {
    PromiseKind.WORKING_HOURS: "hours",
    PromiseKind.WORKING_DAYS: "days",
    PromiseKind.END_OF_DAY: "time",
    PromiseKind.NONE: None,
}


@looks_at("answers.promise")
def a_promise_says_how_much(promise: Promise) -> Found:
    wanted = _NEEDS[promise.kind]
    path: Path = ("answers", "promise")
    for name in ("hours", "days", "time"):
        value = getattr(promise, name)
        if name == wanted and value is None:
            yield (*path, name), f"it is missing: the promise counts {promise.kind}", f"Write {name}."
        if name != wanted and value is not None:
            better = f"Remove it, or write {wanted}." if wanted else "Remove it, or choose another kind of promise."
            yield (*path, name), f"it does not belong to the promise {str(promise.kind)!r}", better


@looks_at("staff.hours", "answers.promise")
def the_end_of_day_is_in_staff_hours(hours: Hours, promise: Promise) -> Found:
    if promise.kind is not PromiseKind.END_OF_DAY or promise.time is None:
        return
    staff = timetable(hours)
    for day, name in enumerate(WEEKDAYS):
        spans = staff.spans(DayKind.SCHOOL, day)
        if spans and not any(start < promise.time <= end for start, end in spans):
            yield (
                ("answers", "promise", "time"),
                f"{clock_of(promise.time)} is outside staff hours of {name.capitalize()}",
                "Promise an hour at which staff are still at work.",
            )


@looks_at("messages.families", "staff.hours")
def families_can_write_at_some_time(window: FamilyWindow, hours: Hours) -> Found:
    never = not any(any(day) for day in timetable(window.hours, timetable(hours)).days)
    if never and window.outside is not Outside.SEND:
        yield ("messages", "families", "hours"), "families could never write", "Write hours, or let outside be send."


@looks_at("messages.staff", "staff.hours")
def staff_can_write_at_some_time(window: StaffWindow, hours: Hours) -> Found:
    never = not any(any(day) for day in timetable(window.hours, timetable(hours)).days)
    if never and window.outside is not Outside.SEND:
        yield ("messages", "staff", "hours"), "staff could never write", "Write hours, or let outside be send."
