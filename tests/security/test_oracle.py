"""Lists, single answers, counts, notifications, live streams and what siblings are told all agree with the oracle, both ways."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import grpc
import httpx2
import pytest

from bookbag.chassis.clock import SystemClock, new_id
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.tokens import ServiceSigner
from bookbag.content.v1.service_pb2 import CanReadRequest, ContentRef, ListReadersRequest
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from bookbag.school.roles import Role, SeatKind
from services.identity.policy import actions as policy
from services.identity.roster import actions as roster
from services.identity.roster.model import OPERATOR
from tests.security.oracle import ROLE_OF_SEAT, Roster, Who
from tests.support.policy import open_hours
from tests.support.whole import Whole

ROLES = [Role.GUARDIAN, Role.TEACHER, Role.SPECIALIST, Role.OFFICE, Role.LEADER, Role.ASSISTANT, Role.SAFEGUARDING]
Thread = tuple[str, str]


@dataclass
class Town:
    """A random school, the oracle's facts about it, and the ids the product gave."""

    product: Whole
    school: UUID
    dice: random.Random
    facts: Roster = field(default_factory=Roster)
    everybody: set[Who] = field(default_factory=set)
    threads: dict[Thread, str] = field(default_factory=dict)
    messages: dict[str, tuple[Thread, int]] = field(default_factory=dict)
    told: dict[Who, set[tuple[str, str]]] = field(default_factory=dict)
    """Somebody → thread and message of what they were told of when it was sent."""
    http: httpx2.Client = field(init=False)
    tokens: dict[Who, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = self.product.client()

    def headers(self, who: Who) -> dict[str, str]:
        if who not in self.tokens:
            self.tokens[who] = self.product.house.token(self.school, UUID(who[0]), who[1])
        return {"authorization": f"Bearer {self.tokens[who]}", "idempotency-key": new_id().hex}

    def get(self, who: Who, path: str) -> httpx2.Response:
        return self.http.get(path, headers=self.headers(who))

    def items(self, who: Who, path: str) -> list[dict[str, Any]]:
        """All pages of a list; nothing for those who are refused."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = self.get(who, f"{path}?limit=7{cursor}")
            if answer.status_code in {401, 403}:
                return []
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            if answer.json()["next"] is None:
                return found
            cursor = f"&cursor={answer.json()['next']}"

    def items_or_none(self, who: Who, thread: str) -> list[dict[str, Any]]:
        """The messages of a thread; nothing when it is not theirs."""
        answer = self.get(who, f"/messaging/v1/threads/{thread}/messages")
        assert answer.status_code in {200, 401, 403, 404}
        return answer.json()["items"] if answer.status_code == 200 else []

    def expected_to_be_notified(self) -> set[tuple[str, str]]:
        return {(person, message) for (person, _), messages in self.told.items() for _, message in messages}

    def notified(self) -> set[tuple[str, str]]:
        sql = "select person_id, content_id from notification where school_id = $1"
        return {
            (str(row["person_id"]), str(row["content_id"])) for row in self.product.rows("notify", sql, self.school)
        }

    def write_everywhere(self) -> None:
        """One message in each thread by somebody who may, and the oracle's word on who is told of it; until they are."""
        for thread, place in self.threads.items():
            able = sorted(who for who in self.facts.members if self.facts.first(who, thread) is not None)
            if not able:
                continue
            author = self.dice.choice(able)
            answer = self.http.post(
                f"/messaging/v1/threads/{place}/messages", json={"text": "Hello."}, headers=self.headers(author)
            )
            assert answer.status_code == 201, answer.text
            self.facts.threads[thread].append(author)
            seq = len(self.facts.threads[thread])
            assert answer.json()["seq"] == seq
            self.messages[answer.json()["id"]] = (thread, seq)
            for reader in self.facts.readers(thread, seq):
                if reader[0] != author[0]:
                    self.told.setdefault(reader, set()).add((place, answer.json()["id"]))
        self.product.wait(lambda: len(self.notified()) >= len(self.expected_to_be_notified()))


async def found(runtime: Runtime, town: Town) -> None:
    """A school of three classes, seven children and nine grown-ups who have random roles, seats and children."""
    dice, facts = town.dice, town.facts
    async with runtime.database.tenant(town.school) as tx:
        await roster.create_school(
            tx, code="R" + town.school.hex[-7:].upper(), name="Random", country="GB", zone="Europe/London", language="en",
            policy_preset="quiet-evenings",
        )  # fmt: skip
        await policy.put_in_force(tx, open_hours(), reason="Tests run at any hour.")
        pupils = [(await roster.add_person(tx, name=f"Child {n}", first_name="C", language="en")).id for n in range(7)]
        for pupil in pupils[:3]:
            await roster.add_membership(tx, pupil, Role.PUPIL)
            town.everybody.add((str(pupil), "pupil"))
        adults: dict[UUID, list[Role]] = {}
        for number in range(9):
            person = (await roster.add_person(tx, name=f"Adult {number}", first_name="A", language="en")).id
            adults[person] = sorted({ROLES[number % 7], dice.choice(ROLES[:3])})
            for role in adults[person]:
                await roster.add_membership(tx, person, role)
                facts.members.add((str(person), str(role)))
        town.everybody |= facts.members
        seats = [await roster.open_seat(tx, SeatKind.OFFICE), await roster.open_seat(tx, SeatKind.LEADERS)]
        for name in ("Ash", "Elm", "Yew"):
            opened = await roster.open_class(tx, name)
            for pupil in dice.sample(pupils, 4):
                await roster.enrol_pupil(tx, opened.id, pupil)
                facts.enrolled.add((str(pupil), str(opened.id)))
            seats.append(await roster.open_seat(tx, SeatKind.CLASS_TEACHER, school_class=opened.id))
            seats.append(await roster.open_seat(tx, SeatKind.SPECIALIST, school_class=opened.id, subject="Art"))
        for seat in seats:
            facts.seats[str(seat.id)] = (str(seat.kind), str(seat.school_class) if seat.school_class else None)
            able = sorted(person for person, roles in adults.items() if ROLE_OF_SEAT[seat.kind] in roles)
            for person in dice.sample(able, min(len(able), dice.choice([1, 1, 2]))):
                await roster.seat_person(tx, seat.id, person)
                facts.holders.add((str(seat.id), str(person)))
        guardians = sorted(person for person, roles in adults.items() if Role.GUARDIAN in roles)
        for pupil in pupils:
            for person in dice.sample(guardians, min(len(guardians), dice.choice([1, 2, 2]))):
                link = await roster.link_guardian(tx, pupil, person, "guardian")
                facts.links[str(pupil), str(person)] = str(link.id)


async def change(runtime: Runtime, town: Town) -> None:
    """Take some rights away and give some others."""
    dice, facts = town.dice, town.facts
    async with runtime.database.tenant(town.school) as tx:
        for pupil, person in dice.sample(sorted(facts.links), 3):
            await roster.end_guardianship(tx, UUID(facts.links.pop((pupil, person))), author=OPERATOR, reason="x")
        guardians = sorted(person for person, role in facts.members if role == "guardian")
        for pupil in dice.sample(sorted({pupil for pupil, _ in facts.enrolled}), 3):
            person = dice.choice(guardians)
            if (pupil, person) not in facts.links:
                link = str((await roster.link_guardian(tx, UUID(pupil), UUID(person), "guardian")).id)
                facts.links[pupil, person] = link
                for thread, authors in facts.threads.items():
                    if thread[0] == pupil:
                        facts.joined[link, thread] = len(authors) + 1
        for seat, person in dice.sample(sorted(facts.holders), 2):
            await roster.unseat_person(tx, UUID(seat), UUID(person))
            facts.holders.discard((seat, person))
        pupil, school_class = dice.choice(sorted(facts.enrolled))
        await roster.end_enrolment(tx, UUID(school_class), UUID(pupil))
        facts.enrolled.discard((pupil, school_class))
        suspended = dice.choice(guardians)
        await roster.suspend_guardian(tx, UUID(suspended), author=OPERATOR, reason="x")
        facts.members.discard((suspended, "guardian"))
        person, role = dice.choice(sorted(who for who in facts.members if who[1] != "guardian"))
        await roster.end_membership(tx, UUID(person), Role(role), author=OPERATOR, reason="x")
        facts.members.discard((person, role))


@pytest.fixture(scope="module", params=[1, 2])
def town(product: Whole, request: pytest.FixtureRequest) -> Iterator[Town]:
    town = Town(product, new_id(), random.Random(request.param))
    product.as_identity(lambda runtime: found(runtime, town))
    product.wait_until_all_know("known_link", link_id=UUID(list(town.facts.links.values())[-1]))
    for who in sorted(town.facts.members):
        for pupil, seat in sorted(town.facts.contacts(who)):
            opened = {"pupil": pupil, "seat": seat}
            answer = town.http.post("/messaging/v1/threads", json=opened, headers=town.headers(who))
            assert answer.status_code in {200, 201}, answer.text
            town.threads[pupil, seat] = answer.json()["id"]
    for thread in town.threads:
        town.facts.threads[thread] = []
        for (pupil, _), link in town.facts.links.items():
            if pupil == thread[0]:
                town.facts.joined[link, thread] = 1
    town.write_everywhere()
    product.as_identity(lambda runtime: change(runtime, town))
    (ended,) = product.rows(
        "identity", "select person_id from membership where school_id = $1 and standing = 'ended'", town.school
    )
    product.wait_until_all_know("known_membership", person_id=ended["person_id"], standing="ended")
    town.write_everywhere()
    yield town
    town.http.close()


def test_the_town_has_something_to_tell(town: Town) -> None:
    assert len(town.threads) >= 10
    lost = [who for who in town.everybody if not town.facts.reads(who)]
    assert lost
    assert [who for who in town.everybody if town.facts.reads(who)]
    assert any(numbers and numbers[0] > 1 for who in town.everybody for numbers in town.facts.reads(who).values())


@pytest.mark.req("MSG-1", "MSG-11", "MSG-14", "ID-10")
def test_lists_and_counts_agree_with_the_oracle(town: Town) -> None:
    for who in sorted(town.everybody):
        reads = town.facts.reads(who)
        listed = {item["id"] for item in town.items(who, "/messaging/v1/threads")}
        assert listed == {town.threads[thread] for thread in reads}, who
        contacts = town.items(who, "/messaging/v1/contacts")
        assert {(one["pupil"]["id"], one["seat"]["id"]) for one in contacts} == town.facts.contacts(who), who
        unread = town.get(who, "/messaging/v1/unread")
        assert (unread.json()["messages"] if unread.status_code == 200 else 0) == town.facts.unread(who), who


@pytest.mark.req("MSG-1", "MSG-11", "MSG-14", "ID-10")
def test_single_threads_and_their_messages_agree_with_the_oracle(town: Town) -> None:
    for who in sorted(town.everybody):
        reads = town.facts.reads(who)
        for thread, place in town.threads.items():
            numbers = [one["seq"] for one in reversed(town.items_or_none(who, place))]
            assert numbers == reads.get(thread, []), (who, thread)
            assert (town.get(who, f"/messaging/v1/threads/{place}").status_code == 200) == (thread in reads), (
                who,
                thread,
            )


@pytest.mark.req("MSG-14", "NTF-1")
def test_what_siblings_are_told_agrees_with_the_oracle(town: Town) -> None:
    key = town.product.house.keys.signing_keys / "service-notify.json"
    token = ServiceSigner("notify", key, SystemClock()).sign("messaging", town.school)
    said = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(town.product.grpc_address) as channel:
        stub: Any = ContentOwnerServiceStub(channel)  # type: ignore[no-untyped-call]
        for message, (thread, seq) in town.messages.items():
            ref = ContentRef(school_id=str(town.school), kind="message", content_id=message)
            readers = {
                (reader.person_id, reader.role)
                for page in stub.ListReaders(ListReadersRequest(contents=[ref]), metadata=said, timeout=5)
                for reader in page.readers
            }
            expected = town.facts.readers(thread, seq)
            assert readers == expected, thread
            for person in town.dice.sample(sorted({person for person, _ in town.everybody}), 3):
                asked = CanReadRequest(content=ref, person_id=person)
                answer = stub.CanRead(asked, metadata=said, timeout=5)
                assert answer.may_read == (person in {one for one, _ in expected})


def frames(town: Town, who: Who, until: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The frames of somebody's live stream from the beginning up to a number."""
    with (
        town.product.client() as http,
        http.stream("GET", "/notify/v1/stream", headers=town.headers(who) | {"last-event-id": "0"}) as answer,
    ):
        if answer.status_code != 200:
            return
        number, event = 0, ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                number = int(value)
            elif name == "event":
                event = value
            elif name == "data":
                yield event, json.loads(value)
                if number >= until and event != "ready":
                    return


@pytest.mark.req("NTF-1", "WEB-3", "MSG-11", "ID-10")
def test_notifications_and_live_streams_agree_with_the_oracle(town: Town) -> None:
    """Of what was sent while one might read it. Nobody is ever told of a message they could not read when it was sent."""
    told = {who: {message for _, message in town.told.get(who, ())} for who in town.everybody}
    assert town.notified() == town.expected_to_be_notified()
    for who in sorted(town.everybody):
        expected = told[who] if who in town.facts.members or who[1] == "pupil" else set()
        listed = {one["message"] for one in town.items(who, "/notify/v1/notifications")}
        assert listed == expected, who
        head = town.product.rows(
            "notify",
            "select number from stream_head where school_id = $1 and person_id = $2",
            town.school,
            UUID(who[0]),
        )
        visible = town.product.rows(
            "notify", "select max(number) as n from stream_event where school_id = $1 and person_id = $2 and $3 = any(roles)",
            town.school, UUID(who[0]), who[1],
        )[0]["n"]  # fmt: skip
        if not head or visible is None:
            assert not expected, who
            continue
        live = {data["message"] for event, data in frames(town, who, visible) if event == "message"}
        own = {
            message
            for message, (thread, seq) in town.messages.items()
            if town.facts.threads[thread][seq - 1][0] == who[0]
        }
        assert expected <= live <= expected | own, who
