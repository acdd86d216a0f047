"""A policy made ready for questions: each purpose's hours laid out once, for each role and for narrowed personal hours (POL-3)."""

from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs

from bookbag.school.policy.checks.hours import hours_beyond, hours_in_order
from bookbag.school.policy.document import Policy
from bookbag.school.policy.document.fields import Hours, NamedHours, Week
from bookbag.school.policy.document.messages import FamilyWindow, Outside, StaffWindow
from bookbag.school.policy.document.people import InLessons, Places
from bookbag.school.policy.faults import PolicyRefused, at
from bookbag.school.policy.schema import schema
from bookbag.school.policy.values import build
from bookbag.school.policy.weeks import lesson_timetable, timetable
from bookbag.school.policy.wording import schema_faults
from bookbag.school.roles import STAFF, Role
from bookbag.school.time.calendar import Closed, SchoolCalendar
from bookbag.school.time.openings import Openings
from bookbag.school.time.wall import WallClock
from bookbag.school.time.week import ALWAYS, NEVER, DayKind, Timetable

Address = IPv4Address | IPv6Address


class WiderThanTheSchool(PolicyRefused):
    """Personal hours may narrow the school's, never widen them (POL-3)."""


@dataclass(frozen=True, slots=True)
class Person:
    """One role of one person under one version of the rules; made by `SchoolRules.person`, kept by the caller.

    Hours that do not apply to the role (a guardian's duty) open never; those that nothing limits, always.
    """

    rules: "SchoolRules"
    role: Role
    is_staff: bool
    duty: Openings
    entry: Openings
    entry_exempt: bool
    only_from_networks: bool
    rings: Openings
    rings_hours: Openings
    rings_exempt: bool
    sends: Openings
    sends_hours: Openings
    sends_exempt: bool
    outside: Outside
    in_lessons: Outside


class SchoolRules:
    """Everything one version of a school's policy decides. Immutable to its callers; safe to share within a process."""

    __slots__ = (
        "_networks",
        "_people",
        "answers",
        "before_end_of_day",
        "calendar",
        "clock",
        "days",
        "families",
        "lessons",
        "policy",
        "staff",
    )

    def __init__(self, policy: Policy) -> None:
        """Lay out calendar and hours. `policy` has passed the checks."""
        self.policy = policy
        self.clock = WallClock(ZoneInfo(policy.calendar.zone))
        self.calendar = SchoolCalendar(
            ((term.first, term.last) for term in policy.calendar.terms),
            ((holiday.first, holiday.last) for holiday in policy.calendar.holidays),
            (Closed(day.date, day.staff_work) for day in policy.calendar.closed_days),
        )
        staff = timetable(policy.staff.hours)
        self.staff = self.openings(staff)
        self.lessons = self.openings(lesson_timetable(policy.lessons.hours, staff))
        self.answers = self.openings(self.table(policy.answers.slots))
        self.families = self.openings(self.table(policy.messages.families.hours))
        self.days = self.openings(ALWAYS)
        end_of_day = policy.answers.promise.time or 0
        self.before_end_of_day = self.openings(Timetable.of([[(0, end_of_day)]] * 7, DayKind))
        self._networks = [_bounds(one.name, one.range) for one in policy.staff.access.networks]
        self._people: dict[Role, Person] = {}

    def person(self, role: Role, own_hours: Week | None = None) -> Person:
        """The person to ask about; without own hours the same value each time."""
        if own_hours is not None:
            return self._make(role, timetable(own_hours))
        known = self._people.get(role)
        if known is None:
            known = self._people[role] = self._make(role, ALWAYS)
        return known

    @property
    def zone(self) -> ZoneInfo:
        """The school's zone."""
        return self.clock.zone

    def openings(self, table: Timetable) -> Openings:
        """A timetable on this school's calendar and zone."""
        return Openings(table, self.calendar, self.clock)

    def table(self, hours: Hours) -> Timetable:
        """The document's hours as a timetable."""
        return timetable(hours, timetable(self.policy.staff.hours))

    def network_of(self, address: Address) -> str | None:
        """The name of the school's network that the address belongs to, or None."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        value, version = int(address), address.version
        for name, family, low, high in self._networks:
            if family == version and low <= value <= high:
                return name
        return None

    def _make(self, role: Role, own: Timetable) -> Person:
        policy, is_staff = self.policy, role in STAFF
        access, bells = policy.staff.access, policy.staff.notifications
        window: FamilyWindow | StaffWindow = policy.messages.staff if is_staff else policy.messages.families
        teaches = role in policy.lessons.roles
        sends = self.table(window.hours)
        pausing = window.in_lessons is not Outside.SEND and (teaches or not is_staff)
        rings = self.table(bells.hours).meet(own) if is_staff else ALWAYS
        quiet = self.lessons.timetable if is_staff and teaches and bells.in_lessons is InLessons.SILENT else NEVER
        entry_exempt = not is_staff or role in access.exempt_from_hours
        return Person(
            rules=self,
            role=role,
            is_staff=is_staff,
            duty=self.openings(self.staff.timetable.meet(own) if is_staff else NEVER),
            entry=self.openings(ALWAYS if entry_exempt else self.table(access.hours)),
            entry_exempt=is_staff and entry_exempt and access.hours is not NamedHours.ALWAYS,
            only_from_networks=is_staff and access.places is Places.NETWORKS and role not in access.exempt_from_places,
            rings=self.openings(rings.minus(quiet)),
            rings_hours=self.openings(rings),
            rings_exempt=is_staff and role in bells.exempt,
            sends=self.openings(sends.minus(self.lessons.timetable if pausing else NEVER)),
            sends_hours=self.openings(sends),
            sends_exempt=isinstance(window, StaffWindow) and role in window.exempt,
            outside=window.outside,
            in_lessons=window.in_lessons,
        )


def own_hours(rules: SchoolRules, data: object) -> Week:
    """A staff member's own hours from plain data, in the form the document has for a week.

    Raises PolicyRefused for mistakes of form and WiderThanTheSchool, with every span that reaches beyond the school's.
    """
    form, validator = _week()
    faults = list(schema_faults(form, list(validator.iter_errors(data)), {}))
    faults += [at({}, path, problem, right) for path, problem, right in hours_in_order(data)]
    if faults:
        raise PolicyRefused(faults)
    week: Week = build(Week, data)
    if not rules.policy.staff.may_narrow:
        raise WiderThanTheSchool([at({}, (), "this school keeps one set of hours for everybody", "Ask a leader.")])
    wider = [
        at({}, path, f"{words} is outside the school's hours", "Your own hours can only be narrower.")
        for path, words in hours_beyond(week, rules.staff.timetable)
    ]
    if wider:
        raise WiderThanTheSchool(wider)
    return week


@cache
def _week() -> tuple[dict[str, Any], jsonschema_rs.Validator]:
    week: dict[str, Any] = {"$ref": "#/$defs/Week", "$defs": schema()["$defs"]}
    return week, jsonschema_rs.validator_for(week, validate_formats=True)


def _bounds(name: str, text: str) -> tuple[str, int, int, int]:
    network = ip_network(text)
    return name, network.version, int(network.network_address), int(network.broadcast_address)
