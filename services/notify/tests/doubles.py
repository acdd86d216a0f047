"""Stand-ins for what is outside notify, each speaking the real protocol on loopback: content owner, identity, mail server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import grpc
import grpc.aio
from aiosmtpd.smtp import SMTP

from bookbag.content.v1 import service_pb2 as content
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceServicer, add_ContentOwnerServiceServicer_to_server
from bookbag.identity.v1 import service_pb2 as identity
from bookbag.identity.v1.service_pb2_grpc import IdentityServiceServicer, add_IdentityServiceServicer_to_server


@dataclass
class Owner(ContentOwnerServiceServicer):
    """Owns one content that `readers` may read."""

    readers: list[content.Reader] = field(default_factory=list)
    away: bool = False
    gone: bool = False

    async def ListReaders(self, request, context):  # noqa: N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        half = len(self.readers) // 2
        for one in [] if self.gone else request.contents:
            yield content.ListReadersResponse(content_id=one.content_id, readers=self.readers[:half])
            yield content.ListReadersResponse(content_id=one.content_id, readers=self.readers[half:])

    async def CanRead(self, request, context):  # noqa: N802
        await self._refuse(context)
        return content.CanReadResponse(may_read=request.person_id in {reader.person_id for reader in self.readers})

    async def _refuse(self, context):
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if self.gone:
            await context.abort(grpc.StatusCode.NOT_FOUND, "not-found")


@dataclass
class Identity(IdentityServiceServicer):
    """Knows addresses, and how often it was asked."""

    contacts: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    away: bool = False

    async def Contacts(self, request, context):  # noqa: N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        self.asked.append(len(request.person_ids))
        found = [
            (person, self.contacts[UUID(person)]) for person in request.person_ids if UUID(person) in self.contacts
        ]
        return identity.ContactsResponse(
            contacts=[identity.Contact(person_id=person, email=email, language=tag) for person, (email, tag) in found]
        )


@asynccontextmanager
async def siblings(owner: Owner, knower: Identity) -> AsyncIterator[str]:
    """Both on one port; gives the address."""
    server = grpc.aio.server()
    add_ContentOwnerServiceServicer_to_server(owner, server)
    add_IdentityServiceServicer_to_server(knower, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@dataclass
class MailServer:
    """Takes mails, or does what `moods` says to a recipient: `busy` 451, `refuse` 550, `hang`, `reset`, `spam` 554 after the data,
    `vanish` takes the mail and resets before it can be thanked."""

    moods: dict[str, str] = field(default_factory=dict)
    envelopes: list[tuple[list[str], bytes]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    patience: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        self.tries.append(address)
        match self.moods.get(address):
            case "busy":
                return f"451 {address}: come back later"
            case "refuse":
                return f"550 {address}: nobody of that name"
            case "reset":
                server.transport.abort()
                return "421 gone"
            case "hang":
                self.hanging.set()
                await self.patience.wait()
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "spam" in {self.moods.get(address) for address in envelope.rcpt_tos}:
            return f"554 we do not want '{message_from_bytes(envelope.content)['Subject']}'"
        self.envelopes.append((list(envelope.rcpt_tos), envelope.content))
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        if "vanish" in {self.moods.get(address) for address in envelope.rcpt_tos}:
            asyncio.get_running_loop().call_soon(server.transport.abort)
        return "250 kept"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["MailServer"]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, loop=loop, hostname="localhost"), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.patience.set()
            server.close()
