"""Two schools with one of everybody, made through identity as a real school is, and a thread that has been written in.

A persona is a person in a role with a right, or without one, to the thread between Maya's family and the teacher of Oak.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.database import Tx
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role, SeatKind
from services.identity.accounts import actions as accounts
from services.identity.accounts.store import account_transaction
from services.identity.policy import actions as policy
from services.identity.roster import actions as roster
from services.identity.roster.model import OPERATOR
from tests.support.policy import open_hours
from tests.support.whole import Whole

PASSWORD = "the long password of everybody here"

STAFF = {
    "teacher": Role.TEACHER, "other class teacher": Role.TEACHER, "specialist": Role.SPECIALIST,
    "assistant": Role.ASSISTANT, "office": Role.OFFICE, "leader": Role.LEADER, "safeguarding": Role.SAFEGUARDING,
    "parent as teacher": Role.TEACHER,
}  # fmt: skip
FAMILY = {
    "guardian": "Maya", "second guardian": "Maya", "other child's guardian": "Sami", "ended guardian": "Maya",
    "suspended guardian": "Maya", "spare guardian": "Zofia",
}  # fmt: skip
FOREIGN = ("foreign teacher", "foreign guardian")
PUPILS = {"pupil": "Maya", "other pupil": "Sami"}
PERSONAS = (*STAFF, *(name for name in FAMILY if name != "spare guardian"), "parent as guardian", *PUPILS, *FOREIGN)
"""Everybody a row of the matrix answers."""


@dataclass
class Class:
    """A class with the seats families write to."""

    id: UUID
    teacher_seat: UUID
    art_seat: UUID


@dataclass
class School:
    """What a test may need to name of one school."""

    id: UUID
    code: str
    people: dict[str, tuple[UUID, Role]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    pupils: dict[str, UUID] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    links: dict[str, UUID] = field(default_factory=dict)
    last_link: UUID | None = None


@dataclass
class World:
    """The schools, the thread, and everybody's credentials."""

    product: Whole
    school: School
    foreign: School
    sessions: dict[str, tuple[UUID, str]] = field(default_factory=dict)
    """Session and refresh token of some personas."""
    objects: dict[str, str] = field(default_factory=dict)
    """What `$name` in the matrix stands for."""

    def at(self, persona: str) -> tuple[UUID, UUID, Role]:
        """School, person and role."""
        school = self.foreign if persona in FOREIGN else self.school
        person, role = school.people[persona]
        return school.id, person, role

    def headers(self, persona: str, **more: Any) -> dict[str, str]:
        return self.product.house.bearer(*self.at(persona), **more)

    def ask(self, persona: str, method: str, path: str, json: Any = None, **more: Any) -> httpx2.Response:
        with self.product.client(self.headers(persona, **more)) as client:
            return client.request(method, path, json=json)

    def says(self, persona: str, thread: str, text: str) -> dict[str, Any]:
        answer = self.ask(persona, "POST", f"/messaging/v1/threads/{thread}/messages", {"text": text})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def opens(self, persona: str, pupil: UUID, seat: UUID) -> str:
        answer = self.ask(persona, "POST", "/messaging/v1/threads", {"pupil": str(pupil), "seat": str(seat)})
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["id"]

    def name_of(self, persona: str) -> str:
        return (self.foreign if persona in FOREIGN else self.school).names[persona]


async def _person(tx: Tx, school: School, label: str, *roles: Role, name: str | None = None) -> UUID:
    """Somebody with an account whose name and address are found nowhere else."""
    mark = tx.school.hex[-6:].capitalize()
    school.names[label] = name or f"{label.replace(' ', '').replace(chr(39), '').capitalize()}{mark} Surname{mark}"
    school.emails[label] = f"{new_id().hex}@people.example"
    email = school.emails[label]
    person = await roster.add_person(
        tx, name=school.names[label], first_name=school.names[label].split()[0], language="en", email=email
    )
    for role in roles:
        await roster.add_membership(tx, person.id, role)
    return person.id


