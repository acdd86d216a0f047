"""The gRPC servicer of identity: the access feed, and what siblings ask about a school or where people can be reached."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import grpc.aio

from bookbag.chassis.problems import INVALID_INPUT, Problem
from bookbag.chassis.rpc import one_school
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Callers
from bookbag.identity.v1 import service_pb2 as pb
from services.identity.feed import actions as feed
from services.identity.feed.events import school_message
from services.identity.profile import actions as profile

Context = grpc.aio.ServicerContext[Any, Any]

SIBLINGS = frozenset({"messaging", "notify", "translate"})

CALLERS = {
    "WatchChanges": Callers(services=SIBLINGS, across_schools=True),
    "Snapshot": Callers(services=SIBLINGS, across_schools=True),
    "Contacts": Callers(services=frozenset({"notify"})),
    "GetSchool": Callers(services=SIBLINGS),
}

CONTACTS_AT_ONCE = 500


class Identity:
    """See proto/bookbag/identity/v1/service.proto."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def WatchChanges(  # noqa: N802 - the name in the proto
        self, request: pb.WatchChangesRequest, _: Context
    ) -> AsyncIterator[pb.WatchChangesResponse]:
        """For ever, until the caller goes or the database is away."""
        async for reading in feed.watch(self._runtime, request.after):
            yield pb.WatchChangesResponse(changes=reading.changes, head=reading.head)

    async def Snapshot(  # noqa: N802 - the name in the proto
        self, _request: pb.SnapshotRequest, _: Context
    ) -> AsyncIterator[pb.SnapshotResponse]:
        """Pages of facts, then the position to watch from."""
        async for changes, position in feed.snapshot(self._runtime):
            yield pb.SnapshotResponse(changes=changes, position=position)

    async def Contacts(self, request: pb.ContactsRequest, _: Context) -> pb.ContactsResponse:  # noqa: N802
        """For notify alone: whoever else needs an address asks notify to deliver."""
        school = one_school(request.school_id)
        found = await profile.contacts(self._runtime, school, _ids(request.person_ids))
        return pb.ContactsResponse(
            contacts=[
                pb.Contact(person_id=str(one.person), email=one.email or "", language=one.language) for one in found
            ]
        )

    async def GetSchool(self, request: pb.GetSchoolRequest, _: Context) -> pb.GetSchoolResponse:  # noqa: N802
        """NOT_FOUND when there is no such school."""
        school = await profile.school_by_id(self._runtime, one_school(request.school_id))
        return pb.GetSchoolResponse(school=school_message(school))


def _ids(texts: Any) -> list[UUID]:
    if len(texts) > CONTACTS_AT_ONCE:
        raise Problem(INVALID_INPUT, "too many person_ids", extra={"limit": CONTACTS_AT_ONCE})
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Problem(INVALID_INPUT, "person_ids holds something that is no id") from None
