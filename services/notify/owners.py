"""Asks the owner of a content who may read it: notify knows people and ids, never what is written or by which rules it is shown."""

from uuid import UUID

import grpc
import grpc.aio

from bookbag.chassis.peers import Peers
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from services.notify.model import CONTENT_OWNERS, ContentId, Kind, PersonId, Reader

LISTING_SECONDS = 5.0


async def readers(peers: Peers, school: UUID, kind: Kind, content: ContentId) -> list[Reader]:
    """Everybody who may read a content now, its author included; nobody once it is gone. Raises DependencyAway."""
    owner = CONTENT_OWNERS[kind]
    stub = peers.stub(owner, ContentOwnerServiceStub)
    request = pb.ListReadersRequest(content=_ref(school, kind, content))
    found: list[Reader] = []
    try:
        async for answer in peers.stream(owner, stub.ListReaders, request, school=school, deadline=LISTING_SECONDS):
            found += [Reader(PersonId(UUID(one.person_id)), one.role, one.language) for one in answer.readers]
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return []
        raise
    return found


async def may_read(peers: Peers, school: UUID, kind: Kind, content: ContentId, person: PersonId) -> bool:
    """Whether one person may read a content now. Raises DependencyAway."""
    owner = CONTENT_OWNERS[kind]
    stub = peers.stub(owner, ContentOwnerServiceStub)
    request = pb.CanReadRequest(content=_ref(school, kind, content), person_id=str(person))
    try:
        answer: pb.CanReadResponse = await peers.call(owner, stub.CanRead, request, school=school)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return answer.may_read


def _ref(school: UUID, kind: Kind, content: ContentId) -> pb.ContentRef:
    return pb.ContentRef(school_id=str(school), kind=kind, content_id=str(content))
