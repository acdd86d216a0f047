"""The gRPC face of messaging: the content contract for content of kind `message`."""

# ruff: noqa: N802, ARG002 - the protocol names the methods and gives each a context

from collections.abc import AsyncIterator
from itertools import islice
from uuid import UUID

from bookbag.chassis.problems import INVALID_INPUT, NOT_FOUND, Problem
from bookbag.chassis.rpc import one_school
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Callers, Rpc
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import (
    ContentOwnerServiceServicer,
    add_ContentOwnerServiceServicer_to_server,  # pyright: ignore[reportUnknownVariableType] - generated without types
)
from services.messaging.content import actions
from services.messaging.model import (
    TRANSLATION_LIMIT,
    MadeTranslation,
    MessageId,
    PersonId,
    UnknownLanguage,
    checked_language,
)

KIND = "message"
READERS_AT_ONCE = 500
CONTENTS_AT_ONCE = 200


class ContentOwner(ContentOwnerServiceServicer):
    """Answers notify and translate about messages, within the one school their token is for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def CanRead(self, request: pb.CanReadRequest, context: object) -> pb.CanReadResponse:
        school, message = _one_message(request.content)
        person = PersonId(_id(request.person_id))
        return pb.CanReadResponse(may_read=await actions.can_read(self._runtime, school, message, person))

    async def ListReaders(
        self, request: pb.ListReadersRequest, context: object
    ) -> AsyncIterator[pb.ListReadersResponse]:
        if not 0 < len(request.contents) <= CONTENTS_AT_ONCE:
            raise Problem(INVALID_INPUT, f"between 1 and {CONTENTS_AT_ONCE} contents")
        named = [_one_message(content) for content in request.contents]
        listed = await actions.list_readers(self._runtime, named[0][0], [message for _, message in named])
        found = (
            pb.Reader(person_id=str(one.person), language=one.language, role=one.role, content_id=str(message))
            for message, readers in listed.items()
            for one in readers
        )
        while page := list(islice(found, READERS_AT_ONCE)):
            yield pb.ListReadersResponse(readers=page)

    async def Fetch(self, request: pb.FetchRequest, context: object) -> pb.FetchResponse:
        school, message = _one_message(request.content)
        original = await actions.fetch(self._runtime, school, message)
        return pb.FetchResponse(
            text=original.text,
            version=original.version,
            language=original.language,
            author_id=str(original.author.id),
            author_name=original.author.name,
            container_id=str(original.thread),
            names=original.names,
            withdrawn=original.withdrawn,
        )

    async def StoreTranslation(
        self, request: pb.StoreTranslationRequest, context: object
    ) -> pb.StoreTranslationResponse:
        school, message = _one_message(request.content)
        made = MadeTranslation(
            message,
            request.version,
            _language(request.language),
            _text(request),
            request.source_language,
            request.engine,
        )
        return pb.StoreTranslationResponse(kept=await actions.store_translation(self._runtime, school, made))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(INVALID_INPUT, "not an id") from None


def _one_message(content: pb.ContentRef) -> tuple[UUID, MessageId]:
    """The school and message a reference names. The caller's token must be for that school."""
    school = one_school(content.school_id)
    if content.kind != KIND:
        raise Problem(NOT_FOUND)
    return school, MessageId(_id(content.content_id))


def _language(tag: str) -> str:
    try:
        return checked_language(tag)
    except UnknownLanguage as error:
        raise Problem(INVALID_INPUT, str(error)) from None


def _text(request: pb.StoreTranslationRequest) -> str | None:
    match request.state:
        case pb.TRANSLATION_STATE_STORED if 0 < len(request.text) <= TRANSLATION_LIMIT and "\x00" not in request.text:
            return request.text
        case pb.TRANSLATION_STATE_UNAVAILABLE:
            return None
        case _:
            raise Problem(INVALID_INPUT, "a stored translation has a text, an unavailable one says so")


_SIBLINGS = Callers(services=frozenset({"notify", "translate"}))

CONTENT_OWNER = Rpc(
    name="bookbag.content.v1.ContentOwnerService",
    add=add_ContentOwnerServiceServicer_to_server,  # pyright: ignore[reportUnknownArgumentType]
    servicer=ContentOwner,
    callers={
        "CanRead": _SIBLINGS,
        "ListReaders": _SIBLINGS,
        "Fetch": _SIBLINGS,
        "StoreTranslation": _SIBLINGS,
    },
)
