"""Builds a small school in messaging's copy of who is who, and lets its people speak HTTP: tests say only what matters to them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2

from bookbag.chassis.clock import new_id
from bookbag.chassis.runtime import Runtime
from bookbag.directory.projector import Projector
from bookbag.identity.v1.access_pb2 import AccessChange, Guardianship, PolicyVersion
from services.messaging.service import REACTS
from tests.support.house import House
from tests.support.policy import OPEN, document_with


@dataclass
class Somebody:
    """A person acting in one role, with a client of their own."""

    school: "School"
    id: UUID
    role: str
    name: str = ""
    session: UUID = field(default_factory=new_id)

    def headers(self, **more: Any) -> dict[str, str]:
        clock = self.school.runtime.clock
        return self.school.house.bearer(self.school.id, self.id, self.role, session=self.session, clock=clock, **more)

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        return await self.school.http.get(f"/v1{path}", headers=self.headers(), params=params)

    async def post(self, path: str, body: Any, *, key: str | None = None) -> httpx2.Response:
        headers = self.headers() | ({"idempotency-key": key} if key else {})
        return await self.school.http.post(f"/v1{path}", headers=headers, json=body)

    async def put(self, path: str, body: Any) -> httpx2.Response:
        return await self.school.http.put(f"/v1{path}", headers=self.headers(), json=body)

    async def opens(self, pupil: UUID, seat: UUID) -> str:
        answer = await self.post("/threads", {"pupil": str(pupil), "seat": str(seat)})
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["id"]

    async def says(self, thread: str, text: str, *, key: str | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.post(f"/threads/{thread}/messages", {"text": text, **more}, key=key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def held(self, **params: Any) -> list[dict[str, Any]]:
        answer = await self.get("/held", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def withdraws(self, message: str) -> int:
        path = f"/v1/held/{message}"
        return (await self.school.http.delete(path, headers=self.headers())).status_code

    async def reads(self, thread: str, **params: Any) -> list[str]:
        answer = await self.get(f"/threads/{thread}/messages", **params)
        assert answer.status_code == 200, answer.text
        return [message["text"] for message in answer.json()["items"]]

    async def sees(self, thread: str) -> dict[str, Any]:
        answer = await self.get(f"/threads/{thread}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def messages(self, thread: str, **params: Any) -> list[dict[str, Any]]:
        return (await self.get(f"/threads/{thread}/messages", **params)).json()["items"]

    def acting_as(self, role: str) -> "Somebody":
        return Somebody(self.school, self.id, role, self.name)


@dataclass
class School:
    """One school. What is added here is what identity's feed would have brought."""

    house: House
    runtime: Runtime
    http: httpx2.AsyncClient
    id: UUID = field(default_factory=uuid4)
    revision: int = 0
    version: int = 0

    async def knows(self, table: str, **columns: Any) -> None:
        """Note a fact the way the projector does."""
        self.revision += 1
        names = ["school_id", "revision", *columns]
        values = [self.id, self.revision, *columns.values()]
        marks = ", ".join(f"${number + 1}" for number in range(len(names)))
        async with self.runtime.database.tenant(self.id) as tx:
            await tx.execute(f"insert into {table} ({', '.join(names)}) values ({marks})", *values)

    async def obeys(self, document: str, *, counts_from: datetime | None = None, number: int | None = None) -> int:
        """Another version of the policy came with the access feed. Gives its number."""
        self.version = number or self.version + 1
        self.revision += 1
        now = self.runtime.clock.now()
        fact = PolicyVersion(number=self.version, document=document)
        fact.counts_from.FromDatetime(counts_from or (now if self.version > 1 else now - timedelta(days=400)))
        fact.made_at.FromDatetime(now)
        await self.hears(AccessChange(school_id=str(self.id), revision=self.revision, policy_version=fact))
        return self.version

    async def hears(self, change: AccessChange) -> None:
        """A change comes with the access feed."""
        projector = Projector(self.runtime, REACTS)
        await projector.leases.renew()
        await projector.apply([change], position=None)
        await projector.leases.give_back()
        self.runtime.state.pop("policies", None)  # as a second later

    async def changes(self, sql: str, *arguments: Any) -> None:
        """Change facts: `$1` is the school."""
        async with self.runtime.database.tenant(self.id) as tx:
            assert await tx.execute(sql, self.id, *arguments), "the change must change something"

    async def asks(self, sql: str, *arguments: Any) -> Any:
        """One value: `$1` is the school."""
        async with self.runtime.database.tenant(self.id) as tx:
            return await tx.fetchval(sql, self.id, *arguments)

    async def heard(self, ago: timedelta = timedelta(0)) -> None:
        """The copy of who is who was last known to be complete so long ago."""
        await self.runtime.database.execute("update feed_state set heard_at = clock_timestamp() - $1::interval", ago)

    async def person(self, name: str, role: str, *, language: str = "en", known_as: UUID | None = None) -> Somebody:
        person = known_as or new_id()
        if known_as is None:
            first = name.partition(" ")[0]
            await self.knows("known_person", person_id=person, display_name=name, first_name=first, language=language)
        await self.knows("known_membership", person_id=person, role=role, standing="active", epoch=1)
        return Somebody(self, person, role, name)

    async def school_class(self, name: str) -> UUID:
        class_id = new_id()
        await self.knows("known_class", class_id=class_id, name=name, archived=False)
        return class_id

    async def seat(self, kind: str, school_class: UUID | None, *holders: Somebody, subject: str = "") -> UUID:
        seat = new_id()
        await self.knows("known_seat", seat_id=seat, kind=kind, class_id=school_class, subject=subject)
        for holder in holders:
            await self.holds(holder, seat)
        return seat

    async def holds(self, holder: Somebody, seat: UUID) -> None:
        await self.knows("known_seat_holder", seat_id=seat, person_id=holder.id, ended=False)

    async def pupil(self, name: str, school_class: UUID) -> Somebody:
        pupil = await self.person(name, "pupil")
        await self.knows("known_enrolment", class_id=school_class, pupil_id=pupil.id, ended=False)
        return pupil

    async def guardian(
        self,
        name: str,
        *pupils: Somebody,
        language: str = "en",
        relationship: str = "mother",
        known_as: UUID | None = None,
    ) -> Somebody:
        guardian = await self.person(name, "guardian", language=language, known_as=known_as)
        for pupil in pupils:
            await self.link(guardian, pupil, relationship=relationship)
        return guardian

    async def link(self, guardian: Somebody, pupil: Somebody, *, relationship: str = "mother") -> UUID:
        link = new_id()
        await self.knows(
            "known_link",
            link_id=link,
            pupil_id=pupil.id,
            person_id=guardian.id,
            relationship=relationship,
            ended=False,
        )
        return link

    async def ends_link(self, guardian: Somebody) -> None:
        await self.changes("update known_link set ended = true where school_id = $1 and person_id = $2", guardian.id)

    async def stands(self, somebody: Somebody, standing: str) -> None:
        await self.changes(
            "update known_membership set standing = $3 where school_id = $1 and person_id = $2", somebody.id, standing
        )


