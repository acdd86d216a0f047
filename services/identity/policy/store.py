"""All SQL of the school's rules. Versions are only ever added; every writing function gives the thing with its revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis.database import Database, Row, Tx
from services.identity.policy.model import BreakGlass, OwnHours, PolicyVersion


def _version(row: Row) -> PolicyVersion:
    return PolicyVersion(
        number=row["number"],
        author=row["author_id"],
        reason=row["reason"],
        made_at=row["made_at"],
        counts_from=row["counts_from"],
        revision=row["revision"],
        author_role=row["author_role"],
        document=row["document"],
        data=row["data"],
    )


@dataclass(frozen=True, slots=True)
class Founding:
    """What a school was founded with."""

    name: str
    zone: str
    preset: str


async def founding_of(tx: Tx) -> Founding:
    """What this school was founded with; locks it, as `lock_versions` does."""
    row = await tx.fetchrow("select name, zone, policy_preset from school where school_id = $1 for update", tx.school)
    assert row is not None
    return Founding(row["name"], row["zone"], row["policy_preset"])


async def lock_versions(tx: Tx) -> None:
    """Let one transaction at a time add a version of this school's policy."""
    await tx.execute("select from school where school_id = $1 for update", tx.school)


async def insert_version(
    tx: Tx, *, author: UUID | None, author_role: str, document: str, data: str, reason: str, counts_from: datetime
) -> PolicyVersion:
    """The next version. Needs `lock_versions`."""
    row = await tx.fetchrow(
        "insert into policy_version (school_id, number, document, data, author_id, author_role, reason, made_at, counts_from)"
        " select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8 from policy_version where school_id = $1 returning *",
        tx.school, document, data, author, author_role, reason, tx.now, counts_from,
    )  # fmt: skip
    assert row is not None
    return _version(row)


async def versions(tx: Tx) -> Sequence[PolicyVersion]:
    """All versions, the oldest first."""
    rows = await tx.fetch("select * from policy_version where school_id = $1 order by number", tx.school)
    return [_version(row) for row in rows]


async def everything(tx: Tx) -> Sequence[PolicyVersion | OwnHours | BreakGlass]:
    """All that the feed tells about the rules of a school."""
    hours = await tx.fetch("select * from own_hours where school_id = $1", tx.school)
    glasses = await tx.fetch("select * from break_glass where school_id = $1 and until > $2", tx.school, tx.now)
    return [
        *await versions(tx),
        *(OwnHours(row["person_id"], row["revision"], row["week"], row["version"]) for row in hours),
        *(BreakGlass(row["person_id"], row["role"], row["revision"], row["until"]) for row in glasses),
    ]


async def schools_without(database: Database) -> Sequence[UUID]:
    """Schools that have no policy yet: those founded before policies were kept."""
    found: list[UUID] = []
    for row in await database.fetch("select school_id from school_code order by school_id"):
        async with database.tenant(row["school_id"]) as tx:
            if not await tx.fetchval("select exists (select from policy_version where school_id = $1)", tx.school):
                found.append(row["school_id"])
    return found
