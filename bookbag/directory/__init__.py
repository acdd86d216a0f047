"""Each service's own copy of who is who: fed by identity's access feed, asked in the very statement that reads or writes.

So a write asks no sibling, and a person whose right has ended is refused everywhere within seconds. A service that has not heard from
identity for thirty seconds answers `access-unknown` instead of guessing.
"""

from pathlib import Path

from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Restored
from bookbag.directory.figures import STALE

MIGRATIONS = ("directory", Path(__file__).parent / "migrations")
"""The history of the projection tables; stands after the chassis' in a service's manifest."""

_HEARD = "who is who was complete"
"""Where a runtime keeps that it has seen so."""


async def has_heard(runtime: Runtime) -> None:
    """Raise DependencyAway until this process has seen the copy complete once. Stands in a manifest's `needs`: after a first start, a long
    rest or a restore the service would refuse everybody.

    Later silence of identity is not asked about here: the service says `access-unknown` itself, and a process that were taken out of
    service for it could not.
    """
    if _HEARD in runtime.state:
        return
    fresh = "select position is not null and heard_at > clock_timestamp() - make_interval(secs => $1) from feed_state"
    if not await runtime.database.fetchval(fresh, STALE):
        raise DependencyAway("identity")
    runtime.state[_HEARD] = True


async def unheard(restored: Restored) -> None:
    """A copy that came out of a backup is not known to be complete, however young the backup: it has to hear so first. Stands in a
    manifest's `restored`. It goes on from its position, because identity is taken last and knows every position that a copy has."""
    await restored.execute("update feed_state set heard_at = '-infinity'")
