"""Whether a member may come in, or stay, at this hour and from this place (POL-4): asked for each request, each token and each live stream.

Only staff are ever limited. Who came in for a reason (break glass) may stay until the time that was noted for them.
"""

from datetime import datetime
from uuid import UUID

import grpc

from bookbag.chassis.problems import Problem, ProblemKind
from bookbag.chassis.runtime import Runtime
from bookbag.directory.policy import glass_until
from bookbag.school.policy.rules import Person, may_enter
from bookbag.school.policy.rules.compiled import Address

OUTSIDE_HOURS = ProblemKind(
    "outside-hours",
    403,
    "Your school lets staff in during its working hours only; `opens` says when they begin again.",
    grpc.StatusCode.PERMISSION_DENIED,
)
OUTSIDE_NETWORK = ProblemKind(
    "outside-network",
    403,
    "Your school lets staff in from its own network only. Come back when you are at school.",
    grpc.StatusCode.PERMISSION_DENIED,
)

KINDS = (OUTSIDE_HOURS, OUTSIDE_NETWORK)
"""The refusals that every route of a member may give for the hour or the place."""


async def prove_entry(
    runtime: Runtime, school: UUID, person: UUID, who: Person, at: datetime, address: Address | None
) -> None:
    """Raise Problem `outside-hours` or `outside-network` for somebody whom the school's rules keep out just now.

    `opens` in the document is when the hours begin again, absent when the calendar knows no such time; `break_glass_minutes` is for
    how long somebody in this role may come in for a reason, absent when they may not.
    """
    if not who.is_staff:
        return
    entry = may_enter(who, at, address)
    if entry.allowed or await glass_until(runtime, school, person, who.role) > at:
        return
    extra: dict[str, str | int] = {} if entry.opens is None else {"opens": entry.opens.isoformat()}
    glass = who.rules.policy.staff.access.break_glass
    if who.role in glass.roles:
        extra["break_glass_minutes"] = glass.minutes
    raise Problem(OUTSIDE_NETWORK if who.entry.is_open(at) else OUTSIDE_HOURS, extra=extra)
