"""A whole installation for tests: migrated databases of their own, keys, and runtimes and servers of services on top of them.

`house` (one per test module and process) is for tests that keep to schools of their own; `fresh_house` (one per test) is for those
that look across schools or count rows. Time is moved, never slept: `eventually` waits for a fact with a deadline.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import httpx2

from bookbag.chassis import runtime as runtimes
from bookbag.chassis.clock import Clock, SystemClock, new_id
from bookbag.chassis.http import service_app
from bookbag.chassis.migrate import CHASSIS, migrate_now
from bookbag.chassis.process import _channels
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform
from bookbag.chassis.tokens import UserSigner
from bookbag.chassis.wake import Wake
from bookbag.cli.services import NAMES, named
from bookbag.local.keys import KeyFiles
from bookbag.local.provision import ServiceUrls

if TYPE_CHECKING:
    from bookbag.local.testing import DatabaseSet, TestServers

TERMS = "2026-09"
"""What every preset calls its terms; members of tests have accepted them unless a test is about those who have not."""

SERVICES = (*(name for name in NAMES if Path(f"services/{name}/service.py").exists()), "toy")
"""The services of an installation, and a database for tests of the chassis alone."""


def prepare(urls: Mapping[str, ServiceUrls]) -> None:
    """Migrate the template databases; runs once per test run."""
    for name, roles in urls.items():
        folders = (("chassis", CHASSIS),) if name == "toy" else named(name)[0].migrations
        migrate_now(roles.owner, name, folders)


async def eventually(fact: Callable[[], Awaitable[bool]], *, seconds: float = 10) -> None:
    """Wait until a fact holds; fails with the fact's name when it does not in time."""
    end = time.monotonic() + seconds
    while not await fact():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {getattr(fact, '__name__', fact)}")
        await asyncio.sleep(0.02)


@dataclass
class House:
    """One installation. `environment` is what its processes are told."""

    databases: "DatabaseSet"
    keys: KeyFiles
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            "BOOKBAG_ENVIRONMENT": "stack",
            "BOOKBAG_REDIS_URL": self.databases.redis_url,
            "BOOKBAG_PUBLIC_URL": "http://127.0.0.1:8000",
            "BOOKBAG_USER_KEYS": str(self.keys.user_keys),
            "BOOKBAG_SERVICE_KEYS": str(self.keys.service_keys),
            "BOOKBAG_SIGNING_KEYS": str(self.keys.signing_keys),
            "BOOKBAG_AUDIT_KEYS": str(self.keys.audit_keys),
            "BOOKBAG_DATA": str(self.folder),
            "BOOKBAG_OBJECT_STORE": (self.folder / "objects").as_uri(),
            "BOOKBAG_PEERS": "{}",
            "BOOKBAG_HTTP_PORT": "0",
            "BOOKBAG_GRPC_PORT": "0",
            "BOOKBAG_ADMIN_PORT": "0",
            "BOOKBAG_IDENTITY_PASSWORD_MEMORY_KIB": "1024",
        }
        for service, roles in self.databases.urls.items():
            self.environment |= {f"BOOKBAG_{service.upper()}_{role.upper()}_URL": url for role, url in roles.items()}

    @contextmanager
    def settings(self, **changed: str) -> Iterator[Platform]:
        """The environment of this house, with changes (`BOOKBAG_PEERS=…`), while the block runs."""
        before = dict(os.environ)
        os.environ.update(self.environment | changed)
        try:
            yield Platform()  # type: ignore[call-arg]
        finally:
            os.environ.clear()
            os.environ.update(before)

    @asynccontextmanager
    async def runtime(
        self, service: Service | str, *, working: bool = True, clock: Clock | None = None, **changed: str
    ) -> AsyncGenerator[Runtime]:
        """One service's runtime, its `start` done, without servers."""
        service = named(service)[0] if isinstance(service, str) else service
        with self.settings(**changed) as platform:
            wake = Wake(platform.redis_url.get_secret_value(), *_channels([service]))
            runtime = runtimes.build(service, platform, wake, clock=clock, working=working)
            runtime.state["holder"] = f"test {new_id()}"
            await wake.start()
            if service.start is not None:
                await service.start(runtime)
            try:
                yield runtime
            finally:
                if service.stop is not None:
                    await service.stop(runtime)
                await runtime.close()
                await wake.close()

    @asynccontextmanager
    async def client(self, runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
        """An HTTP client of a service's application, in this process, with paths as from outside (`/messaging/v1/…` → `/v1/…`
        of that service)."""
        app = service_app(runtime)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client

    def token(
        self,
        school: UUID,
        person: UUID,
        role: str,
        *,
        session: UUID | None = None,
        epoch: int = 1,
        terms: str = TERMS,
        clock: Clock | None = None,
    ) -> str:
        """A user token signed with this house's key."""
        signer = UserSigner(self.keys.signing_keys / "users.json", clock or SystemClock())
        return signer.sign(
            school=school, person=person, role=role, session=session or new_id(), epoch=epoch, terms=terms
        )

    def bearer(self, school: UUID, person: UUID, role: str, **more: object) -> dict[str, str]:
        """Request headers of a signed-in member, with a new idempotency key."""
        return {
            "authorization": f"Bearer {self.token(school, person, role, **more)}",  # type: ignore[arg-type]
            "idempotency-key": new_id().hex,
        }

    async def owner(self, service: str, sql: str) -> None:
        """Run a script as the owner of a service's tables, for what only a test may do."""
        connection = await asyncpg.connect(self.databases.urls[service].owner)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextmanager
def built(servers: "TestServers", keys: KeyFiles, folder: Path) -> Iterator[House]:
    """A house with databases of its own, gone afterwards."""
    with servers.databases(SERVICES, prepare=prepare) as databases:
        yield House(databases, keys, folder)
