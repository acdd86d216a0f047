"""Takes a backup while everything runs: each service in one snapshot, those that are told before those that tell.

A service that hears of something was taken earlier than the one that told it. So whatever a copy of the world lacks is still in the outbox
or the feed it is told from, and nothing ever speaks of what the backup does not have: events told in between are told again after a
restore, and the marks of what was handled drop the second of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import Depot
from bookbag.chassis.backup.files import put_down
from bookbag.chassis.backup.lines import packing
from bookbag.chassis.backup.manifest import NAME, Manifest, OneSchool, Table, Taken, file_of_table
from bookbag.chassis.backup.session import (
    RUNNING,
    Catalogue,
    Session,
    catalogue,
    of_one_school,
    quoted,
    revisions,
    selection,
    session,
)
from bookbag.chassis.migrate import LOCK
from bookbag.chassis.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Source:
    """A service, and how its backup role reaches its database. `schools` is the question that lists all tenants (`school_id`, `code`),
    where it can be put; `shared` stands in the manifest of the service."""

    service: str
    url: str = field(repr=False)
    histories: Sequence[str]
    schools: str | None = None
    shared: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class _Seen:
    """What the rows say about files, gathered on the way: which tenants there are, and how far each chain of the record was."""

    schools: set[UUID] = field(default_factory=set[UUID])
    heads: dict[tuple[str, UUID], int] = field(default_factory=dict[tuple[str, UUID], int])


async def take(
    sources: Sequence[Source],
    objects: ObjectStore,
    depot: Depot,
    *,
    version: str,
    demo: bool,
    code: str | None = None,
) -> Manifest:
    """Put everything into a depot that holds no backup yet; with a code, what belongs to that school. Sources come with those that tell
    first. Raises BackupRefused, DependencyAway."""
    if await depot.has(NAME):
        raise BackupRefused(f"{depot.said} holds a backup already: give another place.")
    school = await _found(sources, code) if code is not None else None
    services: dict[str, Taken] = {}
    seen = _Seen()
    for source in reversed(sources):
        services[source.service] = await _take_service(source, depot, seen, school)
    # Files come last: what a row speaks of was put before the row was written.
    index, size = await put_down(objects, depot, seen.schools, seen.heads)
    manifest = Manifest(version=version, demo=demo, school=school, services=services, objects=index, object_bytes=size)
    async with depot.writing(NAME) as writer:
        await writer.write(manifest.text().encode())
    return manifest


async def _found(sources: Sequence[Source], code: str) -> OneSchool:
    """The school that people know by this code. Raises BackupRefused."""
    for source in sources:
        if source.schools is not None:
            async with session(source.service, source.url) as connection:
                for row in await connection.fetch(source.schools):
                    if row["code"] == code:
                        return OneSchool(id=row["school_id"], code=code)
    raise BackupRefused(f"There is no school {code} here.")


async def _take_service(source: Source, depot: Depot, seen: _Seen, school: OneSchool | None) -> Taken:
    async with session(source.service, source.url) as connection:
        # Held until the connection ends: a migration waits so long, and tables keep their shape.
        if not await connection.fetchval("select pg_try_advisory_lock_shared($1)", LOCK):
            raise BackupRefused(f"A migration of {source.service} runs just now: take the backup when it has ended.")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            # The first statement makes the snapshot.
            at = await connection.fetchval("select clock_timestamp()")
            known = await revisions(connection, source.histories)
            if missing := [history for history in source.histories if history not in known]:
                raise BackupRefused(
                    f"The database of {source.service} was never migrated ({missing[0]}): run `bookbag migrate`."
                )
            there = await catalogue(connection, source.histories)
            tables = {
                name: await _take_table(
                    connection, depot, file_of_table(source.service, name), there.tables[name], question, *of
                )
                for name, (question, *of) in _questions(there, source, school).items()
            }
            await _look(connection, source, seen, school)
            sequences = there.sequences if school is None else there.own_sequences
            return Taken(at=at, revisions=known, tables=tables, sequences=await _sequences(connection, sequences))


def _questions(
    there: Catalogue, source: Source, school: OneSchool | None
) -> Mapping[str, tuple[str] | tuple[str, UUID]]:
    """By table, what asks for its rows, and of whom."""
    if school is None:
        return {name: (selection(name, columns),) for name, columns in there.tables.items() if name not in RUNNING}
    return {
        name: (f"{selection(name, there.tables[name])} where {condition}", school.id)
        for name, condition in of_one_school(there, source.shared).items()
    }


async def _take_table(
    connection: Session, depot: Depot, file: str, columns: Sequence[str], question: str, *of: UUID
) -> Table:
    async with packing(depot, file) as packed:
        await connection.copy_from_query(question, *of, output=packed.write)
    put = packed.digest.result()
    return Table(rows=put.rows, digest=put.digest, columns=columns)


async def _sequences(connection: Session, names: Sequence[str]) -> Mapping[str, tuple[int, bool]]:
    found: dict[str, tuple[int, bool]] = {}
    for name in names:
        row = await connection.fetchrow(
            f"select last_value, is_called from public.{quoted(name)}"  # noqa: S608 - a name of the catalogue, quoted
        )
        assert row is not None
        found[name] = (row["last_value"], row["is_called"])
    return found


async def _look(connection: Session, source: Source, seen: _Seen, school: OneSchool | None) -> None:
    for row in await connection.fetch("select school_id, seq from audit_head"):
        seen.heads[source.service, row["school_id"]] = row["seq"]
        if school is None:
            seen.schools.add(row["school_id"])
    if school is not None:
        seen.schools.add(school.id)
    elif source.schools is not None:
        seen.schools.update(row["school_id"] for row in await connection.fetch(source.schools))
