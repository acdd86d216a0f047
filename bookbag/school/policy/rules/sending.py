"""Whether a message goes now, waits or is refused, when it is seen, and by when an answer is promised (POL-5, MSG-5, MSG-16)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bookbag.school.policy.document.messages import Outside, PromiseKind
from bookbag.school.policy.rules.compiled import Person, SchoolRules
from bookbag.school.policy.rules.reasons import Reason, ReasonCode, because
from bookbag.school.roles import Role


class Outcome(StrEnum):
    """What becomes of a message."""

    NOW = "now"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AnswerPromise:
    """By when an answer can be expected; None when none is promised, or when the calendar ends before."""

    by: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Sending:
    """What becomes of a message written now.

    `visible_at` is when the other side sees it: now, when a held one is released, or None when it is refused or no later
    opening is known. `opens` is when one may write again. `answer_by` is what a family is promised.
    """

    outcome: Outcome
    visible_at: datetime | None
    opens: datetime | None
    answer_by: datetime | None
    reasons: tuple[Reason, ...]


def may_send(person: Person, at: datetime, *, about_safety: bool = False) -> Sending:
    """Decide a message of this person at this instant. Ask again when the policy changes while one is held.

    A message about a child's safety is never held or refused, whoever of the adults writes it (MSG-15). Pupils have no
    messages, whatever the policy says (MSG-11).
    """
    if person.role is Role.PUPIL:
        return Sending(Outcome.REFUSED, None, None, None, (because(ReasonCode.PUPILS_HAVE_NO_MESSAGES),))
    if about_safety:
        roles = tuple(str(role) for role in person.rules.policy.safety.alerts)
        return _sent(person, at, because(ReasonCode.ABOUT_SAFETY, roles=roles))
    if person.sends_exempt:
        return _sent(person, at, because(ReasonCode.SENDER_EXEMPT, role=person.role))
    if person.sends.is_open(at):
        return _sent(person, at, *_unseen_for_now(person, at))
    if person.sends_hours.is_open(at):
        way, why = person.in_lessons, because(ReasonCode.LESSON_TIME, until=person.rules.lessons.closes_at(at))
    else:
        way, why = person.outside, because(ReasonCode.QUIET_TIME, opens=person.sends_hours.opens_at(at))
    if way is Outside.SEND:
        return _sent(person, at, why)
    opens = person.sends.opens_at(at)
    if way is Outside.REFUSE:
        return Sending(Outcome.REFUSED, None, opens, None, (_until(ReasonCode.REFUSED_UNTIL, opens), why))
    held = (_until(ReasonCode.HELD_UNTIL, opens), why)
    if opens is None or person.is_staff:
        return Sending(Outcome.HELD, opens, opens, None, held)
    promise = answer_promised(person.rules, opens)
    return Sending(Outcome.HELD, opens, opens, promise.by, (*held, promise.reason))


def answer_promised(rules: SchoolRules, visible_at: datetime) -> AnswerPromise:
    """By when an answer is promised to a message that staff can see from `visible_at` on.

    Hours: that many clock hours, counted on working days only. Working days: the end of staff hours on the last of that
    many working days after the day it became visible. End of day: the named hour of that day if it is a working day and
    the hour is still to come, else of the next. A working day is a date on which staff have hours.
    """
    promise = rules.policy.answers.promise
    if promise.kind is PromiseKind.NONE:
        return AnswerPromise(None, because(ReasonCode.NO_ANSWER_PROMISED))
    if promise.kind is PromiseKind.WORKING_HOURS:
        by = _after_hours(rules, visible_at, promise.hours or 0)
    elif promise.kind is PromiseKind.WORKING_DAYS:
        by = _after_days(rules, visible_at, promise.days or 0)
    else:
        by = _at_end_of_day(rules, visible_at)
    if by is None:
        return AnswerPromise(None, because(ReasonCode.ANSWER_AFTER_CALENDAR))
    return AnswerPromise(by, because(ReasonCode.ANSWER_BY, by=by))


def _sent(person: Person, at: datetime, *why: Reason) -> Sending:
    reasons = (because(ReasonCode.SENT_NOW), *why)
    if person.is_staff:
        return Sending(Outcome.NOW, at, None, None, reasons)
    promise = answer_promised(person.rules, at)
    return Sending(Outcome.NOW, at, None, promise.by, (*reasons, promise.reason))


def _unseen_for_now(person: Person, at: datetime) -> tuple[Reason, ...]:
    """To a family: during lessons, or outside staff hours, nobody looks."""
    if person.is_staff:
        return ()
    rules = person.rules
    if rules.lessons.is_open(at):
        return (because(ReasonCode.LESSON_TIME, until=rules.lessons.closes_at(at)),)
    if not rules.staff.is_open(at):
        return (because(ReasonCode.QUIET_TIME, opens=rules.staff.opens_at(at)),)
    return ()


def _until(code: ReasonCode, opens: datetime | None) -> Reason:
    return because(code if opens is not None else ReasonCode.NO_HOURS_KNOWN, opens=opens)


def _after_hours(rules: SchoolRules, visible_at: datetime, hours: int) -> datetime | None:
    left = hours * 3600.0
    since = visible_at.timestamp()
    first = rules.clock.day_of(visible_at.timestamp())
    day: int | None = first if rules.staff.on(first) else rules.staff.next_day(first)
    while day is not None:
        for start, end in rules.days.on(day):
            begin = max(start, since)
            if begin >= end:
                continue
            if left <= end - begin:
                return datetime.fromtimestamp(begin, UTC) + timedelta(seconds=left)
            left -= end - begin
        day = rules.staff.next_day(day)
    return None


def _after_days(rules: SchoolRules, visible_at: datetime, days: int) -> datetime | None:
    day: int | None = rules.clock.day_of(visible_at.timestamp())
    for _ in range(days):
        if day is None:
            return None
        day = rules.staff.next_day(day)
    return None if day is None else datetime.fromtimestamp(rules.staff.on(day)[-1][1], UTC)


def _at_end_of_day(rules: SchoolRules, visible_at: datetime) -> datetime | None:
    first = rules.clock.day_of(visible_at.timestamp())
    day: int | None = first if rules.staff.on(first) else rules.staff.next_day(first)
    while day is not None:
        before = rules.before_end_of_day.on(day)
        if before and before[-1][1] > visible_at.timestamp():
            return datetime.fromtimestamp(before[-1][1], UTC)
        day = rules.staff.next_day(day)
    return None
