"""All SQL of suspensions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database, Tx
from services.identity.roster.model import Author
from services.identity.suspensions.model import Guardian, Suspension


async def put_open(tx: Tx, person: UUID, *, author: Author, reason: str, until: datetime | None) -> bool:
    """Begin a suspension, or give the open one another reason and end; false when it said just that already.

    The caller has locked the membership.
    """
    changed = await tx.fetchval(
        "insert into suspension (school_id, suspension_id, person_id, reason, author_id, author_role, began_at, ends_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)"
        " on conflict (school_id, person_id) where ended_at is null do update"
        " set reason = excluded.reason, author_id = excluded.author_id, author_role = excluded.author_role,"
        " ends_at = excluded.ends_at"
        " where (suspension.reason, suspension.ends_at) is distinct from (excluded.reason, excluded.ends_at) returning true",
        tx.school, new_id(), person, reason, author.person, author.role, tx.now, until,
    )  # fmt: skip
    return changed is not None


async def close(tx: Tx, person: UUID, *, by: UUID | None) -> None:
    await tx.execute(
        "update suspension set ended_at = $3, ended_by = $4"
        " where school_id = $1 and person_id = $2 and ended_at is null",
        tx.school, person, tx.now, by,
    )  # fmt: skip


async def lock_over(tx: Tx, person: UUID) -> bool:
    """Whether this person's suspension is open and its end has come; locked, so that one process ends it."""
    found = await tx.fetchval(
        "select true from suspension where school_id = $1 and person_id = $2 and ended_at is null and ends_at <= $3 for update",
        tx.school, person, tx.now,
    )  # fmt: skip
    return found is not None


async def listed(tx: Tx, limit: int) -> Sequence[Suspension]:
    """The suspensions of a school, the open ones first, then the newest."""
    rows = await tx.fetch(
        "select s.*, p.display_name as name, a.display_name as author_name from suspension s"
        " join person p using (school_id, person_id)"
        " left join person a on a.school_id = s.school_id and a.person_id = s.author_id"
        " where s.school_id = $1 order by s.ended_at is not null, s.began_at desc limit $2",
        tx.school, limit,
    )  # fmt: skip
    return [
        Suspension(
            row["suspension_id"], row["person_id"], row["name"], row["reason"], row["author_id"], row["author_name"],
            row["began_at"], row["ends_at"], row["ended_at"], row["ended_by"],
        )
        for row in rows
    ]  # fmt: skip


async def guardians(tx: Tx, text: str, limit: int) -> Sequence[Guardian]:
    """Guardians whose name, or a child's, holds a text, by name; without a text all of them."""
    rows = await tx.fetch(
        "select p.person_id, p.display_name, m.standing, array_agg(c.first_name order by c.first_name) as children"
        " from membership m join person p using (school_id, person_id)"
        " join guardianship g on g.school_id = m.school_id and g.person_id = m.person_id and not g.ended"
        " join person c on c.school_id = g.school_id and c.person_id = g.pupil_id"
        " where m.school_id = $1 and m.role = 'guardian' and m.standing <> 'ended'"
        " group by p.person_id, p.display_name, m.standing"
        " having strpos(lower(p.display_name || ' ' || string_agg(c.display_name, ' ')), lower($2)) > 0"
        " order by p.display_name, p.person_id limit $3",
        tx.school, text, limit,
    )  # fmt: skip
    return [
        Guardian(row["person_id"], row["display_name"], tuple(row["children"]), row["standing"] == "suspended")
        for row in rows
    ]


async def over(database: Database, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """School and person of suspensions whose end has come, of all schools; for the worker."""
    rows = await database.fetch("select school_id, person_id from suspensions_over($1, $2)", now, limit)
    return [(row["school_id"], row["person_id"]) for row in rows]
