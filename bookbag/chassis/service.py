"""The manifest of a service: one value that says all it is, which the process runner turns into servers and workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from google.protobuf.message import Message

from bookbag.chassis.problems import ProblemKind
from bookbag.chassis.settings import ServiceSettings

if TYPE_CHECKING:
    import grpc.aio
    from fastapi import APIRouter

    from bookbag.chassis.hearing import EventCall, EventsCall
    from bookbag.chassis.runtime import Runtime

Handler: TypeAlias = "Callable[[EventCall, Any], Awaitable[None]]"
"""Takes an event. Must open `call.effect()` once; everything it changes happens in there, or not at all."""


@dataclass(frozen=True, slots=True)
class Together:
    """A handler of many events of one type and one school at once, for what is cheaper together (a fan-out).

    It gets an `EventsCall` and the events in order, and opens `call.effect()` once. When it fails, the events are handled again one
    by one, so that one bad event spoils no other.
    """

    handle: Callable[[EventsCall, Sequence[Any]], Awaitable[None]]


Hearer: TypeAlias = "Handler | Together"


@dataclass(frozen=True, slots=True)
class Job:
    """Timed work of a worker process.

    `alone` jobs have one owner among all processes, by a lease; others run everywhere and claim rows themselves. `wake` names a
    channel whose signal runs the job at once instead of after `every`.
    """

    name: str
    every: timedelta
    run: Callable[[Runtime], Awaitable[object]]
    alone: bool = True
    wake: str | None = None


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may call an RPC: these services with their own token, or anybody with a user token."""

    services: frozenset[str] = frozenset()
    user: bool = False
    across_schools: bool = False


@dataclass(frozen=True, slots=True)
class Rpc:
    """A gRPC servicer, how it is added to a server, and who may call each of its methods (complete, or start-up fails)."""

    name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: Callable[[Runtime], object]
    callers: Mapping[str, Callers]


SETTLING = timedelta(seconds=15)
"""What a school that comes back alone has under way waits so long at least: by then every service has the school, or none."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A service's rows as they came out of a backup, before anybody else sees them.

    `execute` runs a statement as the owner, across all schools, in the transaction that puts the rows back. What came true after
    `taken_at` is unknown to the rows: whatever must hold all the same is done again here. When one school comes back alone, each table's
    plain name stands for the rows that come, whatever else there is; what is here already is `public.` and the name.
    """

    execute: Callable[..., Awaitable[object]]
    taken_at: datetime
    school: UUID | None = None
    """The school that comes back into an installation where others may be at work; None when all of it comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All that a service is, on one screen."""

    name: str
    settings: type[ServiceSettings]
    migrations: Sequence[tuple[str, Path]]
    """Histories in order: `("chassis", CHASSIS)` first, the service's own last."""
    routes: APIRouter | None = None
    rpcs: Sequence[Rpc] = ()
    tells: Sequence[type[Message]] = ()
    records: Sequence[str] = ()
    """Codes of the acts that it puts on a school's record; a code never changes its meaning, and clients have words for it."""
    hears: Mapping[type[Message], Hearer] = field(default_factory=dict[type[Message], "Hearer"])
    jobs: Sequence[Job] = ()
    loops: Mapping[str, Callable[[Runtime], Awaitable[None]]] = field(
        default_factory=dict[str, Callable[["Runtime"], Awaitable[None]]]
    )
    """Long-running work of a worker process, such as the projector; each ends when the process stops."""
    samples: Sequence[Callable[[Runtime], Awaitable[None]]] = ()
    """Figures that cost a question to a database, set every few seconds by one worker process of the service."""
    refusals: Mapping[type[Exception], ProblemKind] = field(default_factory=dict[type[Exception], ProblemKind])
    """The one table from a model's errors to public problems, for HTTP and gRPC alike."""
    restored: Sequence[Callable[[Restored], Awaitable[None]]] = ()
    """What puts its rows right after they came out of a backup, in this order."""
    shared: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tables that name no school and have rows which a school needs: a backup of one school takes those that the condition finds, in
    which `$1` is the school."""
    needs: Sequence[Callable[[Runtime], Awaitable[None]]] = ()
    """What must be there beside its database before a process is ready; each raises DependencyAway while it is not."""
    start: Callable[[Runtime], Awaitable[None]] | None = None
    """Prepares `runtime.state` in every process of the service."""
    stop: Callable[[Runtime], Awaitable[None]] | None = None
    """Undoes `start`, after the servers have stopped."""
