"""Gives a backup back into an installation that nobody has used, and proves row by row that it is what was put down.

All services come back together: the transaction of each stays open until every row of every service is in, hashes to what the manifest
says, and is put right; whatever is wrong leaves the installation as empty as it was. Then the migrations since then run.

What is put right, so that the services agree again: the outbox is told again from its beginning, to every consumer, on whatever bus there
is; times of publication and of handling begin anew, so that nothing is purged before it was told again; and whatever a service names in
`restored` of its manifest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import Depot
from bookbag.chassis.backup.files import foreign, put_back
from bookbag.chassis.backup.lines import Digest, unpacking
from bookbag.chassis.backup.manifest import Hash, Manifest, Table, Taken, file_of_table
from bookbag.chassis.backup.session import (
    RUNNING,
    Catalogue,
    Session,
    catalogue,
    quoted,
    revisions,
    selection,
    session,
)
from bookbag.chassis.migrate import LOCK, migrate
from bookbag.chassis.objects import ObjectStore
from bookbag.chassis.service import Restored, Service

_MOMENTS = 15
"""Looks, 0.2 s apart, until whoever is connected counts as there."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service, and how the owner of its tables reaches its database. `schools` as in a `Source`."""

    service: Service
    url: str = field(repr=False)
    schools: str | None = None

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def histories(self) -> list[str]:
        return [history for history, _ in self.service.migrations]


async def give_back(manifest: Manifest, targets: Sequence[Target], objects: ObjectStore, depot: Depot) -> None:
    """Restore everything, or nothing. Services that the backup does not know begin empty. Raises BackupRefused, DependencyAway."""
    coming = coming_to(targets, manifest)
    for target in targets:
        await _refuse_unless_empty(target, manifest.services.get(target.name))
    if (other := await foreign(objects, depot, manifest.objects)) is not None:
        raise BackupRefused(f"The object store holds files of its own ({other}): restore into an empty one.")
    for target, taken in coming:
        await migrate(target.url, target.name, target.service.migrations, upto=taken.revisions)
    await put_back(objects, depot, manifest.objects)
    async with AsyncExitStack() as together:
        for target, taken in coming:
            await _load(await alone_in(together, target), target, taken, depot)
    for target in targets:
        await migrate(target.url, target.name, target.service.migrations)
        async with session(target.name, target.url) as connection:
            await connection.execute("analyze")


def coming_to(targets: Sequence[Target], manifest: Manifest) -> list[tuple[Target, Taken]]:
    """Each service of the backup with its target, in the order in which they were taken. Raises BackupRefused for what is newer than
    this code."""
    known = {target.name: target for target in targets}
    if strange := manifest.services.keys() - known.keys():
        raise BackupRefused(
            f"The backup has a service {min(strange)} that this Bookbag does not know: restore it with the one that made it."
        )
    coming = [(known[name], taken) for name, taken in manifest.services.items()]
    for target, taken in coming:
        folders = dict(target.service.migrations)
        for history, revision in taken.revisions.items():
            if history not in folders or not (folders[history] / f"{revision}.py").exists():
                raise BackupRefused(
                    f"The backup was made by a newer Bookbag ({target.name}: {revision}): restore it with that one."
                )
    return coming


async def alone_in(together: AsyncExitStack, target: Target) -> Session:
    """A transaction in a target's database, during which nobody migrates it, restores into it or takes a backup of it; `together` ends
    it. Raises BackupRefused, DependencyAway."""
    connection = await together.enter_async_context(session(target.name, target.url))
    if not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
        raise BackupRefused(f"Somebody else works on the database of {target.name}: end that first.")
    await together.enter_async_context(connection.transaction())
    return connection


async def _refuse_unless_empty(target: Target, taken: Taken | None) -> None:
    async with session(target.name, target.url) as connection:
        await _refuse_company(target.name, connection)
        # Row security hides rows from their owner, but not that a table takes room.
        used = await connection.fetchval(
            "select min(c.relname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'school_id'"
            " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_relation_size(c.oid) > 0"
        )
        if used is not None:
            raise BackupRefused(
                f"The database of {target.name} is not empty ({used} has been used): restore into a new installation."
            )
        for history, revision in (await revisions(connection, target.histories)).items():
            if taken is not None and revision > taken.revisions.get(history, ""):
                raise BackupRefused(
                    f"The database of {target.name} is migrated further ({revision}) than the backup: give one that is not"
                    " migrated yet; restoring does it."
                )


