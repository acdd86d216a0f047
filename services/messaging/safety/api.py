"""The HTTP face of the list of messages about a child's safety."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from bookbag.chassis import pages
from bookbag.chassis.http import Shown
from bookbag.chassis.pages import Cursor, Limit
from bookbag.directory.http import CallHere
from services.messaging.model import MessageId
from services.messaging.places import micros, moment_and_id
from services.messaging.safety import actions
from services.messaging.safety.model import Raised
from services.messaging.shown import AuthorShown, ClassShown, PupilShown, SeatShown

raised = APIRouter()


class RaisedShown(Shown):
    """A message about a child's safety: the beginning of its words, in the reader's language when there is a translation."""

    id: UUID
    thread: UUID
    seq: int
    pupil: PupilShown
    school_class: ClassShown | None = Field(serialization_alias="class")
    seat: SeatShown
    author: AuthorShown
    text: str
    sent_at: datetime


class RaisedPage(Shown):
    """Some of them and the place after them."""

    items: list[RaisedShown]
    next: str | None


@raised.get("/safety")
async def list_raised(call: CallHere, limit: Limit = 30, cursor: Cursor = None) -> RaisedPage:
    """MSG-15. For staff: what was said to be about a child's safety and the school alerts the role in use to, newest first. Others on
    the staff find nothing here."""
    place = moment_and_id(cursor)
    before = (place[0], MessageId(place[1])) if place is not None else None
    found = await actions.list_raised(call, before=before, limit=limit)
    shown = pages.page(found, limit, _shown, lambda one: (micros(one.sent_at), str(one.id)))
    return RaisedPage(items=list(shown.items), next=shown.next)


def _shown(one: Raised) -> RaisedShown:
    return RaisedShown(
        id=one.id,
        thread=one.thread,
        seq=one.seq,
        pupil=PupilShown.model_validate(one.pupil),
        school_class=one.school_class and ClassShown.model_validate(one.school_class),
        seat=SeatShown.model_validate(one.seat),
        author=AuthorShown(id=one.author.id, name=one.author.name, side=one.side.value),
        text=one.text,
        sent_at=one.sent_at,
    )
