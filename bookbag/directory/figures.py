"""How long ago each copy of who is who was last complete: the figure by which somebody who was shut out is refused in time."""

from collections.abc import Sequence
from typing import Any

from bookbag.chassis import measures
from bookbag.chassis.database import Database
from bookbag.chassis.runtime import Runtime

feed_age = measures.sampled(
    "bookbag_feed_heard_age_seconds",
    "Since a service's copy of who is who was last complete. Past 30 the service refuses rather than guesses.",
    "service_name",
)

LATE, STALE = 5.0, 30.0
"""Seconds after which somebody should look, and after which the service answers `access-unknown`."""

NEVER = 1e9
"""Seconds shown for a copy that has never been complete."""


async def sample_feed_age(runtime: Runtime) -> None:
    """For a manifest's `samples`."""
    seconds = await runtime.database.fetchval(
        "select case when isfinite(heard_at) then extract(epoch from clock_timestamp() - heard_at) end from feed_state"
    )
    feed_age.set(NEVER if seconds is None else max(0.0, float(seconds)), runtime.name)


async def copy_status(database: Database) -> Sequence[dict[str, Any]]:
    """How far a service's copy is and since when it is not known to be complete; nothing for a service without one. For operators."""
    if await database.fetchval("select to_regclass('feed_state')") is None:
        return []
    row = await database.fetchrow(
        "select position, case when isfinite(heard_at) then extract(epoch from clock_timestamp() - heard_at) end as age"
        " from feed_state"
    )
    if row is None or row["age"] is None:
        return [{"position": None, "heard_seconds_ago": None, "state": "never complete: every request is refused"}]
    age = max(0.0, float(row["age"]))
    state = "complete" if age <= LATE else "late" if age <= STALE else "too old: every request is refused"
    return [{"position": row["position"], "heard_seconds_ago": round(age, 1), "state": state}]