async def _refuse_company(service: str, connection: Session) -> None:
    """Somebody who has just gone is not company: the server takes a moment to notice."""
    for _ in range(_MOMENTS):
        busy = await connection.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and usename <> current_user and backend_type = 'client backend'"
        )
        if not busy:
            return
        await asyncio.sleep(0.2)
    raise BackupRefused(f"Processes are connected to the database of {service}: stop all of them first.")


async def _load(connection: Session, target: Target, taken: Taken, depot: Depot) -> None:
    there = await catalogue(connection, target.histories)
    refuse_other_shape(target.name, there, there.tables.keys() - RUNNING, taken.tables)
    everything = ", ".join(f"public.{quoted(name)}" for name in there.tables)
    await connection.execute(f"truncate {everything}")  # may string-built-sql: names of the catalogue, quoted
    await _alter(connection, there.forced, "no force row level security")
    await _alter(connection, there.triggered, "disable trigger user")
    for name in there.in_order():
        if name in taken.tables:
            await load_table(connection, target.name, name, taken.tables[name], depot)
    for name, (last, drawn) in taken.sequences.items():
        await connection.execute("select setval($1::text::regclass, $2, $3)", f"public.{quoted(name)}", last, drawn)
    await _put_right(connection, target.service, taken)
    await _alter(connection, there.triggered, "enable trigger user")
    await _alter(connection, there.forced, "force row level security")


def refuse_other_shape(service: str, there: Catalogue, coming: Collection[str], wanted: Mapping[str, Table]) -> None:
    """Raise BackupRefused unless these tables are, column by column, those that the backup has."""
    shape = {name: list(columns) for name, columns in there.tables.items() if name in coming}
    if shape != {name: list(table.columns) for name, table in wanted.items()}:
        names = {name for name in shape.keys() | wanted.keys() if name not in shape or name not in wanted
                 or shape[name] != list(wanted[name].columns)}  # fmt: skip
        raise BackupRefused(
            f"Table {min(names)} of {service} is not what it was when the backup was taken: restore with the Bookbag that"
            " made the backup."
        )


async def _alter(connection: Session, tables: Sequence[str], how: str) -> None:
    for name in tables:
        await connection.execute(
            f"alter table public.{quoted(name)} {how}"  # may string-built-sql: a name of the catalogue and words of this file
        )


async def load_table(
    connection: Session, service: str, name: str, table: Table, depot: Depot, schema: str = "public"
) -> None:
    """Put the rows in and read them once more: what the database has is what was put down. Raises BackupRefused."""
    wanted = Hash(rows=table.rows, digest=table.digest)
    lines = unpacking(depot, file_of_table(service, name), wanted)
    try:
        await connection.copy_to_table(name, source=lines, columns=list(table.columns), schema_name=schema)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise misfit(service, name, depot, error) from None
    digest = Digest()

    async def read(piece: bytes) -> None:
        digest.feed(piece)

    await connection.copy_from_query(selection(name, table.columns, schema), output=read)
    if digest.result() != wanted:
        raise unlike(service, name)


def misfit(service: str, name: str, depot: Depot, error: Exception) -> BackupRefused:
    """What to say of rows that a table does not take. What the server says of a row would show the row."""
    return BackupRefused(
        f"{file_of_table(service, name)} in {depot.said} does not fit its table ({type(error).__name__}): take another backup."
    )


def unlike(service: str, name: str) -> BackupRefused:
    return BackupRefused(f"Table {name} of {service} did not come back as it was put down: nothing was restored.")


async def _put_right(connection: Session, service: Service, taken: Taken) -> None:
    """See the words of this module."""
    await connection.execute("update outbox set published_at = clock_timestamp() where published_at is not null")
    await connection.execute("update processed set processed_at = clock_timestamp()")
    await connection.execute(
        "update outbox_head set generation = $1, again_after = null, again_until = null where position > 0",
        f"as it was at {taken.at.isoformat()}",
    )
    for put_right in service.restored:
        await put_right(Restored(connection.execute, taken.at))
