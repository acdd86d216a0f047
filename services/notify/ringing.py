"""Whether somebody's phone may ring now: the school's rules, asked when a mail is about to leave (POL-5, NTF-2)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.chassis.problems import DependencyAway, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.directory import policy
from bookbag.identity.v1.access_pb2 import AccessChange
from bookbag.school.policy.rules import Ring, may_ring
from bookbag.school.roles import Role
from services.notify import store
from services.notify.model import Mail

LOOK_AGAIN = timedelta(days=1)
"""When to look again where the calendar knows no opening."""

OBEYED_AFTER = timedelta(seconds=2)
"""A process may decide by rules that are a second old: after so long, none decides by those before a change."""


async def silent_until(runtime: Runtime, school: UUID, mail: Mail, now: datetime) -> datetime | None:
    """Until when this mail waits for the hours of its reader; None when it may go. Somebody with several roles is rung when one of
    those in which they may read it is. Raises DependencyAway while the rules are not known."""
    try:
        rings = [
            may_ring(
                await policy.person_at(runtime, school, mail.person, Role(role), now),
                now,
                about_safety=mail.about_safety,
            )
            for role in mail.roles
        ]
    except Problem as unknown:
        raise DependencyAway("identity") from unknown
    return None if any(ring.now for ring in rings) else _first_opening(rings) or now + LOOK_AGAIN


def _first_opening(rings: Sequence[Ring]) -> datetime | None:
    return min((ring.opens for ring in rings if ring.opens is not None), default=None)


async def note_policy(tx: Tx, change: AccessChange) -> None:
    """Another version of the rules: mails that wait for hours are looked at again when it counts."""
    counts_from = change.policy_version.counts_from.ToDatetime(tzinfo=UTC)
    await store.look_anew(tx, max(counts_from, tx.now + OBEYED_AFTER))


async def note_own_hours(tx: Tx, change: AccessChange) -> None:
    """Somebody changed their own hours (POL-3): their mails that wait are looked at again, sooner than they would be. What waits too
    short needs nothing: it is decided anew when its hour comes."""
    await store.look_anew(tx, tx.now + OBEYED_AFTER, person=UUID(change.own_hours.person_id))
