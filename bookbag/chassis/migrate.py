"""Brings a service's database up to date under one lock, from dated, sentence-named SQL files, with Alembic.

A service has several histories, each a folder with its own version table: the chassis', the directory's copy, its own. A
migration is a pair of files, the revision (`.py`) and its words (`.sql`), in which `$app`, `$worker`, `$reader`, `$owner` and `$backup`
stand for the roles of that service. Every migration must be safe while the code before it still runs: it is one transaction that waits
four seconds for a lock and no longer. What cannot be done in a transaction (`create index concurrently`) stands in a `.sql` of its own that
begins with `-- apart`: its statements run one by one, wait as long as they must, and must be safe to repeat.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import asyncpg

from bookbag.chassis.database import GONE, NO_ENTRY, Database, Row
from bookbag.chassis.database import Connection as Pooled
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

LOCK = 0x626F6F6B6261
"""Advisory lock that lets one migration run per database at a time; held by the connection that migrates."""

_roles: ContextVar[dict[str, str]] = ContextVar("roles")

CHASSIS = Path(__file__).parent / "migrations"


def roles_of(service: str) -> dict[str, str]:
    """The role names of a service."""
    return {role: f"bookbag_{service}_{role}" for role in ("owner", "app", "worker", "reader", "backup")}


class _DollarWords(Template):
    """`$app` and the like are ours; `$$` quotes of SQL and numbered parameters stay as they are."""

    pattern: Any = r"""
    \$(?:(?P<named>owner|app|worker|reader|backup)\b | (?P<escaped>(?!)) | (?P<braced>(?!)) | (?P<invalid>(?!)))
    """


APART = "-- apart"
"""How the words of a migration begin that runs outside any transaction."""

_COMMENT = re.compile(r"--[^\n]*")
_END_OF_STATEMENT = re.compile(r";[ \t]*\n")


def is_apart(sql: str) -> bool:
    """Whether these words of a migration run outside any transaction."""
    return sql.startswith(APART)


def statements(sql: str) -> list[str]:
    """The statements of a migration that stands apart; each ends with its line."""
    parts = _END_OF_STATEMENT.split(sql + "\n")
    return [part for part in parts if _COMMENT.sub("", part).strip()]


def run_sql(revision_file: str) -> None:
    """Run the `.sql` beside a revision file: all of it in the migration's transaction, or statement by statement when it stands apart."""
    from alembic import op

    script = _DollarWords(Path(revision_file).with_suffix(".sql").read_text()).substitute(_roles.get())
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    # Several statements sent as one would be a transaction again.
    for part in statements(script) if is_apart(script) else (script,):
        connection.run_async(lambda raw, part=part: raw.execute(part))  # type: ignore[attr-defined]


def newest(folder: Path) -> str | None:
    """The last revision of a folder by name; names begin with their date, so the last one is the head."""
    return max((file.stem for file in folder.glob("[0-9]*.py")), default=None)


async def pending(url: str, folders: Sequence[tuple[str, Path]]) -> bool:
    """Whether a database lacks any migration. Needs no Alembic, so that a start with nothing to do is quick. Raises DependencyAway."""
    connection = await _connect(url)
    try:
        return any([await _edition(connection, history) != newest(folder) for history, folder in folders])
    finally:
        await connection.close()


async def ready(database: Database, folders: Sequence[tuple[str, Path]]) -> None:
    """Raise DependencyAway while the database is away or older than this code. A newer one is ready: migrations come first."""
    async with database.connection() as connection:
        for history, folder in folders:
            try:
                edition = await _edition(connection, history)
            except asyncpg.InsufficientPrivilegeError:
                continue  # migrated by an earlier edition, which told its version to the owner alone
            if (edition or "") < (newest(folder) or ""):
                raise DependencyAway("migrations")


async def _edition(connection: asyncpg.Connection[Row] | Pooled, history: str) -> str | None:
    table = f"{history}_version"
    if await connection.fetchval("select to_regclass($1)", f"public.{table}") is None:
        return None
    return await connection.fetchval(f"select version_num from {table}")  # noqa: S608 - a name of our own


async def _connect(url: str) -> asyncpg.Connection[Row]:
    try:
        return await asyncpg.connect(url, timeout=5)
    except (*GONE, *NO_ENTRY) as error:
        raise DependencyAway("postgresql") from error


async def migrate(
    url: str, service: str, folders: Sequence[tuple[str, Path]], *, upto: Mapping[str, str] | None = None
) -> bool:
    """Bring one database to the head of each history, in the order given. Returns whether anything was done.

    With `upto` only to these revisions, and only the histories that it names.

    Waits for another process that is migrating the same database. Fails fast on locks held by serving code
    (`lock_timeout` 4 s), leaving no migration half done: each runs in one transaction. Raises DependencyAway.
    """
    if not await pending(url, folders):
        return False
    guard = await _connect(url)
    try:
        await guard.execute("select pg_advisory_lock($1)", LOCK)
        for history, folder in folders:
            if upto is not None and history not in upto:
                continue
            # Alembic would make it with 32 characters; our revisions are sentences.
            await guard.execute(
                f"create table if not exists {history}_version (version_num text primary key)"  # may string-built-sql: a name of our own
            )
            target = "heads" if upto is None else upto[history]
            scripts = _scripts(folder)
            for revision in reversed([*scripts.iterate_revisions(target, await _edition(guard, history) or "base")]):
                await _upgrade(url, service, history, scripts, revision)
            roles = roles_of(service)
            await guard.execute(
                f"grant select on {history}_version to {roles['app']}, {roles['worker']}"  # may string-built-sql: names of our own
            )
    finally:
        await guard.close()
    return True


def _scripts(folder: Path) -> ScriptDirectory:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(CHASSIS.parent))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    return ScriptDirectory.from_config(config)


async def _upgrade(url: str, service: str, history: str, scripts: ScriptDirectory, revision: Script) -> None:
    """Run one migration."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    apart = is_apart(Path(revision.path).with_suffix(".sql").read_text())

    def run(connection: Connection) -> None:
        def steps(before: object, _: object) -> object:
            return scripts._upgrade_revs(revision.revision, before)  # type: ignore[arg-type]  # noqa: SLF001 - as `alembic upgrade` does

        environment = EnvironmentContext(Config(), scripts, fn=steps)
        environment.configure(connection=connection, version_table=f"{history}_version", transactional_ddl=not apart)
        with environment.begin_transaction():
            environment.run_migrations()

    waits = "0" if apart else "4000"
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
        connect_args={"server_settings": {"lock_timeout": waits, "application_name": f"{service} migration"}},
        **({"isolation_level": "AUTOCOMMIT"} if apart else {}),
    )
    token = _roles.set(roles_of(service))
    try:
        async with engine.connect() if apart else engine.begin() as connection:
            await connection.run_sync(run)
    except asyncpg.LockNotAvailableError as error:
        # Whoever waits for what is away tries again: a table in use is free a moment later.
        raise DependencyAway("a table in use") from error
    finally:
        _roles.reset(token)
        await engine.dispose()


def migrate_now(url: str, service: str, folders: Sequence[tuple[str, Path]]) -> bool:
    """`migrate` for callers that have no event loop."""
    return asyncio.run(migrate(url, service, folders))
