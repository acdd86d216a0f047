"""The way to PostgreSQL: pools that never hang, and the one transaction in which a school's rows can be seen.

Row security reads the transaction-local setting `bookbag.school`; it is set here as the first statement of each tenant
transaction and never for a session, so a pooled connection carries nothing from one school to the next.
"""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from google.protobuf.message import Message

from bookbag.chassis import faults, measures, tracing
from bookbag.chassis.bus import LARGEST_EVENT
from bookbag.chassis.clock import Clock, SystemClock, new_id
from bookbag.chassis.problems import DependencyAway, StorageFull

log = structlog.get_logger()

BUCKETS = 8
"""Into how many ordered lanes the events of a service fall; a key always falls into the same one."""

ACQUIRE_SECONDS = 2.0
"""How long a call waits for a free connection before it is told that the database is away."""

NOTED_SECONDS = 0.001
"""A wait for a connection that is shorter is none."""

Row = asyncpg.Record
Connection: TypeAlias = "PoolConnectionProxy[Row]"

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
)
"""Errors of the way to the database, not of the question put to it: they become `DependencyAway`."""

NO_ENTRY = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""The server is there and does not let us in, or has no such database (yet): as good as away, and for an operator to see."""


class _Quiet(asyncpg.Connection):  # type: ignore[type-arg]
    """Nothing is ever set for a session here, so the round trip that would undo it is spared."""

    def get_reset_query(self) -> str:
        return ""


class Undeclared(Exception):
    """A service tried to tell an event, or to record an act, that its manifest does not name."""


class EventTooLarge(Exception):
    """A service tried to tell an event larger than `LARGEST_EVENT`."""


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction of one school: what every function in a `store.py` takes.

    `now` is the instant of the call, not of the statement. Events told here leave if and only if the transaction commits.
    """

    school: UUID
    now: datetime
    connection: Connection
    database: "Database"

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        return await self.connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        return await self.connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self.connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Run a statement and give the number of rows it touched."""
        tag = await self.connection.execute(sql, *arguments)
        return int(tag.rpartition(" ")[2]) if tag[-1].isdigit() else 0

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self.connection.executemany(sql, rows)

    async def tell(self, event: Message, *, key: UUID, sequence: int | None = None) -> UUID:
        """Put an event into the outbox under a key (an aggregate's id). Order holds among events of one key whose writers
        held a lock on that aggregate; `sequence` travels beside the payload. Returns the event's id."""
        kind = event.DESCRIPTOR.full_name
        if kind not in self.database.tells:
            raise Undeclared(f"{kind} is not in the manifest's `tells`")
        payload = event.SerializeToString()
        if len(payload) > LARGEST_EVENT:
            raise EventTooLarge(f"{kind} takes {len(payload)} bytes; events carry ids and facts")
        event_id = new_id()
        await faults.reached(faults.BEFORE_INSERT, self.database.name)
        await self.connection.execute(
            "insert into outbox (school_id, event_id, bucket, topic, key, type, payload, sequence, trace, occurred_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            self.school, event_id, bucket_of(key), topic_of(kind), key, kind,
            payload, sequence, trace_parent(), self.now,
        )  # fmt: skip
        await faults.reached(faults.AFTER_INSERT, self.database.name)
        return event_id


def bucket_of(key: UUID) -> int:
    """The lane of a key, the same in every process and for ever."""
    return zlib.crc32(key.bytes) % BUCKETS


def topic_of(kind: str) -> str:
    """`bookbag.messaging.v1.MessageSent` travels on topic `bookbag.messaging.v1`."""
    return kind.rpartition(".")[0]


def trace_parent() -> str | None:
    """The W3C trace context of the running span, to be carried by rows and records; None outside any trace."""
    return tracing.running()


_POOLS: "WeakValueDictionary[int, Database]" = WeakValueDictionary()


@dataclass(slots=True, weakref_slot=True)
class Database:
    """A pool under one role. Opens on first use, so a process can start before its database does."""

    url: str
    name: str
    size: int = 12
    clock: Clock = field(default_factory=SystemClock)
    tells: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    _pool: "asyncpg.Pool[Row] | None" = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        _POOLS[id(self)] = self
        measures.pool_timeouts.labels(self.name)  # a rate does not see a series begin, so it is there before it counts

    async def pool(self) -> "asyncpg.Pool[Row]":
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self.url,
                        min_size=0,
                        max_size=self.size,
                        max_inactive_connection_lifetime=30,
                        connection_class=_Quiet,
                        timeout=3,
                        command_timeout=10,
                        server_settings={
                            "application_name": self.name,
                            "statement_timeout": "8000",
                            "lock_timeout": "4000",
                            "idle_in_transaction_session_timeout": "10000",
                            "tcp_keepalives_idle": "10",
                            "tcp_keepalives_interval": "3",
                            "tcp_keepalives_count": "2",
                            "tcp_user_timeout": "12000",
                        },
                    )
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A pooled connection outside any transaction. Raises DependencyAway when there is none to be had in two seconds."""
        try:
            pool = self._pool or await self.pool()
            began = time.monotonic()
            # Cheaper than the pool's own time limit, which makes a task for each acquisition.
            async with asyncio.timeout(ACQUIRE_SECONDS):
                connection = await pool.acquire()
            if (waited := time.monotonic() - began) > NOTED_SECONDS:
                measures.pool_waits.labels(self.name).observe(waited)
        except GONE as error:
            if isinstance(error, (TimeoutError, asyncpg.TooManyConnectionsError)):
                measures.pool_timeouts.labels(self.name).inc()
            raise DependencyAway("postgresql") from error
        except NO_ENTRY as error:
            log.error("database lets nobody in", service=self.name, dependency="postgresql", error=type(error).__name__)
            raise DependencyAway("postgresql") from error
        try:
            yield connection
        except asyncpg.DiskFullError as error:
            raise StorageFull("room for postgresql") from error
        except GONE as error:
            raise DependencyAway("postgresql") from error
        finally:
            # The pool shields this from a caller that goes away. What the block did is done or undone by now; a connection that
            # cannot be given back is closed by the pool.
            with suppress(*GONE):
                await pool.release(connection, timeout=3)

    @asynccontextmanager
    async def tenant(self, school: UUID, *, now: datetime | None = None) -> AsyncGenerator[Tx]:
        """One transaction that sees and writes the rows of one school only. Commits at the end, rolls back on any error."""
        async with self.connection() as connection:
            async with connection.transaction():
                await connection.execute("select set_config('bookbag.school', $1, true)", str(school))
                yield Tx(school, now or self.clock.now(), connection, self)
                await faults.reached(faults.BEFORE_COMMIT, self.name)
            await faults.reached(faults.AFTER_COMMIT, self.name)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A transaction without a school, for infrastructure tables under the worker role."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        async with self.connection() as connection:
            return await connection.execute(sql, *arguments)

    async def ready(self) -> None:
        """Raise DependencyAway unless the database answers."""
        await self.fetchval("select 1")

    async def close(self) -> None:
        """Let running statements end, for at most five seconds, then close."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), 5)
            except TimeoutError:
                pool.terminate()


def _connections() -> list[tuple[Sequence[str], float]]:
    """Of all pools of one name together: a process may have two under one role."""
    found: Counter[tuple[str, str]] = Counter()
    for database in list(_POOLS.values()):
        pool = database._pool  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - of this module
        idle, size = (pool.get_idle_size(), pool.get_size()) if pool is not None else (0, 0)
        found.update({(database.name, "used"): size - idle, (database.name, "idle"): idle})
    return [(labels, value) for labels, value in found.items()]


def _sizes() -> list[tuple[Sequence[str], float]]:
    found: Counter[str] = Counter()
    for database in list(_POOLS.values()):
        found[database.name] += database.size
    return [((name,), size) for name, size in found.items()]


measures.shown(
    "db_client_connection_count",
    "Connections of each pool, in use and idle.",
    "db_client_connection_pool_name", "db_client_connection_state",
    read=_connections,
)  # fmt: skip
measures.shown(
    "db_client_connection_max",
    "Connections a pool may have.",
    "db_client_connection_pool_name",
    read=_sizes,
)
