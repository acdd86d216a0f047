"""All SQL of the feed: facts are written in the transaction of what they tell, numbered after commit, and read by position."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database, Tx
from bookbag.chassis.service import Restored
from bookbag.identity.v1 import access_pb2 as pb


@dataclass(frozen=True, slots=True)
class Reading:
    """Some changes in order, and the last position there is."""

    changes: Sequence[pb.AccessChange]
    head: int


async def record(tx: Tx, change: pb.AccessChange) -> None:
    """Tell a fact if and only if this transaction commits. Call it after the change itself, while its row is locked."""
    await tx.execute(
        "insert into access_change (school_id, change_id, revision, fact, changed_at) values ($1, $2, $3, $4, $5)",
        tx.school, new_id(), change.revision, change.SerializeToString(), tx.now,
    )  # fmt: skip


async def next_revision(tx: Tx) -> int:
    """A revision for a fact about something that is no row of the roster. Lock what it is about first."""
    return await tx.fetchval("select nextval('access_revision')")


async def number(database: Database, holder: str, fence: int, limit: int) -> int:
    """Number committed changes under the sequencer's lease and give how many; 0 when the lease is somebody else's."""
    return await database.fetchval("select number_changes($1, $2, $3)", holder, fence, limit)


async def read(database: Database, after: int, limit: int) -> Reading:
    """What comes after a position, at most `limit` changes."""
    rows = await database.fetch("select head, position, fact from read_changes($1, $2)", after, limit)
    changes: list[pb.AccessChange] = []
    for row in rows:
        if row["position"] is not None:
            change = pb.AccessChange.FromString(row["fact"])
            change.position = row["position"]
            changes.append(change)
    return Reading(changes, rows[0]["head"])


async def position(database: Database) -> int:
    """The last position given: everything up to it is committed."""
    return await database.fetchval("select position from feed_head")


async def schools(database: Database) -> list[UUID]:
    """All schools of this installation."""
    return [row["school_id"] for row in await database.fetch("select school_id from school_code order by school_id")]


async def ended_sessions(tx: Tx) -> list[pb.AccessChange]:
    """Facts about the sessions of a school that ended within the last day; older tokens have run out by themselves."""
    rows = await tx.fetch(
        "select fact from access_change where school_id = $1 and changed_at > $2::timestamptz - interval '1 day'"
        " order by ordinal",
        tx.school, tx.now,
    )  # fmt: skip
    changes = [pb.AccessChange.FromString(row["fact"]) for row in rows]
    return [change for change in changes if change.WhichOneof("fact") == "ended_session"]


async def tell_facts_again(restored: Restored) -> None:
    """The facts of a school that comes back alone get positions in this feed; copies that know them already pass over them, by their
    revision. Stands in the manifest's `restored`."""
    if restored.school is not None:
        await restored.execute("update access_change set position = null")
