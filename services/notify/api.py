"""The doors of notify: the live stream, one's own notifications and wishes, the office's deliveries, and one-click unsubscribing."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import AwareDatetime

from bookbag.chassis import pages
from bookbag.chassis.http import Body, Here, Shown, runtime_of
from bookbag.chassis.pages import Cursor, Limit
from bookbag.chassis.problems import EDIT_CONFLICT, INVALID_INPUT, PRECONDITION_MISSING, Problem
from bookbag.directory.http import SIGNED_IN, CallHere
from services.notify import actions, live
from services.notify.mail.letter import unsubscribe_page
from services.notify.model import Kind, NoSuchLink, State, ThreadId

router = APIRouter(prefix="/v1")
signed_in = APIRouter(dependencies=[SIGNED_IN])

_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_PAGE_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
_LARGEST_NUMBER = 2**63 - 1


class NotificationShown(Shown):
    """Something its person is told: of a message in a thread, or (`glass`, for leaders) that somebody came in for a reason, who may stay
    `until` then."""

    id: UUID
    kind: Kind
    thread: UUID | None
    message: UUID | None
    author_name: str
    created_at: AwareDatetime
    seen_at: AwareDatetime | None
    until: AwareDatetime | None


class NotificationsPage(Shown):
    """A page of notifications, newest first."""

    items: list[NotificationShown]
    next: str | None


class SeenThread(Body):
    """The thread that was opened."""

    thread: UUID


class PreferencesShown(Shown):
    """What a person wants to be told by which channel."""

    email: bool
    version: int


class PreferencesChange(Body):
    """What to change."""

    email: bool


class DeliveryOut(Shown):
    """How one person was reached by one channel, or why not."""

    id: UUID
    person_name: str
    channel: Literal["email"]
    kind: Kind
    state: Literal["waiting", "sent", "cancelled", "failed", "dead"]
    reason: str | None
    attempts: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


class DeliveriesPage(Shown):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next: str | None


def _place(cursor: str | None) -> tuple[datetime, UUID] | None:
    place = pages.decode(cursor, str, str)
    if place is None:
        return None
    try:
        at, last = datetime.fromisoformat(str(place[0])), UUID(str(place[1]))
    except ValueError:
        raise Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"}) from None
    if at.tzinfo is None:
        raise Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"})
    return at, last


def _etag(version: int) -> str:
    return f'"{version}"'


def _version_of(if_match: str | None) -> int:
    if if_match is None:
        raise Problem(PRECONDITION_MISSING)
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Problem(EDIT_CONFLICT)
    return int(text)


@signed_in.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Frames, until the right to them ends."}},
)
async def stream_events(
    request: Request,
    call: CallHere,
    last_event_id: Annotated[
        int | None,
        Header(
            ge=0, le=_LARGEST_NUMBER, description="The `id` of the last frame received; the stream goes on after it."
        ),
    ] = None,
) -> StreamingResponse:
    """WEB-3, NTF-1. First `ready`, or `reset` when what was missed is not kept any more (24 h): then fetch anew. At most 10 streams
    per person (429)."""
    token = request.headers["authorization"].partition(" ")[2]
    expires = datetime.fromtimestamp(runtime_of(request).verifier.user(token).expires, UTC)
    stream = await live.open_stream(call, expires, last_event_id)
    return StreamingResponse(stream.frames(), media_type="text/event-stream", headers=_STREAM_HEADERS)


@signed_in.get("/notifications")
async def list_notifications(call: CallHere, limit: Limit = 30, cursor: Cursor = None) -> NotificationsPage:
    """NTF-1. The caller's own, in the role in use, newest first."""
    found = pages.page(
        await actions.list_items(call, _place(cursor), limit),
        limit,
        lambda item: NotificationShown(
            id=item.id, kind=item.kind, thread=item.thread, message=item.content, author_name=item.author_name,
            created_at=item.created_at, seen_at=item.seen_at, until=item.until,
        ),
        lambda item: (item.created_at.isoformat(), str(item.id)),
    )  # fmt: skip
    return NotificationsPage(items=list(found.items), next=found.next)


@signed_in.put("/notifications/seen", status_code=204)
async def see_thread(body: SeenThread, call: CallHere) -> None:
    """The caller has opened a thread: its notifications are seen and mails about it that wait are cancelled. Safe to repeat."""
    await actions.see_thread(call, ThreadId(body.thread))


@signed_in.get("/preferences")
async def read_preferences(call: CallHere, response: Response) -> PreferencesShown:
    """NTF-1. The caller's wishes, with their ETag."""
    email, version = await actions.read_preference(call)
    response.headers["etag"] = _etag(version)
    return PreferencesShown(email=email, version=version)


@signed_in.patch("/preferences")
async def change_preferences(
    body: PreferencesChange,
    call: CallHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=80)] = None,
) -> PreferencesShown:
    """NTF-1. 428 without If-Match, 412 when the wishes were changed since they were read."""
    email, version = await actions.change_preference(call, body.email, _version_of(if_match))
    response.headers["etag"] = _etag(version)
    return PreferencesShown(email=email, version=version)


@signed_in.get("/deliveries")
async def list_deliveries(call: CallHere, limit: Limit = 30, cursor: Cursor = None) -> DeliveriesPage:
    """NTF-4, NTF-7. Office and leaders: every delivery of the school, newest first; the dead ones say why."""
    found = pages.page(
        await actions.list_deliveries(call, _place(cursor), limit),
        limit,
        lambda one: DeliveryOut(
            id=one.id, person_name=one.person_name, channel="email", kind=one.kind, state=_shown_state(one.state),
            reason=one.reason, attempts=one.attempts, created_at=one.created_at, updated_at=one.updated_at,
        ),
        lambda one: (one.created_at.isoformat(), str(one.id)),
    )  # fmt: skip
    return DeliveriesPage(items=list(found.items), next=found.next)


def _shown_state(state: State) -> Literal["waiting", "sent", "cancelled", "failed", "dead"]:
    """A mail being handed over just now is still waiting to the office."""
    match state:
        case State.WAITING | State.SENDING:
            return "waiting"
        case State.SENT:
            return "sent"
        case State.CANCELLED:
            return "cancelled"
        case State.FAILED:
            return "failed"
        case State.DEAD:
            return "dead"


_GONE: dict[int | str, dict[str, Any]] = {
    404: {"description": "No mail of ours has this link, or it is too old.", "content": {"text/html": {}}}
}


@router.get("/unsubscribe/{token}", response_class=HTMLResponse, responses=_GONE)
async def show_unsubscribe(token: str, runtime: Here) -> HTMLResponse:
    """NTF-1. A page with one button; looking changes nothing, so that link checkers unsubscribe nobody."""
    try:
        language = await actions.look_at_link(runtime, token)
    except NoSuchLink:
        return HTMLResponse(unsubscribe_page("en", "unknown"), 404, headers=_PAGE_HEADERS)
    return HTMLResponse(unsubscribe_page(language, "question"), headers=_PAGE_HEADERS)


@router.post("/unsubscribe/{token}", response_class=HTMLResponse, responses=_GONE)
async def unsubscribe(token: str, runtime: Here) -> HTMLResponse:
    """NTF-1, RFC 8058. One click from the mail program or the page's button; no sign-in; safe to repeat."""
    try:
        language = await actions.unsubscribe(runtime, token)
    except NoSuchLink:
        return HTMLResponse(unsubscribe_page("en", "unknown"), 404, headers=_PAGE_HEADERS)
    return HTMLResponse(unsubscribe_page(language, "done"), headers=_PAGE_HEADERS)


router.include_router(signed_in)
