"""Checks of hours: ends after beginnings, no overlap, and no hours that contradict others."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from bookbag.school.policy.checks import Found, looks_at, walk
from bookbag.school.policy.document.fields import Hours, NamedHours, Week
from bookbag.school.policy.document.messages import FamilyWindow, Outside, Promise, PromiseKind, StaffWindow
from bookbag.school.policy.document.people import Lessons, StaffAccess, StaffNotifications
from bookbag.school.policy.faults import Path
from bookbag.school.policy.phrases import Phrase, phrase, weekday
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
                phrase("{end} is not after {start}", end=clock_of(end), start=clock_of(start)),
                phrase("Hours end later on the same day; for a night write two spans, to 24:00 and from 00:00."),
            )
    kept = [one for one in sorted(spans) if one[0] < one[1]]
    for (a, b, _), (start, end, place) in pairwise(kept):
        if start < b:
            yield (
                (*path, place, "from"),
                phrase("{one} overlaps {other}", one=_span(start, end), other=_span(a, b)),
                phrase("Begin at {end} or later, or make one span of both.", end=clock_of(b)),
            )


def _span(start: int, end: int) -> str:
    return f"{clock_of(start)}–{clock_of(end)}"


def hours_beyond(
    inner: Hours, outer: Timetable, path: Path = (), staff: Timetable = NEVER
) -> Iterator[tuple[Path, Phrase]]:
    """The spans of `inner` that reach beyond `outer`, each with its path and words."""
    beyond = timetable(inner, staff).minus(outer)
    told: set[tuple[int, tuple[int, int]]] = set()
    for kind in DayKind:
        for day, name in enumerate(WEEKDAYS):
            for start, end in beyond.spans(kind, day):
                if (day, (start, end)) not in told:  # the same minutes on another kind of day only repeat it
                    told.add((day, (start, end)))
                    when = phrase("{hours} of {weekday}", hours=_span(start, end), weekday=weekday(name))
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
        yield (
            ("staff", "hours"),
            phrase("{hours!r} leaves nobody at work", hours=str(hours)),
            phrase("Write the hours of each weekday."),
        )
    elif isinstance(hours, Week) and not any(any(day) for day in timetable(hours).days):
        yield ("staff", "hours"), phrase("no weekday has hours"), phrase("Write the hours of at least one weekday.")


@looks_at("staff.hours", "lessons")
def lessons_are_within_staff_hours(hours: Hours, lessons: Lessons) -> Found:
    staff = timetable(hours)
    for path, words in hours_beyond(lessons.hours, staff, ("lessons", "hours"), staff):
        yield (
            path,
            phrase("lessons at {when} are outside staff hours", when=words),
            phrase("Let lessons begin and end within staff.hours."),
        )


@looks_at("staff.hours", "answers.slots")
def answers_are_within_staff_hours(hours: Hours, slots: Hours) -> Found:
    staff = timetable(hours)
    for path, words in hours_beyond(slots, staff, ("answers", "slots"), staff):
        yield (
            path,
            phrase("answers at {when} are outside staff hours", when=words),
            phrase("Let answering slots lie within staff.hours."),
        )


@looks_at("staff.hours", "staff.access", "answers.slots", "staff.notifications")
def staff_can_come_in_when_they_are_needed(
    hours: Hours, access: StaffAccess, slots: Hours, notifications: StaffNotifications
) -> Found:
    staff = timetable(hours)
    entry = timetable(access.hours, staff)
    for path, words in hours_beyond(slots, entry, ("answers", "slots"), staff):
        yield (
            path,
            phrase("nobody may come in to answer at {when}", when=words),
            phrase("Widen staff.access.hours, or move the slot."),
        )
    for path, words in hours_beyond(notifications.hours, entry, ("staff", "notifications", "hours"), staff):
        yield (
            path,
            phrase("phones would ring at {when}, when nobody may come in", when=words),
            phrase("Widen staff.access.hours, or narrow these."),
        )


@looks_at("staff.hours", "lessons", "answers.slots", "messages.staff", "answers.promise")
def answers_can_be_sent(hours: Hours, lessons: Lessons, slots: Hours, window: StaffWindow, promise: Promise) -> Found:
    if promise.kind is PromiseKind.NONE:
        return
    staff = timetable(hours)
    left = timetable(slots, staff)
    if not any(any(day) for day in left.days):
        yield (
            ("answers", "slots"),
            phrase("an answer is promised, yet nobody answers at any time"),
            phrase("Write when staff answer."),
        )
        return
    if window.outside is Outside.REFUSE:
        left = left.meet(timetable(window.hours, staff))
    if window.in_lessons is not Outside.SEND:
        left = left.minus(lesson_timetable(lessons.hours, staff))
    if not any(left.days[DayKind.SCHOOL]):
        yield (
            ("answers", "slots"),
            phrase("all answering slots lie where staff may not write (in lessons, or outside messages.staff.hours)"),
            phrase("Add a slot before or after lessons."),
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
            yield (
                (*path, name),
                phrase("it is missing: the promise counts {kind}", kind=str(promise.kind)),
                phrase("Write {it}.", it=name),
            )
        if name != wanted and value is not None:
            better = (
                phrase("Remove it, or write {it}.", it=wanted)
                if wanted
                else phrase("Remove it, or choose another kind of promise.")
            )
            yield (*path, name), phrase("it does not belong to the promise {kind!r}", kind=str(promise.kind)), better


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
                phrase(
                    "{time} is outside staff hours of {weekday}", time=clock_of(promise.time), weekday=weekday(name)
                ),
                phrase("Promise an hour at which staff are still at work."),
            )


@looks_at("messages.families", "staff.hours")
def families_can_write_at_some_time(window: FamilyWindow, hours: Hours) -> Found:
    never = not any(any(day) for day in timetable(window.hours, timetable(hours)).days)
    if never and window.outside is not Outside.SEND:
        yield (
            ("messages", "families", "hours"),
            phrase("families could never write"),
            phrase("Write hours, or let outside be send."),
        )


@looks_at("messages.staff", "staff.hours")
def staff_can_write_at_some_time(window: StaffWindow, hours: Hours) -> Found:
    never = not any(any(day) for day in timetable(window.hours, timetable(hours)).days)
    if never and window.outside is not Outside.SEND:
        yield (
            ("messages", "staff", "hours"),
            phrase("staff could never write"),
            phrase("Write hours, or let outside be send."),
        )
