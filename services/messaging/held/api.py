"""The HTTP face of messages that wait, and of what the composer says before one writes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from bookbag.chassis import pages
from bookbag.chassis.http import Shown
from bookbag.chassis.pages import Cursor, Limit
from bookbag.directory.http import CallHere
from bookbag.school.policy.rules.reasons import Reason
from services.messaging.held import actions
from services.messaging.held.model import Composing
from services.messaging.model import HIGHEST_SEQ, MessageId, ThreadId

waiting = APIRouter()


class ReasonShown(Shown):
    """Why, as a code; `at` is the instant it speaks of, if it speaks of one."""

    code: str
    at: datetime | None


class SafetyShown(Shown):
    """The school's emergency words, in the reader's language where it has them, and whom to call."""

    words: str
    number: str


class UrgentShown(Shown):
    """What the school offers for what cannot wait, in the reader's language where it has words in it; `number` may be empty."""

    words: str
    number: str


class ComposingShown(Shown):
    """What would become of a message written now."""

    state: Literal["now", "held", "refused"]
    visible_at: datetime | None
    opens: datetime | None
    answer_by: datetime | None
    reasons: list[ReasonShown]
    safety: SafetyShown
    urgent: UrgentShown | None


class HeldShown(Shown):
    """A message of one's own that waits for its hour, or was stopped."""

    id: UUID
    thread: UUID
    text: str
    language: str
    accepted_at: datetime
    state: Literal["held", "stopped"]
    visible_at: datetime | None
    answer_by: datetime | None
    reasons: list[str]


class HeldPage(Shown):
    """Some of them and the place after them."""

    items: list[HeldShown]
    next: str | None


@waiting.get("/held")
async def list_held(
    call: CallHere,
    thread: Annotated[UUID | None, Query(description="Only those of this thread.")] = None,
    state: Annotated[Literal["held", "stopped"] | None, Query(description="Only those in this state.")] = None,
    limit: Limit = 30,
    cursor: Cursor = None,
) -> HeldPage:
    """MSG-5. One's own messages that wait for their hour, newest first, and for thirty days those that were stopped because one may
    not write there any more."""
    place = pages.decode(cursor, int)
    before = min(max(int(place[0]), 0), HIGHEST_SEQ) if place is not None else None
    found = await actions.list_held(
        call, thread=ThreadId(thread) if thread is not None else None, state=state, before=before, limit=limit
    )
    return HeldPage.model_validate(pages.page(found, limit, lambda one: one, lambda one: (one.place,)))


@waiting.delete("/held/{message}", status_code=204)
async def withdraw_held(message: UUID, call: CallHere) -> None:
    """MSG-5. Takes back one's own message before its hour; 409 once it is sent. One that was stopped is put away."""
    await actions.withdraw_held(call, MessageId(message))


def composing_shown(composing: Composing) -> ComposingShown:
    """For the one thread that is open."""
    sending = composing.sending
    return ComposingShown(
        state=sending.outcome.value,
        visible_at=sending.visible_at,
        opens=sending.opens,
        answer_by=sending.answer_by,
        reasons=[ReasonShown(code=str(reason.code), at=_instant(reason)) for reason in sending.reasons],
        safety=SafetyShown(words=composing.safety.words, number=composing.safety.number),
        urgent=composing.urgent and UrgentShown(words=composing.urgent.words, number=composing.urgent.number),
    )


def _instant(reason: Reason) -> datetime | None:
    return next((value for value in reason.parameters.values() if isinstance(value, datetime)), None)
