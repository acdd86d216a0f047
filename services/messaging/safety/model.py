"""What somebody whom the school alerts is shown of the messages about a child's safety; no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bookbag.school.roles import STAFF, Role
from services.messaging.model import MessageId, Named, NotForThisRole, Pupil, Seat, Side, ThreadId

ONE_READING: Final = timedelta(minutes=15)
"""How long a reading counts: looking again at what concerns the same child within it makes no second entry on the record."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A message about a child's safety, in the reader's language when there is a translation."""

    id: MessageId
    thread: ThreadId
    seq: int
    pupil: Pupil
    school_class: Named | None
    seat: Seat
    author: Named
    side: Side
    text: str
    sent_at: datetime


def sees_raised(role: Role) -> None:
    """Raise NotForThisRole for families and pupils. Staff whom the school does not alert find nothing in the list."""
    if role not in STAFF:
        raise NotForThisRole
