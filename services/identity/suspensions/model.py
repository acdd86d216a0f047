"""What a suspension is and how long it may last; no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.identity.roster.model import InvalidRosterValue

LONGEST = timedelta(days=2 * 366)
"""An end further away than this is a mistake of the hand; a suspension without an end has none at all."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """One guardian, suspended from `began_at`; it ends by itself at `ends_at`, or when a leader ends it.

    `author` is None for an operator, `ended_by` for one that ended by itself.
    """

    id: UUID
    person: UUID
    name: str
    reason: str
    author: UUID | None
    author_name: str | None
    began_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by: UUID | None


@dataclass(frozen=True, slots=True)
class Guardian:
    """A guardian as leaders choose among them, with the first names of their children."""

    person: UUID
    name: str
    children: tuple[str, ...]
    suspended: bool


def checked_end(until: datetime | None, now: datetime) -> datetime | None:
    """Raises InvalidRosterValue for an end that is over already or that nobody will see."""
    if until is None or now < until <= now + LONGEST:
        return until
    raise InvalidRosterValue("until: a time from now on, at most two years away; leave it out for one without an end")
