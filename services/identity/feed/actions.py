"""How the feed moves: numbering what is committed, reading on from a position, and the snapshot a new service begins with."""

from collections.abc import AsyncIterator, Sequence

from bookbag.chassis.feed import sequence_forever
from bookbag.chassis.runtime import Runtime
from bookbag.identity.v1 import access_pb2 as pb
from services.identity.feed import store
from services.identity.feed.events import fact_about
from services.identity.policy import store as policy
from services.identity.roster import store as roster

PAGE = 500
"""Changes in one answer."""

BEAT_SECONDS = 1.0
"""A watcher hears at least so often; three seconds of silence count as away (bookbag.directory.projector)."""


async def sequence(runtime: Runtime) -> None:
    """The sequencer of a worker process; one of all does the work, by a lease."""

    async def number(runtime: Runtime, holder: str, fence: int) -> int:
        return await store.number(runtime.across_schools, holder, fence, PAGE)

    await sequence_forever(runtime, number, str(runtime.state["holder"]))


async def watch(runtime: Runtime, after: int) -> AsyncIterator[store.Reading]:
    """Every change after a position, in order, until this process stops; a reading without changes is the beat. Raises
    DependencyAway."""
    with runtime.wake.sleeper(f"{runtime.name}:feed") as sleeper:
        while not runtime.wake.stopping:
            reading = await store.read(runtime.database, after, PAGE)
            yield reading
            if reading.changes:
                after = reading.changes[-1].position
            if len(reading.changes) < PAGE:
                await sleeper.wait(BEAT_SECONDS)


async def snapshot(runtime: Runtime) -> AsyncIterator[tuple[Sequence[pb.AccessChange], int]]:
    """All facts of all schools in pages; the last answer is empty and carries the position to watch from.

    The position is read first: a change that comes while the pages are read is in them, or after the position, or both, and
    facts may be applied twice.
    """
    position = await store.position(runtime.database)
    for school in await store.schools(runtime.database):
        async with runtime.database.tenant(school) as tx:
            changes = [fact_about(school, thing) async for thing in roster.everything(tx)]
            changes += [fact_about(school, thing) for thing in await policy.everything(tx)]
            changes += await store.ended_sessions(tx)
        for start in range(0, len(changes), PAGE):
            yield changes[start : start + PAGE], 0
    yield [], position
