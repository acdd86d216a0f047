"""The conversation with the services that own texts: how their answers become values of our model, and ours theirs."""

from uuid import UUID

from bookbag.chassis.runtime import Runtime
from bookbag.content.v1 import service_pb2 as pb
from bookbag.directory import owners
from bookbag.school.content import ContentRef
from services.translate.model import Original, TranslationRequest


def message(school_id: str, message_id: str) -> ContentRef:
    """The reference of a message that an event names."""
    return ContentRef(UUID(school_id), "message", UUID(message_id))


async def fetch(runtime: Runtime, ref: ContentRef) -> Original | None:
    """The text as it is now; None when it is gone. Raises DependencyAway."""
    answer = await owners.fetch(runtime.peers, ref)
    return answer and Original(answer.text, answer.version, answer.language, tuple(answer.names))


async def languages_of_readers(runtime: Runtime, ref: ContentRef) -> frozenset[str]:
    """The languages of everybody who may read it now, the author's included. Raises DependencyAway."""
    return frozenset(reader.language for reader in await owners.readers(runtime.peers, ref))


async def keep_translation(
    runtime: Runtime, request: TranslationRequest, *, version: int, text: str, source: str, engine: str
) -> bool:
    """Hand a translation to the owner; False when it is no longer wanted there. Safe to repeat. Raises DependencyAway."""
    kept = pb.StoreTranslationRequest(
        content=owners.named(request.ref),
        version=version,
        language=request.target,
        state=pb.TRANSLATION_STATE_STORED,
        text=text,
        source_language=source,
        engine=engine,
    )
    return await owners.store_translation(runtime.peers, request.ref, kept)


async def keep_that_there_is_none(runtime: Runtime, request: TranslationRequest, *, version: int) -> bool:
    """Tell the owner that its readers must make do with the original; a translation may still follow. Safe to repeat."""
    kept = pb.StoreTranslationRequest(
        content=owners.named(request.ref),
        version=version,
        language=request.target,
        state=pb.TRANSLATION_STATE_UNAVAILABLE,
        source_language=request.source,
    )
    return await owners.store_translation(runtime.peers, request.ref, kept)
