"""What a school consists of and which values it accepts; plain values and rules, no I/O."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bookbag.school import languages
from bookbag.school.policy.presets import PRESETS
from bookbag.school.roles import SEAT_ROLES, Role, SeatKind

SchoolId = NewType("SchoolId", UUID)
PersonId = NewType("PersonId", UUID)
ClassId = NewType("ClassId", UUID)
SeatId = NewType("SeatId", UUID)
LinkId = NewType("LinkId", UUID)

_CODE = re.compile(r"[A-Z][A-Z0-9]{3,7}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CLASS_SEATS = frozenset({SeatKind.CLASS_TEACHER, SeatKind.SPECIALIST})


class InvalidRosterValue(Exception):
    """A value that the roster does not accept; the text names it and says why."""


class NotOnRoster(Exception):
    """There is no such thing in this school, or not for this caller."""


class EditedMeanwhile(Exception):
    """The version that was read is no longer the newest."""


class RoleNotEntitled(Exception):
    """The role does not allow this, whatever the object."""


class Standing(StrEnum):
    """How a membership stands. Only an active one lets anybody in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the roster, for the record. `person` is None for an operator."""

    person: UUID | None
    role: str


OPERATOR = Author(None, "operator")


@dataclass(frozen=True, slots=True)
class School:
    id: SchoolId
    revision: int
    code: str
    name: str
    country: str
    zone: str
    language: str
    policy_preset: str


@dataclass(frozen=True, slots=True)
class Person:
    id: PersonId
    revision: int
    name: str
    first_name: str
    language: str
    version: int


@dataclass(frozen=True, slots=True)
class Membership:
    person: PersonId
    role: Role
    revision: int
    standing: Standing
    epoch: int


@dataclass(frozen=True, slots=True)
class SchoolClass:
    id: ClassId
    revision: int
    name: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    school_class: ClassId
    pupil: PersonId
    revision: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Seat:
    id: SeatId
    revision: int
    kind: SeatKind
    school_class: ClassId | None
    subject: str


@dataclass(frozen=True, slots=True)
class SeatHolder:
    seat: SeatId
    person: PersonId
    revision: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Link:
    """The link between a pupil and an adult of the family."""

    id: LinkId
    revision: int
    pupil: PersonId
    person: PersonId
    relationship: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person can be reached; `email` is None when none is on file."""

    person: PersonId
    email: str | None
    language: str


Thing = School | Person | Membership | SchoolClass | Enrolment | Seat | SeatHolder | Link
"""What the access feed tells facts about."""

MAY_END_GUARDIANSHIPS = frozenset({Role.OFFICE, Role.LEADER})
MAY_SUSPEND = frozenset({Role.LEADER})


def require_role(role: Role, allowed: frozenset[Role]) -> None:
    """Raise RoleNotEntitled unless the role is among those allowed."""
    if role not in allowed:
        raise RoleNotEntitled(f"this needs one of: {', '.join(sorted(allowed))}")


def checked_school(*, code: str, country: str, zone: str, language: str, policy_preset: str) -> None:
    """Raise InvalidRosterValue for a school that nobody could find, whose time nobody could tell, or without rules (POL-1)."""
    if not _CODE.fullmatch(code):
        raise InvalidRosterValue("code: 4 to 8 capital letters and digits, a letter first")
    if not _COUNTRY.fullmatch(country):
        raise InvalidRosterValue("country: two capital letters (ISO 3166)")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRosterValue("zone: a name of the time zone database, such as Europe/London") from None
    checked_language(language)
    if policy_preset not in PRESETS:
        raise InvalidRosterValue(f"policy preset: one of {', '.join(PRESETS)}")


def checked_language(tag: str) -> str:
    """The tag in its canonical case. Raises InvalidRosterValue for a language people cannot choose."""
    found = languages.find(tag)
    if found is None:
        raise InvalidRosterValue("language: one of the listed tags")
    return found.tag


def checked_email(email: str) -> str:
    """An address as it is kept for delivery. What really proves an address is that mail to it arrives."""
    email = email.strip()
    name, at, host = email.rpartition("@")
    if (
        not at
        or not name
        or "." not in host
        or len(email) > 254
        or any(c.isspace() or not c.isprintable() for c in email)
    ):
        raise InvalidRosterValue("email: an address such as name@example.org")
    return email


def checked_seat(kind: SeatKind, school_class: ClassId | None, subject: str) -> None:
    """A class teacher's and a specialist's seat belongs to a class, only a specialist's has a subject (MSG-14)."""
    if (kind in _CLASS_SEATS) != (school_class is not None):
        raise InvalidRosterValue("class: needed for seats of class teachers and specialists, and for no others")
    if (kind is SeatKind.SPECIALIST) != bool(subject):
        raise InvalidRosterValue("subject: needed for seats of specialists, and for no others")


def may_hold(kind: SeatKind, roles: frozenset[Role]) -> bool:
    """Whether somebody who has these roles may be given a seat of this kind."""
    return bool(SEAT_ROLES[kind] & roles)
