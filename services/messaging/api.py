"""The HTTP face of messaging: parse, one action, present."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field

from bookbag.chassis import pages
from bookbag.chassis.http import Body, Shown, Text, answered, documented, read_body
from bookbag.chassis.pages import Cursor, Limit
from bookbag.chassis.problems import INVALID_INPUT, Problem
from bookbag.directory.http import KEY_PARAMETER, SIGNED_IN, CallHere, KeyedCallHere, keyed_call
from bookbag.directory.record.api import router as record
from services.messaging import actions, model
from services.messaging.answers.api import OwedShown, owed_shown, promised
from services.messaging.held.api import ComposingShown, composing_shown, waiting
from services.messaging.model import HIGHEST_SEQ, TEXT_LIMIT, PersonId, SeatId, ThreadId
from services.messaging.places import ids, micros, moment_and_id
from services.messaging.safety.api import raised
from services.messaging.shown import AuthorShown, ClassShown, PupilShown, SeatShown

router = APIRouter(prefix="/v1")

others = APIRouter(dependencies=[SIGNED_IN])
"""All routes but the one that carries the load, which is tried first and reads token, key and body by itself."""

LanguageTag = Annotated[str, Field(max_length=35), AfterValidator(model.checked_language)]
SeqNumber = Annotated[int, Field(ge=0, le=HIGHEST_SEQ, strict=True)]


class RelativeShown(Shown):
    """An adult of the family; staff alone see them."""

    name: str
    relationship: str
    language: str


class ContactShown(Shown):
    """Somebody one may write to."""

    pupil: PupilShown
    school_class: ClassShown | None = Field(serialization_alias="class")
    seat: SeatShown
    family: list[RelativeShown]
    thread: UUID | None


class ContactPage(Shown):
    """Some contacts and the place after them."""

    items: list[ContactShown]
    next: str | None


class LastShown(Shown):
    """The newest message of a thread."""

    seq: int
    author_name: str
    mine: bool
    text: str
    sent_at: datetime


class ReadByShown(Shown):
    """How far somebody of the other side has read."""

    person: UUID
    name: str
    seq: int
    at: datetime


class ThreadShown(Shown):
    """A thread as the reader sees it."""

    id: UUID
    pupil: PupilShown
    school_class: ClassShown | None = Field(serialization_alias="class")
    seat: SeatShown
    family_names: list[str]
    last: LastShown | None
    unread: int
    head_seq: int
    my_read_seq: int
    others_read: list[ReadByShown]


class OpenedThreadShown(ThreadShown):
    """One thread, with what would become of a message written now, null for who may not write in it; and, for its staff, what the
    family waits for."""

    composing: ComposingShown | None
    owed: OwedShown | None


class ThreadPage(Shown):
    """Some threads and the place after them."""

    items: list[ThreadShown]
    next: str | None


class TranslationShown(Shown):
    """What there is of a message in the reader's language."""

    state: Literal["stored", "on-its-way", "unavailable"]
    language: str
    text: str | None
    source_language: str | None


class MessageShown(Shown):
    """A message as the reader sees it; `text` is what was written."""

    id: UUID
    seq: int
    author: AuthorShown
    mine: bool
    text: str
    language: str
    sent_at: datetime
    version: int
    translation: TranslationShown | None
    answer_by: datetime | None
    about_safety: bool


class AcceptedShown(MessageShown):
    """A message as it was taken. While it is held it has no number yet (0) and `visible_at` is when the other side will see it, if
    the calendar knows; `answer_by` is by when an answer is promised; `reasons` are codes."""

    state: Literal["sent", "held", "withdrawn", "stopped"]
    visible_at: datetime | None
    reasons: list[str]


class MessagePage(Shown):
    """Some messages and the place after them."""

    items: list[MessageShown]
    next: str | None


class UnreadShown(Shown):
    """What waits to be read."""

    threads: int
    messages: int


class NewThread(Body):
    """Which child, which seat."""

    pupil: UUID
    seat: UUID


class NewMessage(Body):
    """What is written; without a language it is in the sender's own."""

    text: Annotated[Text, Field(min_length=1, max_length=TEXT_LIMIT), AfterValidator(model.checked_text)]
    language: LanguageTag | None = None
    about_safety: bool = Field(default=False, strict=True)


class ReadUpTo(Body):
    """Every message up to this number is read."""

    seq: SeqNumber


@router.post(
    "/threads/{thread}/messages",
    status_code=201,
    response_model=AcceptedShown,
    openapi_extra=documented(NewMessage, KEY_PARAMETER),
)
async def post_message(thread: UUID, request: Request) -> Response:
    """MSG-1, MSG-5, MSG-15, MSG-18. Text of 1 to 4,000 characters. `state` says whether it is sent or held. A repeat under the same
    key gives the same answer, or what became of the message meanwhile; 409 for another request under it; 404 when the thread is not
    yours; 403 `quiet-hours` with `opens` when the school takes no messages now. `about_safety`: it is about a child's safety, is
    never held and reaches those whom the school alerts at once."""
    call, new = await keyed_call(request), await read_body(request, NewMessage)
    taken = await actions.send_message(call, ThreadId(thread), new.text, new.language, about_safety=new.about_safety)
    return answered(_accepted_shown(taken), 201)


