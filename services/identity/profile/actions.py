"""What a member may know and change about themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.runtime import Runtime
from bookbag.directory.call import Call, MemberTx
from bookbag.school.roles import Role
from services.identity.roster import actions as roster
from services.identity.roster import store
from services.identity.roster.model import Contact, NotOnRoster, Person, School


@dataclass(frozen=True, slots=True)
class Myself:
    """A person in the role of their token."""

    school: School
    person: Person
    role: Role


async def find_school(runtime: Runtime, code: str) -> School:
    """POL-1. The school with a code, in any case of letters. Raises NotOnRoster."""
    found = await store.find_school(runtime.database, code.upper())
    if found is None:
        raise NotOnRoster("no school has this code")
    return await school_by_id(runtime, found)


async def school_by_id(runtime: Runtime, school: UUID) -> School:
    """Raises NotOnRoster."""
    async with runtime.database.tenant(school) as tx:
        found = await store.school(tx)
    if found is None:
        raise NotOnRoster("no such school")
    return found


async def contacts(runtime: Runtime, school: UUID, people: Sequence[UUID]) -> Sequence[Contact]:
    """Where these people can be reached, however they stand: who delivers decides. Nobody's ids are left out."""
    async with runtime.database.tenant(school) as tx:
        return await store.contacts(tx, people)


async def read_me(call: Call) -> Myself:
    """The member as their school knows them."""
    async with call.transaction() as tx:
        return await _myself(tx)


async def change_language(call: Call, language: str, *, version: int | None) -> Myself:
    """TR-2. Raises EditedMeanwhile unless `version` (None: any) is the newest, InvalidRosterValue for an unknown language."""
    async with call.transaction() as tx:
        await roster.set_language(tx, call.member.person, language, version=version)
        changed = await _myself(tx)
    call.runtime.signal("changes")
    return changed


async def _myself(tx: MemberTx) -> Myself:
    school, person = await store.school(tx), await store.person(tx, tx.person)
    if school is None or person is None:
        raise NotOnRoster("nobody")
    return Myself(school, person, tx.member.role)
