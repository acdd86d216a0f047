"""Each service's own copy of who is who: fed by identity's access feed, asked in the very statement that reads or writes.

So a write asks no sibling, and a person whose right has ended is refused everywhere within seconds. A service that has not heard from
identity for thirty seconds answers `access-unknown` instead of guessing.
"""

from pathlib import Path

from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Restored

MIGRATIONS = ("directory", Path(__file__).parent / "migrations")
"""The history of the projection tables; stands after the chassis' in a service's manifest."""


async def first_copy(runtime: Runtime) -> None:
    """Raise DependencyAway until there is a copy at all. Stands in a manifest's `needs`.

    Later silence of identity is not asked about here: the service says `access-unknown` itself, and a process that were taken out of
    service for it could not.
    """
    if await runtime.database.fetchval("select position from feed_state") is None:
        raise DependencyAway("identity")


async def unheard(restored: Restored) -> None:
    """A copy that came out of a backup is not known to be complete, however young the backup: it has to hear so first. Stands in a
    manifest's `restored`. It goes on from its position, because identity is taken last and knows every position that a copy has."""
    await restored.execute("update feed_state set heard_at = '-infinity'")
