"""Keeps the infrastructure tables to their retention, one job for every service."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bookbag.chassis.service import Job

if TYPE_CHECKING:
    from bookbag.chassis.runtime import Runtime


async def purge_infrastructure(runtime: Runtime) -> None:
    """Remove what is past its time: published events after 7 days, marks after 30, answers under a key after 7, counters after 2."""
    database = runtime.across_schools
    await database.execute("delete from outbox where published_at < clock_timestamp() - interval '7 days'")
    await database.execute("delete from processed where processed_at < clock_timestamp() - interval '30 days'")
    await database.execute("delete from attempt where last_at < clock_timestamp() - interval '30 days'")
    await database.execute("delete from idempotency where created_at < clock_timestamp() - interval '7 days'")
    await database.execute("delete from limit_counter where starts_at < clock_timestamp() - interval '2 days'")
    await database.execute(
        "delete from lease where expires_at < clock_timestamp() - interval '1 day' and name like '%?%'"
    )


PURGE = Job("purge_infrastructure", every=timedelta(minutes=10), run=purge_infrastructure)
