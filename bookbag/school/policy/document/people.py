"""The parts of the document about the school itself, its calendar, its staff's time and the lessons."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from bookbag.school.policy.document.fields import (
    Between,
    CidrRange,
    ClosedDay,
    Hours,
    InboxAddress,
    Like,
    NamedHours,
    Period,
    PhoneNumber,
    Roles,
    ShortText,
)
from bookbag.school.roles import Role

LEADING = (Role.LEADER, Role.SAFEGUARDING)
TEACHING = (Role.TEACHER, Role.ASSISTANT, Role.SPECIALIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """How families reach the office; what signposts lead to unless they name something else."""

    number: Annotated[PhoneNumber, "the office's phone number"]
    inbox: Annotated[InboxAddress | None, "the office's e-mail address, if families may write there"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """Who these rules belong to."""

    name: Annotated[ShortText, "the school's name"]
    languages: Annotated[
        tuple[Annotated[str, Like("^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", '"en"')], ...],
        "languages the school itself writes in, its default first (POL-1)",
        Between(1, 6),
    ]
    office: Annotated[Office, "how to reach the office"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When school is (POL-3)."""

    zone: Annotated[ShortText, "time zone by its IANA name, such as Europe/London"]
    terms: Annotated[tuple[Period, ...], "terms, in order, without overlap", Between(1, 30)]
    holidays: Annotated[tuple[Period, ...], "holidays inside a term, such as half-term", Between(0, 60)] = ()
    closed_days: Annotated[
        tuple[ClosedDay, ...], "single days inside a term on which pupils stay at home", Between(0, 120)
    ] = ()


class Places(StrEnum):
    """From where staff may use the service."""

    ANYWHERE = "anywhere"
    NETWORKS = "networks"


class Devices(StrEnum):
    """Whose devices staff use. Software cannot see this; it is said in the terms and where staff sign in."""

    ANY = "any"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolNetwork:
    """One of the school's networks, as the internet sees it."""

    name: Annotated[ShortText, "what people call it"]
    range: Annotated[CidrRange, "its addresses, such as 203.0.113.0/24"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """The way in for somebody who is outside hours or networks and must get in; always recorded and told to leaders."""

    roles: Annotated[Roles, "who may use it; nobody when empty"] = ()
    minutes: Annotated[int, "how long it opens", Between(5, 240)] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAccess:
    """When and from where staff may use the service (POL-4)."""

    hours: Annotated[Hours, "hours in which staff may come in"] = NamedHours.ALWAYS
    places: Annotated[Places, "from anywhere, or from the listed networks only"] = Places.ANYWHERE
    networks: Annotated[tuple[SchoolNetwork, ...], "the school's networks", Between(0, 50)] = ()
    devices: Annotated[Devices, "whose devices staff use; stated, not enforced"] = Devices.ANY
    exempt_from_hours: Annotated[Roles, "roles that may come in at any time"] = LEADING
    exempt_from_places: Annotated[Roles, "roles that may come in from anywhere"] = LEADING
    break_glass: Annotated[BreakGlass, "the way in for emergencies"] = BreakGlass()


class InLessons(StrEnum):
    """What a phone does while its owner teaches."""

    RING = "ring"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNotifications:
    """When phones of staff may ring (POL-5, NTF-2)."""

    hours: Annotated[Hours, "hours in which staff are notified"] = NamedHours.STAFF
    in_lessons: Annotated[InLessons, "whether lesson time silences those who teach"] = InLessons.SILENT
    exempt: Annotated[Roles, "roles that are notified at any time"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The staff's working day, and what hangs on it."""

    hours: Annotated[
        Hours, "the working day: who is on duty when, and which days are working days (POL-3); a week, or always"
    ]
    may_narrow: Annotated[bool, "whether staff may set narrower hours of their own; wider is never possible"] = True
    access: Annotated[StaffAccess, "when and from where staff may come in"] = StaffAccess()
    notifications: Annotated[StaffNotifications, "when phones of staff may ring"] = StaffNotifications()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Lesson time: school days only, training days have none."""

    hours: Annotated[Hours, "hours in which lessons are given"] = NamedHours.NEVER
    roles: Annotated[Roles, "roles that teach then; the office does not"] = TEACHING
