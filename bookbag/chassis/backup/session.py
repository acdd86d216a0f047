"""One connection to one service's database for as long as a backup or a restore takes, and what its catalogue says.

The session writes and reads values in one fixed spelling, so that the text of a row is the same on every server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.database import GONE, NO_ENTRY, Row
from bookbag.chassis.problems import DependencyAway

Session: TypeAlias = "asyncpg.Connection[Row]"

RUNNING = frozenset({"lease", "bus_offset"})
"""Tables about processes that run and not about the world: who holds which work, how far a bus was read. They begin anew."""

_SPELLING = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # A role that row security applies to would see no rows at all: better an error than an empty backup.
    "row_security": "off",
    "statement_timeout": "0",
    "lock_timeout": "4000",
    "idle_in_transaction_session_timeout": "0",
    "application_name": "bookbag backup",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a database has: tables with the columns that carry values, sequences, and what stands in the way of putting rows in."""

    tables: Mapping[str, Sequence[str]]
    sequences: Sequence[str]
    own_sequences: Sequence[str]
    """Those of them that no column draws from by itself: what they number is known beyond this database."""
    numbered: Mapping[str, str]
    """The column of a table that the database numbers in the order of writing; most tables have none."""
    forced: Sequence[str]
    """Tables whose row security binds their owner too."""
    triggered: Sequence[str]
    """Tables with triggers of ours, which would change rows on their way in."""
    references: Mapping[str, frozenset[str]]
    """The tables that each table points to."""

    def in_order(self) -> list[str]:
        """All tables, those that are pointed to first. Raises LookupError when they point in a circle."""
        done: list[str] = []
        left: dict[str, frozenset[str]] = dict(self.references)
        while left:
            ready = sorted(name for name, others in left.items() if not (others & left.keys()) - {name})
            if not ready:
                raise LookupError(f"tables point to each other in a circle: {', '.join(sorted(left))}")
            done += ready
            left = {name: others for name, others in left.items() if name not in ready}
        return done


@asynccontextmanager
async def session(service: str, url: str) -> AsyncGenerator[Session]:
    """A connection that waits for no lock longer than four seconds. Raises DependencyAway, BackupRefused."""
    try:
        connection: Session = await asyncpg.connect(url, timeout=5, server_settings=_SPELLING)
    except (*GONE, *NO_ENTRY) as error:
        raise DependencyAway("postgresql") from error
    try:
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        raise BackupRefused(
            f"The database of {service} does not let us ({error.message}): see docs/operate.md for the rights of its roles."
        ) from error
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
        raise DependencyAway("postgresql") from error
    finally:
        await connection.close(timeout=5)


async def revisions(connection: Session, histories: Sequence[str]) -> dict[str, str]:
    """The newest migration of each history; none for one that was never begun."""
    found: dict[str, str] = {}
    for history in histories:
        table = f"{history}_version"
        if await connection.fetchval("select to_regclass($1)", f"public.{table}") is not None:
            revision = await connection.fetchval(
                f"select version_num from {table}"  # noqa: S608 - a name from a manifest of ours
            )
            if revision is not None:
                found[history] = revision
    return found


async def catalogue(connection: Session, histories: Sequence[str]) -> Catalogue:
    """Look at a database; the tables that say how far it is migrated are left out."""
    versions = {f"{history}_version" for history in histories}
    rows = await connection.fetch(
        "select c.oid, c.relname::text as name, c.relforcerowsecurity as forced,"
        " array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        "   and a.attgenerated = '' order by a.attnum) as columns,"
        " (select min(a.attname::text) from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '') as numbered,"
        " exists(select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as triggered,"
        " array(select r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid"
        "   where k.conrelid = c.oid and k.contype = 'f') as others"
        " from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
        " order by c.relname"
    )
    kept = [row for row in rows if row["name"] not in versions]
    sequences = await connection.fetch(
        "select c.relname::text as name,"
        " not exists(select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i') as own"
        " from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' order by c.relname"
    )
    return Catalogue(
        tables={row["name"]: row["columns"] for row in kept},
        sequences=[row["name"] for row in sequences],
        own_sequences=[row["name"] for row in sequences if row["own"]],
        numbered={row["name"]: row["numbered"] for row in kept if row["numbered"] is not None},
        forced=[row["name"] for row in kept if row["forced"]],
        triggered=[row["name"] for row in kept if row["triggered"]],
        references={row["name"]: frozenset(row["others"]) for row in kept},
    )


def quoted(name: str) -> str:
    """A name of the catalogue as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def listed(columns: Sequence[str]) -> str:
    """Names of the catalogue, one behind the other, as SQL writes them."""
    return ", ".join(map(quoted, columns))


def selection(table: str, columns: Sequence[str], schema: str = "public") -> str:
    """The rows of a table, for COPY."""
    return f"select {listed(columns)} from {schema}.{quoted(table)}"  # noqa: S608 - names of the catalogue, quoted


def of_one_school(there: Catalogue, shared: Mapping[str, str]) -> dict[str, str]:
    """The tables that have rows of a school, each with the condition that finds them; `$1` in it is the school. `shared` are those
    that name none."""
    own = {
        name: "school_id = $1"
        for name, columns in there.tables.items()
        if "school_id" in columns and name not in RUNNING
    }
    return own | dict(shared)
