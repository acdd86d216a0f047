"""The kinds of value a policy document is made of, and the notes on its fields from which schema, docs and checks are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from bookbag.school.roles import STAFF, Role


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds: of a number itself, of a text's length, of how many items a list or mapping has."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Like:
    """A text has this form (an ECMA regular expression), which `example` shows to somebody who got it wrong."""

    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class Among:
    """Only these of the choices are possible here."""

    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day written "HH:MM" in the document, minutes since midnight inside."""


@dataclass(frozen=True, slots=True)
class Network:
    """An address range in CIDR form."""


CLOCK = Like("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", '"16:30"')
LANGUAGE_TAG = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")

ShortText = Annotated[str, Between(1, 200)]
PhoneNumber = Annotated[str, Like(r"^\+?[0-9][0-9 ()-]{2,24}$", '"01632 960 101"')]
InboxAddress = Annotated[str, Like(r"^[^@\s]{1,64}@[^@\s]{1,255}$", '"office@school.example"')]
Minute = Annotated[int, Clock()]
Words = Annotated[Mapping[str, Annotated[str, Between(1, 1_000)]], Between(1, 60)]
"""The school's own words by language tag. The school's default language is always among them."""
LongWords = Annotated[Mapping[str, Annotated[str, Between(1, 20_000)]], Between(1, 60)]
StaffRole = Annotated[Role, Among(STAFF)]
Roles = Annotated[tuple[StaffRole, ...], Between(0, 6)]
"""Roles of staff."""
CidrRange = Annotated[str, Network()]


class Days(StrEnum):
    """On which dates a week of hours counts: in term and not closed, or on every date of the year."""

    SCHOOL_DAYS = "school_days"
    EVERY_DAY = "every_day"


class NamedHours(StrEnum):
    """Hours without a week of their own."""

    ALWAYS = "always"
    NEVER = "never"
    STAFF = "staff"
    """The same as `staff.hours`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From one time to a later one on the same day; the end itself is outside."""

    from_: Annotated[Minute, "when it begins"]
    to: Annotated[Minute, "when it ends; 24:00 is the end of the day"]


DaySpans = Annotated[tuple[Span, ...], Between(0, 6)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Hours by weekday, in the school's own zone. A weekday that is left out has none."""

    days: Annotated[Days, "on which dates these hours count"] = Days.SCHOOL_DAYS
    monday: Annotated[DaySpans, "hours of a Monday"] = ()
    tuesday: Annotated[DaySpans, "hours of a Tuesday"] = ()
    wednesday: Annotated[DaySpans, "hours of a Wednesday"] = ()
    thursday: Annotated[DaySpans, "hours of a Thursday"] = ()
    friday: Annotated[DaySpans, "hours of a Friday"] = ()
    saturday: Annotated[DaySpans, "hours of a Saturday"] = ()
    sunday: Annotated[DaySpans, "hours of a Sunday"] = ()


Hours = NamedHours | Week


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A named range of dates, both ends included."""

    name: Annotated[ShortText, "what people call it"]
    first: Annotated[date, "its first day"]
    last: Annotated[date, "its last day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """One day on which pupils stay at home."""

    date: Annotated[date, "which day"]
    name: Annotated[ShortText, "why"]
    staff_work: Annotated[bool, "whether staff are at work that day (training): their hours count, lessons do not"] = (
        False
    )
