"""Figures that must be asked of a database, looked up every few seconds by one worker process of each service.

A scrape asks nothing: however many collectors look, and however often, the database is asked once. What the owner of the job no longer
sets is no longer shown, so a figure is never older than half a minute.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bookbag.chassis import measures
from bookbag.chassis.database import BUCKETS, topic_of
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.service import Job

if TYPE_CHECKING:
    from bookbag.chassis.bus import Bus
    from bookbag.chassis.runtime import Runtime

COUNTED = 100_000
"""Beyond so many waiting rows it does not matter how many there are, and counting them would cost."""


async def sample(runtime: Runtime) -> None:
    """The outbox, what is parked and dead, how far the consumer is, and what the service's manifest adds."""
    row = await runtime.across_schools.fetchrow(
        "select (select count(*) from (select from outbox where published_at is null limit $1) o) as waiting,"
        # The first of each bucket, by the index of what waits.
        " (select extract(epoch from clock_timestamp() - min(w.occurred_at)) from generate_series(0, $2 - 1) b cross join lateral"
        "   (select occurred_at from outbox where published_at is null and bucket = b order by ordinal limit 1) w) as oldest,"
        " (select count(*) from (select from parked_record limit $1) p) as parked,"
        " (select count(*) from (select from dead_letter limit $1) d) as dead",
        COUNTED,
        BUCKETS,
    )
    assert row is not None
    if runtime.service.tells:
        measures.outbox_waiting.set(row["waiting"], runtime.name)
        measures.outbox_age.set(max(0.0, float(row["oldest"] or 0)), runtime.name)
    if runtime.service.hears:
        measures.parked.set(row["parked"], runtime.name)
        measures.dead_letters.set(row["dead"], runtime.name)
        await _sample_lag(runtime)
    for look in runtime.service.samples:
        await look(runtime)


async def _sample_lag(runtime: Runtime) -> None:
    bus: Bus | None = runtime.state.get("bus")
    if bus is None:
        return
    topics = sorted({topic_of(event.DESCRIPTOR.full_name) for event in runtime.service.hears})
    behind = dict.fromkeys(topics, 0)
    try:
        found = await bus.lag(runtime.name, topics)
    except DependencyAway:
        return  # the bus's own absence is told elsewhere; the other figures do not wait for it
    for (topic, _), records in found.items():
        behind[topic] += records
    for topic, records in behind.items():
        measures.lag.set(records, runtime.name, topic)


SAMPLE = Job("sample_figures", every=timedelta(seconds=5), run=sample)
