"""What one service has at hand in one process: settings, databases, clock, peers, wake-ups, limits, tokens.

Built once by the process runner and handed to everything; nothing is reached through a global.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bookbag.chassis.clock import Clock, ShiftedClock, SystemClock
from bookbag.chassis.database import Database
from bookbag.chassis.limiter import Limiter
from bookbag.chassis.objects import ObjectStore, opened
from bookbag.chassis.peers import Peers
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform, ServiceSettings, load
from bookbag.chassis.tokens import ServiceSigner, Verifier
from bookbag.chassis.wake import Wake

CONNECTIONS = {"app": 16, "reader": 4, "worker": 8}
"""How many a process opens at most under each role of a service."""


@dataclass(slots=True)
class Runtime:
    """One service in one process. `state` is the service's own, filled by its `start`."""

    service: Service
    platform: Platform
    settings: Any
    database: Database
    worker: Database | None
    reader: Database | None
    clock: Clock
    wake: Wake
    limiter: Limiter
    verifier: Verifier
    signer: ServiceSigner | None
    peers: Peers
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    _objects: ObjectStore | None = None

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def across_schools(self) -> Database:
        """The worker role's database, which sees infrastructure tables of all schools. Only worker processes have one."""
        if self.worker is None:
            raise LookupError(f"{self.name} has no worker database in this process")
        return self.worker

    @property
    def record(self) -> Database:
        """The reading role's database, which sees the record of one school at a time and nothing else. Raises DependencyAway in a
        process that was not told its address."""
        if self.reader is None:
            raise DependencyAway("the record's reading role")
        return self.reader

    @property
    def objects(self) -> ObjectStore:
        """Where files are kept, opened by whoever uses it first. Raises LookupError on an installation that has no such place."""
        if self._objects is None:
            self._objects = opened(self.platform, self.clock)
        return self._objects

    def signal(self, what: str) -> None:
        """Wake whoever waits for `what` of this service, here or in another process. Losing it costs only time."""
        self.wake.signal(f"{self.name}:{what}")

    async def close(self) -> None:
        await self.peers.close()
        if self._objects is not None:
            await self._objects.close()
        await self.database.close()
        for other in (self.worker, self.reader):
            if other is not None:
                await other.close()


def _clock_of(platform: Platform) -> Clock:
    """The machine's clock; that of a demo can be moved by a file in its folder."""
    return ShiftedClock(platform.data / "clock-shift") if platform.is_demo and platform.data else SystemClock()


def build(service: Service, platform: Platform, wake: Wake, *, clock: Clock | None = None, working: bool) -> Runtime:
    """Put a service together from its settings. Connects to nothing yet.

    `working` processes (workers) also get the worker role's database.
    """
    clock = clock or _clock_of(platform)
    settings: ServiceSettings = load(service.settings, service.name)
    tells = frozenset(event.DESCRIPTOR.full_name for event in service.tells)
    database = Database(
        settings.app_url.get_secret_value(), f"{service.name} app", size=CONNECTIONS["app"], clock=clock, tells=tells,
        records=frozenset(service.records),
    )  # fmt: skip
    worker = reader = None
    if settings.reader_url is not None:
        reader = Database(
            settings.reader_url.get_secret_value(), f"{service.name} reader", size=CONNECTIONS["reader"], clock=clock
        )
    if working:
        if settings.worker_url is None:
            raise LookupError(f"set BOOKBAG_{service.name.upper()}_WORKER_URL: a worker needs it")
        worker = Database(
            settings.worker_url.get_secret_value(), f"{service.name} worker", size=CONNECTIONS["worker"], clock=clock
        )
    key = platform.signing_keys / f"service-{service.name}.json"
    signer = ServiceSigner(service.name, key, clock) if key.exists() else None
    return Runtime(
        service=service,
        platform=platform,
        settings=settings,
        database=database,
        worker=worker,
        reader=reader,
        clock=clock,
        wake=wake,
        limiter=Limiter(wake.redis, database, clock),
        verifier=Verifier(platform.user_keys, platform.service_keys, clock),
        signer=signer,
        peers=Peers(platform.peers, signer),
    )
