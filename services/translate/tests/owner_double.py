"""An owner of texts that speaks the real content contract over a real socket, for tests of translation alone."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import grpc
import grpc.aio

from bookbag.chassis.clock import Clock, SystemClock
from bookbag.chassis.tokens import Verifier
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceServicer, add_ContentOwnerServiceServicer_to_server


@dataclass
class Text:
    """One content as its owner keeps it."""

    text: str
    readers: tuple[str, ...]
    language: str = "en"
    version: int = 1
    names: tuple[str, ...] = ("Maya Patel",)
    withdrawn: bool = False


@dataclass
class OwnerDouble(ContentOwnerServiceServicer):
    """Texts by id, and what translation handed over, in order."""

    verifier: Verifier
    texts: dict[UUID, Text] = field(default_factory=dict)
    stored: list[pb.StoreTranslationRequest] = field(default_factory=list)
    away: bool = False
    broken: set[UUID] = field(default_factory=set)
    """Texts over which it stumbles, as over an error of its own."""
    address: str = ""

    def translations(self, content: UUID) -> Mapping[str, str | None]:
        """Language → the text stored last, None where the readers were told that there is none."""
        found = {one.language: one for one in self.stored if one.content.content_id == str(content)}
        return {
            language: one.text if one.state == pb.TRANSLATION_STATE_STORED else None for language, one in found.items()
        }

    async def Fetch(self, request, context):  # noqa: N802
        text = await self._text(request.content, context)
        return pb.FetchResponse(
            text=text.text, version=text.version, language=text.language, names=text.names, withdrawn=text.withdrawn
        )

    async def ListReaders(self, request, context):  # noqa: N802
        for content in request.contents:
            text = await self._text(content, context)
            for language in text.readers:
                yield pb.ListReadersResponse(
                    content_id=content.content_id,
                    readers=[pb.Reader(person_id=str(uuid4()), language=language, role="guardian")],
                )

    async def StoreTranslation(self, request, context):  # noqa: N802
        text = await self._text(request.content, context)
        if request.version != text.version:
            return pb.StoreTranslationResponse(kept=False)
        self.stored.append(request)
        return pb.StoreTranslationResponse(kept=True)

    async def _text(self, content, context) -> Text:
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        token = dict(context.invocation_metadata())["authorization"].removeprefix("Bearer ")
        assert self.verifier.service(token, "messaging").school == UUID(content.school_id)
        if UUID(content.content_id) in self.broken:
            await context.abort(grpc.StatusCode.INTERNAL, "internal")
        if UUID(content.content_id) not in self.texts:
            await context.abort(grpc.StatusCode.NOT_FOUND, "not-found")
        return self.texts[UUID(content.content_id)]


@asynccontextmanager
async def owner_double(
    *, user_keys: Path, service_keys: Path, clock: Clock | None = None
) -> AsyncGenerator[OwnerDouble]:
    """Serve an owner on a free loopback port until the block ends; it knows its callers by their public keys."""
    double = OwnerDouble(Verifier(user_keys, service_keys, clock or SystemClock()))
    server = grpc.aio.server()
    add_ContentOwnerServiceServicer_to_server(double, server)
    double.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield double
    finally:
        await server.stop(None)
