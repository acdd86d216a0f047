"""The HTTP face of promised answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from bookbag.chassis import pages
from bookbag.chassis.http import Body, Shown
from bookbag.chassis.pages import Cursor, Limit
from bookbag.directory.http import CallHere
from services.messaging.answers import actions
from services.messaging.answers.model import Overdue, Owed
from services.messaging.model import HIGHEST_SEQ, ThreadId
from services.messaging.places import micros, moment_and_id
from services.messaging.shown import ClassShown, PupilShown, SeatShown

promised = APIRouter()


class OwedShown(Shown):
    """What a family waits for: up to which message nobody has answered, since when, and by when they were told to expect it."""

    seq: int
    since: datetime
    answer_by: datetime
    messages: int


class OverdueShown(Shown):
    """A family that waits longer than it was promised."""

    thread: UUID
    pupil: PupilShown
    school_class: ClassShown | None = Field(serialization_alias="class")
    seat: SeatShown
    since: datetime
    answer_by: datetime
    messages: int


class OverduePage(Shown):
    """Some of them and the place after them."""

    items: list[OverdueShown]
    next: str | None


class SettledUpTo(Body):
    """Nobody waits for an answer to any message up to this number."""

    seq: Annotated[int, Field(ge=1, le=HIGHEST_SEQ, strict=True)]


@promised.get("/overdue")
async def list_overdue(call: CallHere, limit: Limit = 30, cursor: Cursor = None) -> OverduePage:
    """MSG-16. For leaders: families who were promised an answer by an instant that has passed, the longest first, over the whole
    school. It shows whom and since when, never what was written."""
    found = await actions.list_overdue(call, after=_place(cursor), limit=limit)
    shown = pages.page(found, limit, _shown, lambda one: (micros(one.owed.answer_by), str(one.thread)))
    return OverduePage(items=list(shown.items), next=shown.next)


@promised.put("/threads/{thread}/settled", status_code=204)
async def settle_thread(thread: UUID, settled: SettledUpTo, call: CallHere) -> None:
    """MSG-16. The staff of a thread say that nobody waits for an answer up to a message: it needed none, or had one in another way."""
    await actions.settle(call, ThreadId(thread), settled.seq)


def owed_shown(owed: Owed) -> OwedShown:
    """For the one thread that is open."""
    return OwedShown(seq=owed.seq, since=owed.since, answer_by=owed.answer_by, messages=owed.messages)


def _shown(one: Overdue) -> OverdueShown:
    return OverdueShown(
        thread=one.thread,
        pupil=PupilShown.model_validate(one.pupil),
        school_class=one.school_class and ClassShown.model_validate(one.school_class),
        seat=SeatShown.model_validate(one.seat),
        since=one.owed.since,
        answer_by=one.owed.answer_by,
        messages=one.owed.messages,
    )


def _place(cursor: str | None) -> tuple[datetime, ThreadId] | None:
    place = moment_and_id(cursor)
    return (place[0], ThreadId(place[1])) if place is not None else None
