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
from bookbag.chassis.backup.manifest import NAME, Manifest, Table, Taken, file_of_table
from bookbag.chassis.backup.session import RUNNING, Session, catalogue, quoted, revisions, selection, session
from bookbag.chassis.migrate import LOCK
from bookbag.chassis.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Source:
    """A service, and how its backup role reaches its database. `schools` is the question that lists all tenants, where it can be put."""

    service: str
    url: str = field(repr=False)
    histories: Sequence[str]
    schools: str | None = None


@dataclass(slots=True)
class _Seen:
    """What the rows say about files, gathered on the way: which tenants there are, and how far each chain of the record was."""

    schools: set[UUID] = field(default_factory=set[UUID])
    heads: dict[tuple[str, UUID], int] = field(default_factory=dict[tuple[str, UUID], int])


async def take(sources: Sequence[Source], objects: ObjectStore, depot: Depot, *, version: str, demo: bool) -> Manifest:
    """Put everything into a depot that holds no backup yet. Sources come with those that tell first. Raises BackupRefused,
    DependencyAway."""
    if await depot.has(NAME):
        raise BackupRefused(f"{depot.said} holds a backup already: give another place.")
    services: dict[str, Taken] = {}
    seen = _Seen()
    for source in reversed(sources):
        services[source.service] = await _take_service(source, depot, seen)
    # Files come last: what a row speaks of was put before the row was written.
    index, size = await put_down(objects, depot, seen.schools, seen.heads)
    manifest = Manifest(version=version, demo=demo, services=services, objects=index, object_bytes=size)
    async with depot.writing(NAME) as writer:
        await writer.write(manifest.model_dump_json(indent=1).encode())
    return manifest


async def _take_service(source: Source, depot: Depot, seen: _Seen) -> Taken:
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
                name: await _take_table(connection, depot, source.service, name, columns)
                for name, columns in there.tables.items()
                if name not in RUNNING
            }
            await _look(connection, source, seen)
            return Taken(at=at, revisions=known, tables=tables, sequences=await _sequences(connection, there.sequences))


async def _take_table(connection: Session, depot: Depot, service: str, name: str, columns: Sequence[str]) -> Table:
    async with packing(depot, file_of_table(service, name)) as packed:
        await connection.copy_from_query(selection(name, columns), output=packed.write)
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


async def _look(connection: Session, source: Source, seen: _Seen) -> None:
    for row in await connection.fetch("select school_id, seq from audit_head"):
        seen.heads[source.service, row["school_id"]] = row["seq"]
        seen.schools.add(row["school_id"])
    if source.schools is not None:
        seen.schools.update(row["school_id"] for row in await connection.fetch(source.schools))
