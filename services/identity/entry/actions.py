"""Break glass: a member whose role may come in at any time for a reason gives it, and is let in for as long as the policy says (POL-4)."""

from datetime import datetime, timedelta
from uuid import UUID

from bookbag.chassis.runtime import Runtime
from bookbag.directory.policy import rules_at
from bookbag.school.roles import Role
from services.identity.accounts import actions as accounts
from services.identity.accounts.store import account_transaction
from services.identity.acts import Act
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import store
from services.identity.roster import store as roster_store
from services.identity.roster.model import Author, RoleNotEntitled


async def break_glass(runtime: Runtime, cookie: str | None, *, person: UUID, role: Role, reason: str) -> datetime:
    """Let somebody in who is kept out by hour or place; gives until when. On the record with the reason, in the same transaction.

    Raises SignedOut, NotOnRoster for somebody else's membership, RoleNotEntitled for a role to which the policy gives no such way.
    Doing it again starts the time anew, and is recorded again.
    """
    member = await accounts.member_behind(runtime, cookie, person=person, role=role)
    school = member.school.id
    rule = (await rules_at(runtime, school, runtime.clock.now())).policy.staff.access.break_glass
    if role not in rule.roles:
        raise RoleNotEntitled("the school's policy gives this role no way in outside its hours")
    async with account_transaction(runtime) as account:
        tx = await account.enter(school)
        until = tx.now + timedelta(minutes=rule.minutes)
        glass = await store.put_break_glass(tx, person, role, until)
        await feed.record(tx, fact_about(school, glass))
        await roster_store.append_audit(tx, Author(person, role), Act.GLASS_BROKEN, "person", person, reason)
    runtime.signal("changes")
    return until
