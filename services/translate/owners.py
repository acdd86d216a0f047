"""The conversation with the services that own texts, over the content contract they all answer: what is asked, and how
their answers become values of our model."""

from typing import Any
from uuid import UUID

import grpc
import grpc.aio

from bookbag.chassis.runtime import Runtime
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from services.translate.model import ContentRef, Original, TranslationRequest

OWNERS = {"message": "messaging"}
"""Which service owns which kind of content."""

_READERS_WITHIN = 10.0


async def fetch(runtime: Runtime, ref: ContentRef) -> Original | None:
    """The text as it is now; None when it is gone. Raises DependencyAway."""
    owner = OWNERS[ref.kind]
    stub: Any = runtime.peers.stub(owner, ContentOwnerServiceStub)
    try:
        answer: pb.FetchResponse = await runtime.peers.call(
            owner, stub.Fetch, pb.FetchRequest(content=_named(ref)), school=ref.school
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    if answer.withdrawn:
        return None
    return Original(answer.text, answer.version, answer.language, tuple(answer.names))


async def languages_of_readers(runtime: Runtime, ref: ContentRef) -> frozenset[str]:
    """The languages of everybody who may read it now, the author's included. Raises DependencyAway."""
    owner = OWNERS[ref.kind]
    stub: Any = runtime.peers.stub(owner, ContentOwnerServiceStub)
    languages: set[str] = set()
    request = pb.ListReadersRequest(content=_named(ref))
    answers = runtime.peers.stream(owner, stub.ListReaders, request, school=ref.school, deadline=_READERS_WITHIN)
    answer: pb.ListReadersResponse
    async for answer in answers:
        languages.update(reader.language for reader in answer.readers)
    return frozenset(languages)


async def keep_translation(
    runtime: Runtime, request: TranslationRequest, *, version: int, text: str, source: str, engine: str
) -> bool:
    """Hand a translation to the owner; False when it is no longer wanted there. Safe to repeat. Raises DependencyAway."""
    return await _keep(
        runtime,
        request.ref,
        pb.StoreTranslationRequest(
            content=_named(request.ref),
            version=version,
            language=request.target,
            state=pb.TRANSLATION_STATE_STORED,
            text=text,
            source_language=source,
            engine=engine,
        ),
    )


async def keep_that_there_is_none(runtime: Runtime, request: TranslationRequest, *, version: int) -> bool:
    """Tell the owner that its readers must make do with the original; a translation may still follow. Safe to repeat."""
    return await _keep(
        runtime,
        request.ref,
        pb.StoreTranslationRequest(
            content=_named(request.ref),
            version=version,
            language=request.target,
            state=pb.TRANSLATION_STATE_UNAVAILABLE,
            source_language=request.source,
        ),
    )


def message(school_id: str, message_id: str) -> ContentRef:
    """The reference of a message that an event names."""
    return ContentRef(UUID(school_id), "message", UUID(message_id))


async def _keep(runtime: Runtime, ref: ContentRef, request: pb.StoreTranslationRequest) -> bool:
    owner = OWNERS[ref.kind]
    stub: Any = runtime.peers.stub(owner, ContentOwnerServiceStub)
    try:
        answer: pb.StoreTranslationResponse = await runtime.peers.call(
            owner, stub.StoreTranslation, request, school=ref.school
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return answer.kept


def _named(ref: ContentRef) -> pb.ContentRef:
    return pb.ContentRef(school_id=str(ref.school), kind=ref.kind, content_id=str(ref.content))
