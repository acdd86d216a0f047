"""Asks the service that owns a content, over the contract all owners answer; who asks knows ids and never by which rules it is shown."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import grpc
import grpc.aio

from bookbag.chassis.peers import DEADLINE, Peers
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from bookbag.school.content import ContentRef, Reader

OWNERS = {"message": "messaging"}
"""Which service owns which kind of content."""

LISTING_SECONDS = 10.0
CONTENTS_AT_ONCE = 200


def named(ref: ContentRef) -> pb.ContentRef:
    """A reference as it travels."""
    return pb.ContentRef(school_id=str(ref.school), kind=ref.kind, content_id=str(ref.content))


async def readers(peers: Peers, ref: ContentRef) -> list[Reader]:
    """Everybody who may read a content now, its author included; nobody once it is gone. Raises DependencyAway."""
    return (await readers_of_all(peers, [ref]))[ref]


async def readers_of_all(peers: Peers, refs: Iterable[ContentRef]) -> dict[ContentRef, list[Reader]]:
    """The same for many contents of one school and kind, in one call for each two hundred. Raises DependencyAway."""
    found: dict[ContentRef, list[Reader]] = {ref: [] for ref in refs}
    asked = list(found)
    for start in range(0, len(asked), CONTENTS_AT_ONCE):
        some = asked[start : start + CONTENTS_AT_ONCE]
        owner = OWNERS[some[0].kind]
        by_id = {str(ref.content): ref for ref in some}
        stub = peers.stub(owner, ContentOwnerServiceStub)
        request = pb.ListReadersRequest(contents=map(named, some))
        answer: pb.ListReadersResponse
        async for answer in peers.stream(
            owner, stub.ListReaders, request, school=some[0].school, deadline=LISTING_SECONDS
        ):
            for one in answer.readers:
                reader = Reader(UUID(one.person_id), one.role, one.language)
                found[by_id[one.content_id or answer.content_id]].append(reader)
    return found


async def may_read(peers: Peers, ref: ContentRef, person: UUID) -> bool:
    """Whether one person may read a content now. Raises DependencyAway."""
    answer: pb.CanReadResponse | None = await _asked(
        peers, ref, "CanRead", pb.CanReadRequest(content=named(ref), person_id=str(person))
    )
    return answer is not None and answer.may_read


async def fetch(peers: Peers, ref: ContentRef) -> pb.FetchResponse | None:
    """The text as it is now; None when it is gone or withdrawn. Raises DependencyAway."""
    answer: pb.FetchResponse | None = await _asked(peers, ref, "Fetch", pb.FetchRequest(content=named(ref)))
    return None if answer is None or answer.withdrawn else answer


async def store_translation(peers: Peers, ref: ContentRef, request: pb.StoreTranslationRequest) -> bool:
    """Hand a translation to the owner; False when it is no longer wanted there. Safe to repeat. Raises DependencyAway."""
    answer: pb.StoreTranslationResponse | None = await _asked(peers, ref, "StoreTranslation", request)
    return answer is not None and answer.kept


async def _asked(peers: Peers, ref: ContentRef, method: str, request: object) -> Any | None:
    """One question to the owner; None when it says that there is no such content."""
    owner = OWNERS[ref.kind]
    stub = peers.stub(owner, ContentOwnerServiceStub)
    try:
        return await peers.call(owner, getattr(stub, method), request, school=ref.school, deadline=DEADLINE)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
