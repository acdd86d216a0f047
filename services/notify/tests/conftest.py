"""A small school of which notify has heard, and everything outside it as doubles."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from bookbag.chassis.bus import Record
from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.database import bucket_of, topic_of, trace_parent
from bookbag.chassis.hearing import AlreadyProcessed, EventCall, EventsCall
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Together
from bookbag.content.v1.service_pb2 import Reader
from bookbag.directory.projector import Projector
from bookbag.identity.v1.access_pb2 import AccessChange, OwnHours, PolicyVersion
from bookbag.messaging.v1.events_pb2 import MessageSent, MessageTranslated, ThreadRead
from services.notify.mail.rounds import rounds_of
from services.notify.service import REACTS
from services.notify.tests.doubles import Identity, MailServer, Owner, siblings
from tests.support.house import House
from tests.support.policy import OPEN, document_with, known_policy

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Town:
    """One school, its people and what surrounds notify. `teacher`, `guardian` (reads Spanish) and `other_guardian` read `thread`."""

    house: House
    runtime: Runtime
    clock: MovableClock
    owner: Owner
    identity: Identity
    post: MailServer
    school: UUID = field(default_factory=new_id)
    thread: UUID = field(default_factory=new_id)
    teacher: UUID = field(default_factory=new_id)
    guardian: UUID = field(default_factory=new_id)
    other_guardian: UUID = field(default_factory=new_id)
    office: UUID = field(default_factory=new_id)
    seq: int = 0
    version: int = 0

    async def settle_in(self) -> None:
        async with self.runtime.database.tenant(self.school) as tx:
            await tx.execute("update feed_state set heard_at = 'infinity'")
            await tx.execute(
                "insert into known_school (school_id, revision, code, name, country, zone, language, policy_preset)"
                " values ($1, 1, 'OAKS', 'Oak School', 'GB', 'Europe/London', 'en', 'default')", self.school,
            )  # fmt: skip
        await self.obeys(document_with("b", OPEN))
        await self.knows(self.teacher, "teacher", "Ada Hill", "en")
        await self.knows(self.guardian, "guardian", "Marta Ruiz", "es", address="marta@example.org")
        await self.knows(self.other_guardian, "guardian", "Tom Reed", "en", address="tom@example.org")
        await self.knows(self.office, "office", "Olive Office", "en")
        self.identity.contacts[self.teacher] = ("ada@example.org", "en")
        self.owner.readers = [
            Reader(person_id=str(self.teacher), language="en", role="teacher"),
            Reader(person_id=str(self.guardian), language="es", role="guardian"),
            Reader(person_id=str(self.other_guardian), language="en", role="guardian"),
        ]

    async def has_rules(self, school: UUID, **policy: Any) -> None:
        """Let notify's copy have the rules of a school."""
        columns = known_policy(**policy)
        async with self.runtime.database.tenant(school) as tx:
            await tx.execute(
                "insert into known_policy (school_id, revision, number, document, made_at, counts_from) values ($1, 1, $2, $3, $4, $5)",
                school, *columns.values(),
            )  # fmt: skip

    async def knows(
        self, person: UUID, role: str, name: str, language: str, *, address: str = "", standing: str = "active"
    ) -> None:
        """Let notify's copy of who is who have a person in a role."""
        async with self.runtime.database.tenant(self.school) as tx:
            await tx.execute(
                "insert into known_person (school_id, person_id, revision, display_name, first_name, language)"
                " values ($1, $2, 1, $3, $3, $4) on conflict do nothing", self.school, person, name, language,
            )  # fmt: skip
            await tx.execute(
                "insert into known_membership (school_id, person_id, role, revision, standing, epoch) values ($1, $2, $3, 1, $4, 1)"
                " on conflict (school_id, person_id, role) do update set standing = excluded.standing",
                self.school, person, role, standing,
            )  # fmt: skip
        if address:
            self.identity.contacts[person] = (address, language)

    def version_of(self, document: str, *, counts_from: datetime | None = None) -> AccessChange:
        """The next version of the policy as the access feed tells it."""
        self.version += 1
        now = self.clock.now()
        fact = PolicyVersion(number=self.version, document=document)
        fact.counts_from.FromDatetime(counts_from or (now if self.version > 1 else now - timedelta(days=400)))
        fact.made_at.FromDatetime(now)
        return AccessChange(school_id=str(self.school), revision=self.version, policy_version=fact)

    async def keeps_own_hours(self, person: UUID, week: str) -> None:
        """Somebody narrowed the school's hours for themselves; empty: they did so no longer."""
        self.version += 1
        hours = OwnHours(person_id=str(person), week=week)
        await self.learns(AccessChange(school_id=str(self.school), revision=self.version, own_hours=hours))

    async def learns(self, change: AccessChange) -> None:
        """A fact came with the access feed."""
        projector = Projector(self.runtime, REACTS)
        await projector.leases.renew()
        await projector.apply([change], position=None)
        await projector.leases.give_back()

    async def obeys(self, document: str, *, counts_from: datetime | None = None) -> None:
        """Another version of the policy came with the access feed."""
        await self.learns(self.version_of(document, counts_from=counts_from))
        self.runtime.state.pop("policies", None)  # as a second later

    async def hear(self, event: Message, *, event_id: UUID | None = None, sequence: int | None = None) -> UUID:
        """Let notify hear an event as its consumer would. Gives the event's id."""
        kind = event.DESCRIPTOR.full_name
        record = Record(
            self.school, event_id or new_id(), topic_of(kind), bucket_of(self.thread), self.thread, kind,
            event.SerializeToString(), sequence, None, self.clock.now(),
        )  # fmt: skip
        handler = self.runtime.service.hears[type(event)]
        try:
            if isinstance(handler, Together):
                await handler.handle(
                    EventsCall(self.runtime, [record], self.clock.now(), {record.event_id: trace_parent()}), [event]
                )
            else:
                await handler(EventCall(self.runtime, record, self.clock.now()), event)
        except AlreadyProcessed:
            assert event_id is not None
        return record.event_id

    async def message(
        self,
        *,
        author: UUID | None = None,
        message: UUID | None = None,
        event_id: UUID | None = None,
        about_safety: bool = False,
    ) -> UUID:
        """Somebody, the teacher unless said otherwise, has written. Gives the event's id."""
        self.seq += 1
        sent = MessageSent(
            school_id=str(self.school), thread_id=str(self.thread), message_id=str(message or new_id()),
            author_id=str(author or self.teacher), language="en", about_safety=about_safety,
        )  # fmt: skip
        return await self.hear(sent, event_id=event_id, sequence=self.seq)

    async def reads(self, person: UUID, up_to: int) -> None:
        await self.hear(
            ThreadRead(school_id=str(self.school), thread_id=str(self.thread), person_id=str(person), seq=up_to),
            sequence=up_to,
        )

    async def translated(self, message: UUID, language: str) -> None:
        await self.hear(
            MessageTranslated(
                school_id=str(self.school), thread_id=str(self.thread), message_id=str(message), language=language
            )
        )

    async def rounds(self) -> None:
        """The mail rounds that are due now, until nothing is."""
        while await rounds_of(self.runtime).make():
            await rounds_of(self.runtime).settle(30)

    async def after(self, **span: float) -> None:
        """Let time pass, then make the rounds that are due."""
        self.clock.move(timedelta(**span))
        await self.rounds()

    async def deliveries(self) -> dict[UUID, tuple[str, str | None]]:
        """Person → state and reason of their only delivery."""
        async with self.runtime.database.tenant(self.school) as tx:
            rows = await tx.fetch("select person_id, state, reason from delivery")
        assert len({row["person_id"] for row in rows}) == len(rows)
        return {row["person_id"]: (row["state"], row["reason"]) for row in rows}

    async def count(self, table: str, person: UUID) -> int:
        async with self.runtime.database.tenant(self.school) as tx:
            return await tx.fetchval(f"select count(*) from {table} where person_id = $1", person)

    def bearer(self, person: UUID, role: str, **more: object) -> dict[str, str]:
        return self.house.bearer(self.school, person, role, clock=self.clock, **more)


@asynccontextmanager
async def town_in(house: House, **settings: str) -> AsyncIterator[Town]:
    owner, knower = Owner(), Identity()
    async with siblings(owner, knower) as address, MailServer().open() as post:
        clock = MovableClock(MONDAY)
        peers = json.dumps({"messaging": address, "identity": address})
        smtp = f"smtp://127.0.0.1:{post.port}"
        async with house.runtime(
            "notify", clock=clock, BOOKBAG_PEERS=peers, BOOKBAG_SMTP_URL=smtp, **settings
        ) as runtime:
            made = Town(house, runtime, clock, owner, knower, post)
            await made.settle_in()
            yield made


@pytest.fixture
async def town(house: House) -> AsyncIterator[Town]:
    """A town of its own in the module's house. Rounds also meet what earlier tests left due there: nobody knows its addresses."""
    async with town_in(house) as made:
        yield made