@others.get("/contacts")
async def list_contacts(
    call: CallHere,
    limit: Limit = 30,
    cursor: Cursor = None,
    q: Annotated[Text, Query(max_length=100, description="Part of a name.")] = "",
) -> ContactPage:
    """MSG-1. Whom one may write to: staff the families of the pupils of their seats, guardians the seats of their children's
    classes."""
    found = await actions.list_contacts(call, after=_contact_place(cursor), name=q.strip(), limit=limit)
    return ContactPage.model_validate(
        pages.page(found, limit, lambda one: one, lambda one: (str(one.pupil.id), str(one.seat.id)))
    )


@others.post("/threads", status_code=201, responses={200: {"model": ThreadShown, "description": "It was there."}})
async def open_thread(new: NewThread, call: KeyedCallHere, response: Response) -> ThreadShown:
    """MSG-14. The one thread of a child and a seat; opened when there is none (201), otherwise as it is (200)."""
    thread, fresh = await actions.open_thread(call, PersonId(new.pupil), SeatId(new.seat))
    response.status_code = 201 if fresh else 200
    return ThreadShown.model_validate(thread)


@others.get("/threads")
async def list_threads(call: CallHere, limit: Limit = 30, cursor: Cursor = None) -> ThreadPage:
    """MSG-1. One's threads, newest first."""
    found = await actions.list_threads(call, before=_thread_place(cursor), limit=limit)
    return ThreadPage.model_validate(
        pages.page(found, limit, lambda one: one, lambda one: (micros(one.head_at), str(one.id)))
    )


@others.get("/threads/{thread}")
async def get_thread(thread: UUID, call: CallHere) -> OpenedThreadShown:
    """MSG-1, MSG-5, MSG-16. One thread, what would become of a message written in it now, and for staff what the family waits for;
    404 when it is not there or not yours."""
    found, composing, owed = await actions.get_thread(call, ThreadId(thread))
    shown = ThreadShown.model_validate(found)
    return OpenedThreadShown.model_construct(
        **dict(shown), composing=composing and composing_shown(composing), owed=owed and owed_shown(owed)
    )


@others.get("/threads/{thread}/messages")
async def list_messages(
    thread: UUID,
    call: CallHere,
    limit: Limit = 30,
    cursor: Cursor = None,
    after: Annotated[int | None, Query(ge=0, le=HIGHEST_SEQ, description="Only later ones, oldest first.")] = None,
) -> MessagePage:
    """MSG-7. Messages newest first, or oldest first after a number. `next` goes on in the same direction."""
    place = pages.decode(cursor, str, int) if cursor is not None else None
    if place is not None and after is not None:
        raise Problem(INVALID_INPUT, "send cursor or after, not both", extra={"field": "after"})
    towards, seq = place or (("after", after) if after is not None else ("before", HIGHEST_SEQ))
    if towards not in {"before", "after"} or not 0 <= int(seq) <= HIGHEST_SEQ:
        raise Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"})
    if towards == "after":
        found = await actions.list_messages_after(call, ThreadId(thread), after=int(seq), limit=limit)
    else:
        found = await actions.list_messages(call, ThreadId(thread), before=int(seq), limit=limit)
    shown = pages.page(found, limit, _message_shown, lambda one: (towards, one.seq))
    return MessagePage(items=list(shown.items), next=shown.next)


@others.put("/threads/{thread}/read", status_code=204)
async def read_thread(thread: UUID, read: ReadUpTo, call: CallHere) -> None:
    """MSG-2. Moves one's receipt forward, never back."""
    await actions.read_thread(call, ThreadId(thread), read.seq)


@others.get("/unread")
async def count_unread(call: CallHere) -> UnreadShown:
    """MSG-2. How much waits to be read."""
    threads, messages = await actions.count_unread(call)
    return UnreadShown(threads=threads, messages=messages)


for more in (waiting, promised, raised):
    others.include_router(more)
router.include_router(others)
router.include_router(record)


def _message_shown(message: model.Message) -> MessageShown:
    """Built without validating anew: every part comes from our own model."""
    author, translation = message.author, message.translation
    return MessageShown.model_construct(
        id=message.id,
        seq=message.seq,
        author=AuthorShown.model_construct(id=author.id, name=author.name, side=message.side.value),
        mine=message.mine,
        text=message.text,
        language=message.language,
        sent_at=message.sent_at,
        version=message.version,
        translation=translation
        and TranslationShown.model_construct(
            state=translation.state.value,
            language=translation.language,
            text=translation.text,
            source_language=translation.source_language,
        ),
        answer_by=message.answer_by,
        about_safety=message.about_safety,
    )


def _accepted_shown(taken: model.Accepted) -> AcceptedShown:
    return AcceptedShown.model_construct(
        **dict(_message_shown(taken.message)),
        state=taken.state,
        visible_at=taken.visible_at,
        reasons=list(taken.reasons),
    )


def _contact_place(cursor: str | None) -> tuple[PersonId, SeatId] | None:
    place = pages.decode(cursor, str, str)
    if place is None:
        return None
    pupil, seat = ids(place)
    return PersonId(pupil), SeatId(seat)


def _thread_place(cursor: str | None) -> tuple[datetime, ThreadId] | None:
    place = moment_and_id(cursor)
    return (place[0], ThreadId(place[1])) if place is not None else None