@dataclass
class Oak(School):
    """A school with class Oak: its teacher, pupil Emma with a guardian, and their thread."""

    class_id: UUID = field(default_factory=uuid4)
    teacher: Somebody = field(init=False)
    emma: Somebody = field(init=False)
    rosa: Somebody = field(init=False)
    seat_id: UUID = field(default_factory=uuid4)
    thread: str = ""

    @classmethod
    async def built(
        cls, house: House, runtime: Runtime, http: httpx2.AsyncClient, *, language: str = "es", policy: str = ""
    ) -> "Oak":
        oak = cls(house, runtime, http)
        await oak.heard()
        await oak.obeys(policy or document_with("b", OPEN))
        oak.class_id = await oak.school_class("Oak")
        oak.teacher = await oak.person("Ada Hill", "teacher")
        oak.seat_id = await oak.seat("class_teacher", oak.class_id, oak.teacher)
        oak.emma = await oak.pupil("Emma Vega", oak.class_id)
        oak.rosa = await oak.guardian("Rosa Vega", oak.emma, language=language)
        oak.thread = await oak.teacher.opens(oak.emma.id, oak.seat_id)
        return oak

    async def hears_of_link(self, link: UUID, guardian: Somebody) -> None:
        """A link to Emma comes with the access feed."""
        self.revision += 1
        fact = Guardianship(
            link_id=str(link), pupil_id=str(self.emma.id), person_id=str(guardian.id), relationship="father"
        )
        await self.hears(AccessChange(school_id=str(self.id), revision=self.revision, guardianship=fact))
