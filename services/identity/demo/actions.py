"""Makes the demo schools and signs visitors in as their people; everything goes through the actions a real school uses."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Tx
from bookbag.chassis.runtime import Runtime
from bookbag.school.policy.parse import checked
from bookbag.school.policy.rules import SchoolRules
from bookbag.school.roles import Role, SeatKind
from services.identity.accounts import actions as accounts
from services.identity.accounts import store as account_store
from services.identity.accounts.store import account_transaction
from services.identity.demo.cast import BRAMLEY_LANE, PASSWORD, SCHOOLS, DemoClass, DemoSchool, note_of
from services.identity.policy import actions as policy
from services.identity.policy import store as policy_store
from services.identity.roster import actions as roster
from services.identity.roster import store as roster_store
from services.identity.roster.model import NotOnRoster, Person, School
from services.identity.settings import IdentitySettings
from services.identity.terms import actions as terms


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody a visitor of the demo can be."""

    person: Person
    role: Role
    note: str


async def seed(runtime: Runtime) -> None:
    """Make the demo schools that do not exist yet, each in one transaction. May be repeated."""
    wanted = [one for one in SCHOOLS if await roster_store.find_school(runtime.database, one.code) is None]
    if not wanted:
        return
    password_hash = await accounts.passwords_of(runtime).hash(PASSWORD)
    settings: IdentitySettings = runtime.settings
    own_rules = settings.demo_policy.read_text(encoding="utf-8") if settings.demo_policy is not None else None
    for cast in wanted:
        async with runtime.database.tenant(new_id()) as tx:
            await _build(tx, cast, password_hash, own_rules)
    runtime.signal("changes")


async def people(runtime: Runtime) -> tuple[School, Sequence[DemoPerson]]:
    """The first demo school and everybody in it who can sign in, by role. Raises NotOnRoster where there is no demo."""
    found = await roster_store.find_school(runtime.database, BRAMLEY_LANE.code)
    if found is None:
        raise NotOnRoster("there is no demo school")
    async with runtime.database.tenant(found) as tx:
        school = await roster_store.school(tx)
        assert school is not None
        listed: list[DemoPerson] = []
        for one in await account_store.linked_people(tx):
            person = await roster_store.person(tx, one)
            assert person is not None
            listed += [
                DemoPerson(person, held.role, note_of(BRAMLEY_LANE, person.name, held.role))
                for held in await roster_store.memberships(tx, one)
                if held.standing != "ended"
            ]
    order = [Role.TEACHER, Role.GUARDIAN, Role.SPECIALIST, Role.ASSISTANT, Role.OFFICE, Role.LEADER, Role.SAFEGUARDING]
    ranked = {role: rank for rank, role in enumerate([*order, Role.PUPIL])}
    cast = [adult.name for adult in BRAMLEY_LANE.adults]
    return school, sorted(
        listed,
        key=lambda one: (
            ranked[one.role], cast.index(one.person.name) if one.person.name in cast else len(cast), one.person.name,
        ),
    )  # fmt: skip


async def begin_demo_session(runtime: Runtime, *, person: UUID, role: Role, user_agent: str) -> accounts.SignedIn:
    """A real session, without a password, for somebody the demo offers. Raises NotOnRoster for anybody else."""
    school, offered = await people(runtime)
    if not any(one.person.id == person and one.role is role for one in offered):
        raise NotOnRoster("nobody the demo offers")
    async with account_transaction(runtime) as tx:
        account = await account_store.account_of(tx, school.id, person)
        assert account is not None
        return await accounts.begin_session(runtime, tx, account, user_agent)


async def _build(tx: Tx, cast: DemoSchool, password_hash: str, own_rules: str | None) -> None:
    await roster.create_school(
        tx, code=cast.code, name=cast.name, country="GB", zone="Europe/London", language="en",
        policy_preset=cast.policy_preset,
    )  # fmt: skip
    if own_rules is not None:
        await policy.put_in_force(tx, own_rules, reason="The demo was founded with this document.")
    pupils = await _pupils(tx, cast)
    adults: dict[str, UUID] = {}
    for adult in cast.adults:
        person = await roster.add_person(
            tx, name=adult.name, first_name=adult.first_name, language=adult.language, email=adult.email
        )
        adults[adult.name] = person.id
        for role in adult.roles:
            await roster.add_membership(tx, person.id, role)
        for child, relationship in adult.children:
            await roster.link_guardian(tx, pupils[child], person.id, relationship)
        await accounts.add_account(tx, person.id, email=adult.email, password_hash=password_hash)
    for one in cast.classes:
        await _open_class(tx, cast, one, pupils, adults)
    await _open_seats_of_the_school(tx, cast, adults)
    await _accept_terms(tx)


async def _accept_terms(tx: Tx) -> None:
    """The demo's people have accepted: a visitor who looks through somebody's eyes is not asked in their name."""
    rules = SchoolRules(checked(json.loads((await policy_store.versions(tx))[-1].data)))
    for one in await account_store.linked_people(tx):
        person = await roster_store.person(tx, one)
        assert person is not None
        for held in await roster_store.memberships(tx, one):
            await terms.note_accepted(tx, rules, one, held.role, name=person.name)


async def _pupils(tx: Tx, cast: DemoSchool) -> Mapping[str, UUID]:
    """Every pupil is a person of the school; those who sign in have a role and an account without an e-mail."""
    made: dict[str, UUID] = {}
    for name in (pupil for one in cast.classes for pupil in one.pupils):
        person = await roster.add_person(tx, name=name, first_name=name.split()[0], language="en")
        made[name] = person.id
        if name in cast.signing_in_pupils:
            await roster.add_membership(tx, person.id, Role.PUPIL)
            await accounts.add_account(tx, person.id, email=None, password_hash=None)
    return made


async def _open_class(
    tx: Tx, cast: DemoSchool, one: DemoClass, pupils: Mapping[str, UUID], adults: Mapping[str, UUID]
) -> None:
    opened = await roster.open_class(tx, one.name)
    for pupil in one.pupils:
        await roster.enrol_pupil(tx, opened.id, pupils[pupil])
    seat = await roster.open_seat(tx, SeatKind.CLASS_TEACHER, school_class=opened.id)
    await roster.seat_person(tx, seat.id, adults[one.teacher])
    for holder, subject in cast.specialists:
        seat = await roster.open_seat(tx, SeatKind.SPECIALIST, school_class=opened.id, subject=subject)
        await roster.seat_person(tx, seat.id, adults[holder])


async def _open_seats_of_the_school(tx: Tx, cast: DemoSchool, adults: Mapping[str, UUID]) -> None:
    for kind, role in ((SeatKind.OFFICE, Role.OFFICE), (SeatKind.LEADERS, Role.LEADER)):
        holders = [adult.name for adult in cast.adults if role in adult.roles]
        if holders:
            seat = await roster.open_seat(tx, kind)
            for name in holders:
                await roster.seat_person(tx, seat.id, adults[name])
