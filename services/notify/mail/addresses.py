"""Asks identity where people can be reached, at the moment of delivery: addresses are kept nowhere in notify."""

from collections.abc import Sequence
from uuid import UUID

import grpc.aio
import structlog

from bookbag.chassis.peers import Peers
from bookbag.chassis.problems import DependencyAway
from bookbag.identity.v1 import service_pb2 as pb
from bookbag.identity.v1.service_pb2_grpc import IdentityServiceStub
from services.notify.model import Contact, PersonId

log = structlog.get_logger()

BATCH = 500


async def contacts(peers: Peers, school: UUID, people: Sequence[PersonId]) -> dict[PersonId, Contact]:
    """Where people of one school can be reached; whom identity does not know is left out.

    Raises DependencyAway, also when identity answers with an error: then nobody is written to and it is asked again later.
    """
    stub = peers.stub("identity", IdentityServiceStub)
    found: dict[PersonId, Contact] = {}
    for start in range(0, len(people), BATCH):
        request = pb.ContactsRequest(
            school_id=str(school), person_ids=[str(person) for person in people[start : start + BATCH]]
        )
        try:
            answer: pb.ContactsResponse = await peers.call("identity", stub.Contacts, request, school=school)
        except grpc.aio.AioRpcError as refused:
            log.warning("contacts refused", service="notify", code=refused.code().name)
            raise DependencyAway("identity") from refused
        found |= {PersonId(UUID(one.person_id)): Contact(one.email, one.language) for one in answer.contacts}
    return found