async def _class(tx: Tx, name: str, pupils: list[UUID], teacher: UUID, specialist: UUID | None) -> Class:
    made = await roster.open_class(tx, name)
    for pupil in pupils:
        await roster.enrol_pupil(tx, made.id, pupil)
    seat = await roster.open_seat(tx, SeatKind.CLASS_TEACHER, school_class=made.id)
    art = await roster.open_seat(tx, SeatKind.SPECIALIST, school_class=made.id, subject="Art")
    await roster.seat_person(tx, seat.id, teacher)
    if specialist is not None:
        await roster.seat_person(tx, art.id, specialist)
    return Class(made.id, seat.id, art.id)


async def _school(runtime: Runtime, fill: Any) -> School:
    school = School(new_id(), "")
    school.code = "S" + school.id.hex[-7:].upper()
    async with runtime.database.tenant(school.id) as tx:
        await roster.create_school(
            tx, code=school.code, name=f"School {school.code}", country="GB", zone="Europe/London", language="en",
            policy_preset="quiet-evenings",
        )  # fmt: skip
        await policy.put_in_force(tx, open_hours(), reason="Tests run at any hour.")
        await fill(runtime, tx, school)
    return school


async def _link(tx: Tx, school: School, label: str, pupil: str, person: UUID) -> None:
    link = await roster.link_guardian(tx, school.pupils[pupil], person, "guardian")
    school.links[label], school.last_link = link.id, link.id


async def _accounts(runtime: Runtime, tx: Tx, school: School) -> None:
    password = await accounts.passwords_of(runtime).hash(PASSWORD)
    for label in sorted({"parent": "parent as teacher"}.get(label, label) for label in school.emails):
        await accounts.add_account(
            tx,
            school.people[label][0],
            email=school.emails.get(label, school.emails.get("parent")),
            password_hash=password,
        )


async def _fill_home(runtime: Runtime, tx: Tx, school: School) -> None:
    for name in ("Maya", "Sami", "Zofia", "Hamza"):
        roles = (Role.PUPIL,) if name in PUPILS.values() else ()
        school.pupils[name] = await _person(tx, school, name, *roles, name=f"{name} {tx.school.hex[-6:].capitalize()}")
        school.people[name] = (school.pupils[name], Role.PUPIL)
    for label, role in STAFF.items():
        if label != "parent as teacher":
            school.people[label] = (await _person(tx, school, label, role), role)
    parent = await _person(tx, school, "parent", Role.TEACHER, Role.GUARDIAN)
    school.people |= {"parent as teacher": (parent, Role.TEACHER), "parent as guardian": (parent, Role.GUARDIAN)}
    school.names |= dict.fromkeys(("parent as teacher", "parent as guardian"), school.names["parent"])
    for label, pupil in PUPILS.items():
        school.people[label], school.names[label] = (school.pupils[pupil], Role.PUPIL), school.names[pupil]
    people = school.people
    oak = [school.pupils[name] for name in ("Maya", "Sami", "Zofia")]
    school.classes["Oak"] = await _class(tx, "Oak", oak, people["teacher"][0], people["specialist"][0])
    teacher = people["other class teacher"][0]
    school.classes["Willow"] = await _class(tx, "Willow", [school.pupils["Hamza"]], teacher, None)
    await roster.seat_person(tx, school.classes["Willow"].teacher_seat, parent)
    for kind, label in ((SeatKind.OFFICE, "office"), (SeatKind.LEADERS, "leader")):
        seat = await roster.open_seat(tx, kind)
        await roster.seat_person(tx, seat.id, people[label][0])
    for label, pupil in FAMILY.items():
        person = await _person(tx, school, label, Role.GUARDIAN)
        school.people[label] = (person, Role.GUARDIAN)
        await _link(tx, school, label, pupil, person)
    await _link(tx, school, "parent as guardian", "Maya", parent)
    await _accounts(runtime, tx, school)


