"""Gives one school back, into an installation whose other schools go on working or into an empty one, and proves row by row that it is
what was put down.

Its rows come first into tables of this transaction alone, which stand before the real ones of the same name: there they are proved, and
there each service puts them right, seeing this school and nothing else. From there they go into the real tables under row security with
this school set, so that the database itself lets in no row of another. What an installation numbers by itself, events and places in the
feed, is numbered anew in the old order, and told again; the marks of what was handled drop the second of each.

The school comes into being with the last commit, identity's: before it nobody can sign in, and what broke off can be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import Depot
from bookbag.chassis.backup.files import foreign, put_back
from bookbag.chassis.backup.manifest import Manifest, OneSchool, Table, Taken, file_of_table
from bookbag.chassis.backup.restoring import (
    Target,
    alone_in,
    coming_to,
    load_table,
    misfit,
    refuse_other_shape,
    unlike,
)
from bookbag.chassis.backup.session import (
    Catalogue,
    Session,
    catalogue,
    listed,
    of_one_school,
    quoted,
    revisions,
    selection,
    session,
)
from bookbag.chassis.migrate import migrate
from bookbag.chassis.objects import ObjectStore
from bookbag.chassis.service import Restored

_COMING = "pg_temp"


async def let_in(
    manifest: Manifest, targets: Sequence[Target], objects: ObjectStore, depot: Depot, *, again: bool = False
) -> None:
    """Restore the school of this backup, or nothing; everybody else may go on working. With `again` what an earlier try left of it, one
    that broke off while it committed, is removed first. Raises BackupRefused, DependencyAway."""
    school = manifest.school
    assert school is not None
    coming = coming_to(targets, manifest)
    for target in targets:
        await _refuse_if_here(target, school)
    unused = [target for target in targets if await _never_migrated(target)]
    for target, taken in coming:
        if target in unused:
            await migrate(target.url, target.name, target.service.migrations, upto=taken.revisions)
        await _refuse_unless_fitting(target, taken, school, again=again)
    if (other := await foreign(objects, depot, manifest.objects, only=school.id)) is not None:
        raise BackupRefused(
            f"The object store holds files of {school.code} that are not the backup's ({other}): move {school.id}/ elsewhere first."
        )
    await put_back(objects, depot, manifest.objects)
    async with AsyncExitStack() as together:
        # They commit in the opposite order: who is told before who tells, identity last.
        for target, taken in reversed(coming):
            connection = await alone_in(together, target)
            await _let_in(connection, target, taken, depot, school)
    for target in unused:
        await migrate(target.url, target.name, target.service.migrations)


async def _refuse_if_here(target: Target, school: OneSchool) -> None:
    if target.schools is None or await _never_migrated(target):
        return
    async with session(target.name, target.url) as connection:
        for row in await connection.fetch(target.schools):
            if row["school_id"] == school.id:
                raise BackupRefused(
                    f"{school.code} is here already, and a restore writes over nothing: restore into an installation that does"
                    " not have it."
                )
            if row["code"] == school.code:
                raise BackupRefused(f"The code {school.code} belongs to another school here.")


async def _never_migrated(target: Target) -> bool:
    async with session(target.name, target.url) as connection:
        return not await revisions(connection, target.histories)


async def _refuse_unless_fitting(target: Target, taken: Taken, school: OneSchool, *, again: bool) -> None:
    async with session(target.name, target.url) as connection, connection.transaction(readonly=True):
        known = await revisions(connection, target.histories)
        if known != taken.revisions:
            other = min(name for name, _ in known.items() ^ taken.revisions.items())
            raise BackupRefused(
                f"The database of {target.name} stands at {known.get(other)}, the backup at {taken.revisions.get(other)}: restore it"
                " into an empty installation of this Bookbag, and take from there what comes here."
            )
        await _see_only(connection, school.id)
        there = await catalogue(connection, target.histories)
        for name in () if again else _own(there):
            if await connection.fetchval(
                f"select exists(select from public.{quoted(name)} where school_id = $1)",  # noqa: S608 - a name of the catalogue, quoted
                school.id,
            ):
                raise BackupRefused(
                    f"{target.name} has rows of {school.code} ({name}), though no such school is here: if an earlier restore of it"
                    " broke off, add --again, which removes them first."
                )


def _own(there: Catalogue) -> Sequence[str]:
    """The tables whose rows name their school, those that point to others first."""
    own = of_one_school(there, {})
    return [name for name in reversed(there.in_order()) if name in own]


async def _see_only(connection: Session, school: UUID) -> None:
    """Let row security hold for the rest of the transaction, with this school set."""
    await connection.execute("set local row_security = on")
    await connection.execute("select set_config('bookbag.school', $1, true)", str(school))


async def _let_in(connection: Session, target: Target, taken: Taken, depot: Depot, school: OneSchool) -> None:
    await _see_only(connection, school.id)
    there = await catalogue(connection, target.histories)
    shared = target.service.shared
    refuse_other_shape(target.name, there, of_one_school(there, shared), taken.tables)
    for name in _own(there):
        await connection.execute(
            f"delete from public.{quoted(name)} where school_id = $1",  # noqa: S608 - a name of the catalogue, quoted
            school.id,
        )
    # Also those that bring nothing: whatever a service puts right, it reaches no row that was here before.
    for name, columns in there.tables.items():
        await connection.execute(
            f"create temporary table {quoted(name)} on commit drop as {selection(name, columns)} with no data"  # may string-built-sql: names of the catalogue, quoted
        )
    await connection.execute("set local search_path = pg_temp, public")
    for name, table in taken.tables.items():
        await load_table(connection, target.name, name, table, depot, _COMING)
        await _refuse_strays(connection, target.name, name, table, depot, school)
    await _put_right(connection, target, taken, school)
    for name in there.in_order():
        if name in taken.tables:
            await _move(connection, target.name, name, there, depot, school, whole=name not in shared)
    for name, (last, _) in taken.sequences.items():
        # Drawn, not set: others draw at the same time, and no number comes twice.
        await connection.execute(
            "select count(nextval($1::text::regclass))"
            " from generate_series(1, $2 - coalesce(pg_sequence_last_value($1::text::regclass), 0))",
            f"public.{quoted(name)}", last,
        )  # fmt: skip


async def _refuse_strays(
    connection: Session, service: str, name: str, table: Table, depot: Depot, school: OneSchool
) -> None:
    if "school_id" in table.columns and await connection.fetchval(
        f"select exists(select from {_COMING}.{quoted(name)} where school_id is distinct from $1)",  # noqa: S608 - a name of the catalogue, quoted
        school.id,
    ):
        raise BackupRefused(
            f"{file_of_table(service, name)} in {depot.said} has rows of another school: take another backup."
        )


async def _put_right(connection: Session, target: Target, taken: Taken, school: OneSchool) -> None:
    """What was told is told again on this bus, but for what it refused; times of handling begin anew, so that no mark is purged before."""
    await connection.execute(
        "update outbox set position = null, published_at = case when position is null then clock_timestamp() end"
        " where published_at is not null"
    )
    await connection.execute("update processed set processed_at = clock_timestamp()")
    for put_right in target.service.restored:
        await put_right(Restored(connection.execute, taken.at, school.id))


async def _move(
    connection: Session, service: str, name: str, there: Catalogue, depot: Depot, school: OneSchool, *, whole: bool
) -> None:
    """From the table of this transaction into the real one; what is in there then must be what came."""
    numbered = there.numbered.get(name)
    columns = [column for column in there.tables[name] if column != numbered]
    came, here = selection(name, columns, _COMING), selection(name, columns)
    order = f" order by {quoted(numbered)}" if numbered else ""
    try:
        await connection.execute(
            f"insert into public.{quoted(name)} ({listed(columns)}) {came}{order}"  # may string-built-sql: names of the catalogue, quoted
        )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise misfit(service, name, depot, error) from None
    differ = f"select exists({came} except all {here})"
    of: tuple[UUID, ...] = ()
    if whole:
        mine = f"{here} where school_id = $1"
        differ, of = f"select exists(({came} except all {mine}) union all ({mine} except all {came}))", (school.id,)
    if await connection.fetchval(differ, *of):  # may string-built-sql: names of the catalogue, quoted
        raise unlike(service, name)
