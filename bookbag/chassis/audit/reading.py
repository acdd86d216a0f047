"""What the reading role sees: the entries of one school, newest first or from the beginning, and where its chain stands."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis.audit.chain import Entry
from bookbag.chassis.database import Connection, Database, Row

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a school's chain stands: how many entries, when the last was made, and how far it is anchored outside the database."""

    entries: int
    last_at: datetime | None
    anchored: int
    anchored_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody wants to see: `since` included, `until` not; done by or about one of `ids`; of one act."""

    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[UUID] | None = None
    act: str | None = None


def _entry(row: Row) -> Entry:
    return Entry(
        row["school_id"], row["seq"], row["at"], row["actor_id"], row["role"], row["act"], row["object_kind"], row["object_id"],
        row["reason"], row["previous_hash"], row["hash"],
    )  # fmt: skip


async def newest(record: Database, school: UUID, wanted: Wanted, *, before: int | None, limit: int) -> Sequence[Entry]:
    """Entries of a school, newest first, from the one before number `before`."""
    async with record.tenant(school) as tx:
        rows = await tx.fetch(
            "select * from audit_entry where school_id = $1 and ($2::bigint is null or seq < $2)"
            " and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4)"
            " and ($5::uuid[] is null or actor_id = any($5) or object_id = any($5)) and ($6::text is null or act = $6)"
            " order by seq desc limit $7",
            school, before, wanted.since, wanted.until, wanted.ids, wanted.act, limit,
        )  # fmt: skip
    return [_entry(row) for row in rows]


async def standing(record: Database, school: UUID) -> Standing:
    """Where the chain of a school stands, as this database says it; `verification` is what proves it."""
    async with record.tenant(school) as tx:
        row = await tx.fetchrow(
            "select coalesce(h.seq, 0) as entries, e.at as last_at, coalesce(a.seq, 0) as anchored, a.anchored_at"
            " from (select $1::uuid as school_id) s left join audit_head h using (school_id)"
            " left join audit_anchor a using (school_id) left join audit_entry e on e.school_id = s.school_id and e.seq = h.seq",
            school,
        )
    assert row is not None
    return Standing(row["entries"], row["last_at"], row["anchored"], row["anchored_at"])


class Chain:
    """One school's chain at one instant, however much is written meanwhile."""

    def __init__(self, connection: Connection, school: UUID) -> None:
        self._connection = connection
        self._school = school

    async def entries(self, after: int) -> Sequence[Entry]:
        """Up to a thousand entries after a number, in order; none at the end."""
        rows = await self._connection.fetch(
            "select * from audit_entry where school_id = $1 and seq > $2 order by seq limit $3",
            self._school,
            after,
            BATCH,
        )
        return [_entry(row) for row in rows]

    async def head(self) -> tuple[int, bytes] | None:
        row = await self._connection.fetchrow("select seq, hash from audit_head where school_id = $1", self._school)
        return (row["seq"], row["hash"]) if row else None

    async def noted(self) -> int:
        """The newest entry that this database knows to be anchored; 0 for none."""
        return await self._connection.fetchval("select seq from audit_anchor where school_id = $1", self._school) or 0


@asynccontextmanager
async def chain(record: Database, school: UUID) -> AsyncGenerator[Chain]:
    """A school's chain under the reading role, for a walk along all of it."""
    async with (
        record.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("select set_config('bookbag.school', $1, true)", str(school))
        yield Chain(connection, school)