async def _fill_foreign(runtime: Runtime, tx: Tx, school: School) -> None:
    school.pupils["Lucia"] = await _person(tx, school, "Lucia")
    school.people["Lucia"] = (school.pupils["Lucia"], Role.PUPIL)
    for label, role in (("foreign teacher", Role.TEACHER), ("foreign guardian", Role.GUARDIAN)):
        school.people[label] = (await _person(tx, school, label, role), role)
    teacher = school.people["foreign teacher"][0]
    school.classes["Oak"] = await _class(tx, "Oak", [school.pupils["Lucia"]], teacher, None)
    await _link(tx, school, "foreign guardian", "Lucia", school.people["foreign guardian"][0])
    await _accounts(runtime, tx, school)


async def _begin_session(runtime: Runtime, email: str) -> tuple[UUID, str]:
    from services.identity.accounts import model, store

    async with account_transaction(runtime) as tx:
        account = await store.account_by_email(tx, model.email_key(email))
        assert account is not None
        begun = await accounts.begin_session(runtime, tx, account.id, "a test")
    return begun.session.id, begun.refresh


def build_world(product: Whole) -> World:
    """Make the schools, let everybody hear of them, write in the thread, then take rights away."""

    async def make(runtime: Runtime) -> World:
        return World(product, await _school(runtime, _fill_home), await _school(runtime, _fill_foreign))

    world = product.as_identity(make)
    home, foreign = world.school, world.foreign
    product.wait_until_all_know("known_link", link_id=foreign.last_link)
    product.wait_until_all_know("known_link", link_id=home.last_link)
    thread = world.opens("teacher", home.pupils["Maya"], home.classes["Oak"].teacher_seat)
    said = world.says("teacher", thread, "Swimming is on Thursday.")
    world.says("guardian", thread, "Thank you, Maya is looking forward to it.")
    theirs = world.opens("foreign teacher", foreign.pupils["Lucia"], foreign.classes["Oak"].teacher_seat)
    world.says("foreign teacher", theirs, "Nobody at the other school reads this.")

    async def take_away(runtime: Runtime) -> None:
        async with runtime.database.tenant(home.id) as tx:
            await roster.end_guardianship(tx, home.links["ended guardian"], author=OPERATOR, reason="a test")
            await roster.suspend_guardian(tx, home.people["suspended guardian"][0], author=OPERATOR, reason="a test")
        for label in ("guardian", "teacher", "foreign guardian", "ended session"):
            school = foreign if label.startswith("foreign") else home
            email = school.emails["guardian" if label == "ended session" else label]
            world.sessions[label] = await _begin_session(runtime, email)
        runtime.signal("changes")

    product.as_identity(take_away)
    product.wait_until_all_know("known_link", link_id=home.links["ended guardian"], ended=True)
    product.wait_until_all_know(
        "known_membership", person_id=home.people["suspended guardian"][0], standing="suspended"
    )
    ended, _ = world.sessions["ended session"]
    assert world.ask("guardian", "DELETE", "/identity/v1/sessions/current", session=ended).status_code == 204
    product.wait_until_all_know("known_ended_session", session_id=ended, school_id=home.id)
    world.objects = {
        "message": said["id"],
        "thread": thread,
        "pupil": str(home.pupils["Maya"]),
        "seat": str(home.classes["Oak"].teacher_seat),
        "spare_link": str(home.links["spare guardian"]),
        "spare_guardian": str(home.people["spare guardian"][0]),
        "session": str(world.sessions["guardian"][0]),
        "guardian": str(home.people["guardian"][0]),
        "code": home.code,
    }
    return world


def long_ago() -> MovableClock:
    """A clock by which a token has run out by now."""
    return MovableClock(datetime.now(UTC) - timedelta(minutes=11))
