"""Sensitive changes to the roster on behalf of staff: the role is proved first, then the object, then the change is made and recorded."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from bookbag.directory.call import Call, MemberTx
from bookbag.school.roles import Role
from services.identity.roster import actions as roster
from services.identity.roster.model import MAY_END_GUARDIANSHIPS, Author, require_role


@asynccontextmanager
async def as_one_of(call: Call, roles: frozenset[Role]) -> AsyncGenerator[tuple[MemberTx, Author]]:
    """A transaction of a member who stands in one of these roles. Raises RoleNotEntitled for any other role."""
    async with call.transaction() as tx:
        require_role(call.member.role, roles)
        yield tx, Author(call.member.person, call.member.role)
    call.runtime.signal("changes")


async def end_guardianship(call: Call, link: UUID, reason: str) -> None:
    """The adult loses this child everywhere within seconds. Raises RoleNotEntitled, NotOnRoster; may be repeated."""
    async with as_one_of(call, MAY_END_GUARDIANSHIPS) as (tx, author):
        await roster.end_guardianship(tx, link, author=author, reason=reason)
