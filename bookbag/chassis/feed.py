"""An ordered feed of changes out of one database: positions are given after commit by one sequencer, so no reader passes over a
late commit.

A writer inserts into a change table with an empty position, in its business transaction; the sequencer numbers what is committed;
watchers read by position. The table has `(position bigint unique, ordinal identity)` beside its payload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from bookbag.chassis.lease import Leases
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from bookbag.chassis.database import Database
    from bookbag.chassis.runtime import Runtime

log = structlog.get_logger()

IDLE_SECONDS = 0.2


async def sequence_forever(
    runtime: Runtime, number: Callable[[Runtime, str, int], Awaitable[int]], holder: str
) -> None:
    """Number committed changes until cancelled. `number(runtime, lease_holder, fence)` numbers one batch under the fence and gives how
    many; it must refuse (0) when the lease is no longer held."""
    leases = Leases(runtime.across_schools, "sequencer", ["feed"], holder)
    keeping = asyncio.create_task(leases.keep(), name="sequencer lease")
    try:
        with runtime.wake.sleeper(f"{runtime.name}:changes") as sleeper:
            while True:
                fence = leases.held_of("feed")
                try:
                    numbered = await number(runtime, holder, fence) if fence is not None else 0
                except DependencyAway as away:
                    log.warning("sequencer waits", service=runtime.name, dependency=away.name)
                    numbered = 0
                if numbered:
                    runtime.signal("feed")
                else:
                    await sleeper.wait(IDLE_SECONDS)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def sequencer(database: Database) -> str | None:
    """Who gives positions now, as the worker role sees it; None while nobody does. For operators."""
    return await database.fetchval(
        "select holder from lease where name = 'sequencer/feed' and expires_at > clock_timestamp()"
    )
