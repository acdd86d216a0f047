"""How long ago each copy of who is who was last complete: the figure by which somebody who was shut out is refused in time."""

from bookbag.chassis import measures
from bookbag.chassis.runtime import Runtime

feed_age = measures.sampled(
    "bookbag_feed_heard_age_seconds",
    "Since a service's copy of who is who was last complete. Past 30 the service refuses rather than guesses.",
    "service_name",
)

NEVER = 1e9
"""Seconds shown for a copy that has never been complete."""


async def sample_feed_age(runtime: Runtime) -> None:
    """For a manifest's `samples`."""
    seconds = await runtime.database.fetchval(
        "select case when isfinite(heard_at) then extract(epoch from clock_timestamp() - heard_at) end from feed_state"
    )
    feed_age.set(NEVER if seconds is None else max(0.0, float(seconds)), runtime.name)
