"""Suspending and letting back. The membership's standing refuses everywhere within seconds; the suspension says why and until when."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bookbag.chassis.runtime import Runtime
from bookbag.directory.call import Call
from bookbag.school.roles import Role
from services.identity.acts import Act
from services.identity.office.actions import as_one_of
from services.identity.roster import actions as roster
from services.identity.roster import store as roster_store
from services.identity.roster.model import MAY_SUSPEND, Author, Standing, require_role
from services.identity.suspensions import model, store
from services.identity.suspensions.model import Guardian, Suspension

AT_ONCE = 100
"""Suspensions ended by one run of the job; the next run takes the rest."""

BY_ITSELF = Author(None, "suspension")


async def suspend_guardian(call: Call, person: UUID, *, reason: str, until: datetime | None) -> None:
    """ID-11. The guardian's role only. Repeated for somebody suspended it changes reason and end.

    Raises RoleNotEntitled, NotOnRoster for anybody who is no guardian here, InvalidRosterValue for an impossible end.
    """
    async with as_one_of(call, MAY_SUSPEND) as (tx, author):
        end = model.checked_end(until, tx.now)
        held = await roster_store.lock_membership(tx, person, Role.GUARDIAN)
        was_suspended = held is not None and held.standing is Standing.SUSPENDED
        await roster.suspend_guardian(tx, person, author=author, reason=reason)
        changed = await store.put_open(tx, person, author=author, reason=reason, until=end)
        if was_suspended and changed:
            await roster_store.append_audit(tx, author, Act.SUSPENSION_CHANGED, "person", person, reason)


async def reinstate_guardian(call: Call, person: UUID) -> None:
    """ID-11. Raises RoleNotEntitled, NotOnRoster for anybody who is no guardian here; may be repeated."""
    async with as_one_of(call, MAY_SUSPEND) as (tx, author):
        await roster.reinstate_guardian(tx, person, author=author)
        await store.close(tx, person, by=author.person)


async def suspensions(call: Call, limit: int) -> Sequence[Suspension]:
    """ID-11. Open ones first. Raises RoleNotEntitled for anybody but leaders."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_SUSPEND)
        return await store.listed(tx, limit)


async def guardians(call: Call, text: str, limit: int) -> Sequence[Guardian]:
    """Guardians by their name or a child's. Raises RoleNotEntitled for anybody but leaders."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_SUSPEND)
        return await store.guardians(tx, text, limit)


async def end_due(runtime: Runtime) -> int:
    """End the suspensions whose end has come, of every school, each in its own transaction; gives how many."""
    found = await store.over(runtime.across_schools, runtime.clock.now(), AT_ONCE)
    for school, person in found:
        async with runtime.database.tenant(school) as tx:
            # The membership first, as when a leader ends it: the order of locks is one.
            held = await roster_store.lock_membership(tx, person, Role.GUARDIAN)
            if await store.lock_over(tx, person):
                if held is not None and held.standing is Standing.SUSPENDED:
                    await roster.reinstate_guardian(tx, person, author=BY_ITSELF)
                await store.close(tx, person, by=None)
    if found:
        runtime.signal("changes")
    return len(found)
