"""The door that may be closed (POL-4): why it is and when that changes, and the way in for a reason (break glass).

Both are asked with the cookie, since no token is given to whom the hours or the place keep out.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from uuid import UUID

from bookbag.chassis.problems import Problem
from bookbag.chassis.runtime import Runtime
from bookbag.directory import entry
from bookbag.directory.policy import person_at, policy_channel, rules_at, say_changed
from bookbag.school.policy.preview import Explained, explain
from bookbag.school.policy.rules.compiled import Address
from bookbag.school.roles import Role
from services.identity.accounts import actions as accounts
from services.identity.accounts.store import account_transaction
from services.identity.acts import Act
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import store
from services.identity.roster import store as roster_store
from services.identity.roster.model import Author, RoleNotEntitled

LOOK_SECONDS = 2.0
"""At the latest so often somebody who waits at the door is looked at again."""

WAITS_SECONDS = 25.0
"""How long an answer is kept back while nothing changes: less than any gateway takes for a dead connection."""


@dataclass(frozen=True, slots=True)
class Door:
    """Whether somebody may come in just now; if not, the refusal. `why` has every decision of the rules about them."""

    at: datetime
    refusal: Problem | None
    why: Sequence[Explained]

    @property
    def mark(self) -> str:
        """Stands for what somebody at the door is told of it; another one once that is something else."""
        told = "open" if self.refusal is None else repr(sorted(self.refusal.document().items()))
        return blake2s(told.encode(), digest_size=8).hexdigest()


async def door_of(
    runtime: Runtime, cookie: str | None, *, person: UUID, role: Role, address: Address | None, seen: str | None
) -> Door:
    """The door as it is for one membership; where the one asking has `seen` it so already, its answer waits until it is otherwise,
    for at most half a minute. Raises SignedOut, NotOnRoster for somebody else's membership, MembershipSuspended."""
    member = await accounts.member_behind(runtime, cookie, person=person, role=role)
    school, ends = member.school.id, time.monotonic() + WAITS_SECONDS
    with runtime.wake.sleeper(policy_channel(runtime, school)) as sleeper:
        while True:
            door = await _door(runtime, school, person, role, address)
            left = ends - time.monotonic()
            if door.mark != seen or left <= 0 or runtime.wake.stopping:
                return door
            await sleeper.wait(min(LOOK_SECONDS, left))


async def _door(runtime: Runtime, school: UUID, person: UUID, role: Role, address: Address | None) -> Door:
    now = runtime.clock.now()
    who = await person_at(runtime, school, person, role, now)
    refusal: Problem | None = None
    try:
        await entry.prove_entry(runtime, school, person, who, now, address)
    except Problem as refused:
        if refused.kind not in entry.KINDS:
            raise
        refusal = refused
    return Door(now, refusal, explain(who, now, "en", address=address))


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
    say_changed(runtime, school)
    return until
