"""All SQL of the school's rules. Versions are only ever added; every writing function gives the thing with its revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis.database import Database, Row, Tx
from bookbag.school.policy.versions import Version
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


def _hours(row: Row) -> OwnHours:
    return OwnHours(row["person_id"], row["revision"], row["week"], row["version"])


async def own_hours(tx: Tx, person: UUID) -> OwnHours:
    """The hours of one person; empty, as version 0, for somebody who never had any."""
    row = await tx.fetchrow("select * from own_hours where school_id = $1 and person_id = $2", tx.school, person)
    return _hours(row) if row else OwnHours(person, 0, "", 0)


async def put_own_hours(tx: Tx, person: UUID, week: str, *, version: int | None) -> OwnHours | None:
    """The hours as they stand now, or None when `version` is not the newest one. None as a version matches any."""
    row = await tx.fetchrow(
        "insert into own_hours as h (school_id, person_id, week) select $1, $2, $3 where coalesce($4, 0) = 0 or exists"
        " (select from own_hours where school_id = $1 and person_id = $2)"
        " on conflict (school_id, person_id) do update set week = excluded.week, version = h.version + 1"
        " where h.version = coalesce($4, h.version) returning *",
        tx.school, person, week, version,
    )  # fmt: skip
    return _hours(row) if row else None


async def put_break_glass(tx: Tx, person: UUID, role: str, until: datetime) -> BreakGlass:
    """Note until when somebody may stay."""
    row = await tx.fetchrow(
        "insert into break_glass (school_id, person_id, role, until) values ($1, $2, $3, $4)"
        " on conflict (school_id, person_id, role) do update set until = excluded.until returning *",
        tx.school, person, role, until,
    )  # fmt: skip
    assert row is not None
    return _glass(row)


def _glass(row: Row) -> BreakGlass:
    return BreakGlass(row["person_id"], row["role"], row["revision"], row["until"])


async def everything(tx: Tx) -> Sequence[PolicyVersion | OwnHours | BreakGlass]:
    """All that the feed tells about the rules of a school."""
    hours = await tx.fetch("select * from own_hours where school_id = $1", tx.school)
    glasses = await tx.fetch("select * from break_glass where school_id = $1 and until > $2", tx.school, tx.now)
    return [
        *await versions(tx),
        *map(_hours, hours),
        *map(_glass, glasses),
    ]


async def schools_without(database: Database) -> Sequence[UUID]:
    """Schools that have no policy yet: those founded before policies were kept."""
    found: list[UUID] = []
    for row in await database.fetch("select school_id from school_code order by school_id"):
        async with database.tenant(row["school_id"]) as tx:
            if not await tx.fetchval("select exists (select from policy_version where school_id = $1)", tx.school):
                found.append(row["school_id"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Version):
    """One version without its text, and its author's name where somebody of the school wrote it."""

    author_name: str | None
    author_role: str


async def listed(tx: Tx, *, before: int | None, limit: int) -> Sequence[Listed]:
    """Versions below a number, the newest first."""
    rows = await tx.fetch(
        "select v.number, v.author_id, v.author_role, v.reason, v.made_at, v.counts_from, p.display_name"
        " from policy_version v left join person p on p.school_id = v.school_id and p.person_id = v.author_id"
        " where v.school_id = $1 and v.number < coalesce($2, 2147483647) order by v.number desc limit $3",
        tx.school, before, limit,
    )  # fmt: skip
    return [
        Listed(
            number=row["number"], author=row["author_id"], reason=row["reason"], made_at=row["made_at"],
            counts_from=row["counts_from"], author_name=row["display_name"], author_role=row["author_role"],
        )
        for row in rows
    ]  # fmt: skip


async def one_version(tx: Tx, number: int) -> PolicyVersion | None:
    row = await tx.fetchrow("select * from policy_version where school_id = $1 and number = $2", tx.school, number)
    return _version(row) if row else None
