"""A sibling service that speaks the content contract over real gRPC, with its own service token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from bookbag.chassis.peers import Peers
from bookbag.chassis.rpc import RpcServer
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.tokens import ServiceSigner
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from services.messaging.tests.builders import School
from tests.support.house import House


class Sibling:
    """One service that asks messaging. `school` is the one its token is for; by default that of the question."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._stub = peers.stub("messaging", ContentOwnerServiceStub)

    @classmethod
    @asynccontextmanager
    async def named(cls, name: str, house: House, runtime: Runtime) -> "AsyncIterator[Sibling]":
        server = RpcServer([runtime], "127.0.0.1", 0)
        await server.start()
        signer = ServiceSigner(name, house.keys.signing_keys / f"service-{name}.json", runtime.clock)
        peers = Peers({"messaging": f"127.0.0.1:{server.port}"}, signer)
        try:
            yield cls(peers)
        finally:
            await peers.close()
            await server.stop(0)

    async def can_read(
        self, asked: School, message: str, person: UUID, *, kind: str = "message", school: UUID | None = None
    ) -> bool:
        request = pb.CanReadRequest(content=_ref(asked, message, kind), person_id=str(person))
        return (await self._peers.call("messaging", self._stub.CanRead, request, school=school or asked.id)).may_read

    async def lists_readers(
        self, asked: School, message: str, *, school: UUID | None = None
    ) -> set[tuple[str, str, str]]:
        request = pb.ListReadersRequest(contents=[_ref(asked, message)])
        answers = self._peers.stream(
            "messaging", self._stub.ListReaders, request, school=school or asked.id, deadline=5
        )
        return {(one.person_id, one.role, one.language) async for answer in answers for one in answer.readers}

    async def fetches(
        self, asked: School, message: str, *, kind: str = "message", school: UUID | None = None
    ) -> pb.FetchResponse:
        request = pb.FetchRequest(content=_ref(asked, message, kind))
        return await self._peers.call("messaging", self._stub.Fetch, request, school=school or asked.id)

    async def stores(
        self,
        asked: School,
        message: str,
        language: str,
        *,
        text: str = "",
        state: "pb.TranslationState" = pb.TRANSLATION_STATE_STORED,
        version: int = 1,
        source: str = "en",
        school: UUID | None = None,
    ) -> bool:
        request = pb.StoreTranslationRequest(
            content=_ref(asked, message), version=version, language=language, state=state, text=text,
            source_language=source, engine="test",
        )  # fmt: skip
        answer = await self._peers.call("messaging", self._stub.StoreTranslation, request, school=school or asked.id)
        return answer.kept


def _ref(asked: School, message: str, kind: str = "message") -> pb.ContentRef:
    return pb.ContentRef(school_id=str(asked.id), kind=kind, content_id=message)
