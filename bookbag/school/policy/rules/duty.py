"""Who is on duty (POL-3), and whether a phone may ring now (POL-5, NTF-2)."""

from dataclasses import dataclass
from datetime import datetime

from bookbag.school.policy.rules.compiled import Person
from bookbag.school.policy.rules.reasons import Reason, ReasonCode, because


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether a person is at work; `until` is set when on, `opens` when off and a next time is known."""

    on: bool
    until: datetime | None
    opens: datetime | None
    reasons: tuple[Reason, ...]


def on_duty(person: Person, at: datetime) -> Duty:
    """Whether the person works at this instant: the school's hours, narrowed by their own, in the school's zone."""
    if not person.is_staff:
        return Duty(False, None, None, (because(ReasonCode.NOT_STAFF),))
    if person.duty.is_open(at):
        until = person.duty.closes_at(at)
        return Duty(True, until, None, (because(ReasonCode.ON_DUTY, until=until),))
    opens = person.duty.opens_at(at)
    code = ReasonCode.NO_HOURS_KNOWN if opens is None else ReasonCode.OFF_DUTY
    return Duty(False, None, opens, (because(code, opens=opens),))


@dataclass(frozen=True, slots=True)
class Ring:
    """Whether a notification may be handed over now, else from when; `opens` None and not `now`: no time is known."""

    now: bool
    opens: datetime | None
    reasons: tuple[Reason, ...]


def may_ring(person: Person, at: datetime, *, urgent: bool = False, about_safety: bool = False) -> Ring:
    """Whether this person's phone may ring now.

    `urgent` is a notice that a leader marked so; `about_safety` a message about a child's safety, which rings at once for
    the roles the policy names. Guardians' own quiet hours are theirs, not the school's: notify keeps them.
    """
    safety = about_safety and person.role in person.rules.policy.safety.alerts
    if safety or urgent:
        return Ring(True, None, (because(ReasonCode.ABOUT_SAFETY if safety else ReasonCode.RINGS_URGENT),))
    if person.rings_exempt:
        return Ring(True, None, (because(ReasonCode.RINGS_EXEMPT, role=person.role),))
    if person.rings.is_open(at):
        return Ring(True, None, (because(ReasonCode.RINGS_NOW),))
    opens = person.rings.opens_at(at)
    if opens is None:
        return Ring(False, None, (because(ReasonCode.NO_HOURS_KNOWN),))
    silent = because(ReasonCode.SILENT_UNTIL, opens=opens)
    if person.rings_hours.is_open(at):
        return Ring(False, opens, (silent, because(ReasonCode.LESSON_TIME, until=person.rules.lessons.closes_at(at))))
    return Ring(False, opens, (silent,))
