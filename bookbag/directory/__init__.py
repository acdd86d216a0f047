"""Each service's own copy of who is who: fed by identity's access feed, asked in the very statement that reads or writes.

So a write asks no sibling, and a person whose right has ended is refused everywhere within seconds. A service that has not heard from
identity for thirty seconds answers `access-unknown` instead of guessing.
"""

from pathlib import Path

MIGRATIONS = ("directory", Path(__file__).parent / "migrations")
"""The history of the projection tables; stands after the chassis' in a service's manifest."""
