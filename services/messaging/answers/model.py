"""What a promised answer is worth: who waits, since when, and by when they were told to expect it; no I/O."""

from dataclasses import dataclass
from datetime import datetime

from bookbag.school.roles import Role
from services.messaging.model import Named, NotForThisRole, NotYours, Pupil, Right, Seat, Side, ThreadId


@dataclass(frozen=True, slots=True)
class Owed:
    """What the family of one thread waits for. `seq` is the newest message that nobody has answered; `since` and `answer_by` are of
    the one whose answer was promised first, as its author was told."""

    seq: int
    since: datetime
    answer_by: datetime
    messages: int
    """How many of theirs came since the staff last wrote."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A thread whose family was promised an answer by an instant that has passed. It carries none of its words."""

    thread: ThreadId
    pupil: Pupil
    school_class: Named | None
    seat: Seat
    owed: Owed


def sees_overdue(role: Role) -> None:
    """Raise NotForThisRole for everybody but leaders: it is for help where somebody waits, and no public list."""
    if role is not Role.LEADER:
        raise NotForThisRole


def settles(right: Right) -> None:
    """Whether a right in a thread lets its holder say that nobody waits there: those who would answer. Raises NotYours for who reads
    only what is about safety, NotForThisRole for the family."""
    if right.only_safety:
        raise NotYours
    if right.side is not Side.STAFF:
        raise NotForThisRole
