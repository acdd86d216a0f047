"""The whole product as separate processes over a house: one API process, one worker process, the demo school in it.

For tests that cross services: the authorisation matrix, fuzzing, revocation, what may never be logged.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2

from bookbag.cli.services import NAMES
from bookbag.local import ports
from bookbag.local.environment import REPOSITORY
from tests.support.house import House


@dataclass
class Whole:
    """A running product; `logs` is everything its processes wrote."""

    house: House
    address: str
    environment: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def begin(self, kind: str, service: str = "all") -> None:
        """Start `serve` or `work` of a service, or start it again."""
        log = (self.folder / f"{kind}-{service}.log").open("ab")
        environment = os.environ | self.environment
        if kind == "work":
            environment["BOOKBAG_ADMIN_PORT"] = str(ports.choose(1)[0])
        self.processes[f"{kind}-{service}"] = subprocess.Popen(
            [sys.executable, "-m", "bookbag", kind, service], cwd=REPOSITORY, env=environment, stdout=log, stderr=log
        )

    def end(self, kind: str, service: str = "all") -> None:
        process = self.processes.pop(f"{kind}-{service}")
        process.terminate()
        process.wait(20)

    @property
    def logs(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    def client(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        return httpx2.Client(base_url=self.address, headers=headers or {}, timeout=15)

    def rows(self, service: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask a service's database as its backup role, which reads all schools."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.house.databases.urls[service].backup)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def person(self, name: str, role: str, school: str = "BRLA") -> tuple[UUID, UUID]:
        """School and person ids of somebody, by a part of their name, their role and the school's code."""
        row = self.rows(
            "messaging",
            "select p.school_id, p.person_id from known_person p join known_membership m using (school_id, person_id)"
            " join known_school s using (school_id) where p.display_name like '%' || $1 || '%' and m.role = $2 and s.code = $3",
            name, role, school,
        )[0]  # fmt: skip
        return row["school_id"], row["person_id"]

    def bearer(self, name: str, role: str, school: str = "BRLA", **more: object) -> dict[str, str]:
        return self.house.bearer(*self.person(name, role, school), role, **more)

    def wait(self, fact: object, *, seconds: float = 20) -> None:
        """Wait until a callable gives something true."""
        end = time.monotonic() + seconds
        while not fact():  # type: ignore[operator]
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s\n{self.logs[-3000:]}")
            time.sleep(0.05)  # noqa: TID251 - waits for other processes, with a deadline


@contextmanager
def whole_product(house: House, folder: Path) -> Generator[Whole]:
    """Seed the demo school, start both processes, wait until every service knows who is who."""
    http, grpc, admin, smtp = ports.choose(4)
    environment = house.environment | {
        "BOOKBAG_HTTP_PORT": str(http),
        "BOOKBAG_GRPC_PORT": str(grpc),
        "BOOKBAG_ADMIN_PORT": str(admin),
        "BOOKBAG_PUBLIC_URL": f"http://127.0.0.1:{http}",
        "BOOKBAG_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
        "BOOKBAG_PEERS": json.dumps({name: f"127.0.0.1:{grpc}" for name in NAMES}),
    }

    async def seed() -> None:
        from services.identity.demo import seed

        async with house.runtime("identity", working=False) as runtime:
            await seed(runtime)

    asyncio.run(seed())
    whole = Whole(house, f"http://127.0.0.1:{http}", environment, folder)
    try:
        for kind in ("serve", "work"):
            whole.begin(kind)

        def knows() -> bool:
            return all(
                whole.rows(name, "select 1 from feed_state where position is not null and heard_at > now() - interval '5 s'")
                for name in NAMES
                if name != "identity"
            )

        def answers() -> bool:
            try:
                return whole.client().get("/readyz").status_code == 200
            except httpx2.TransportError:
                return False

        whole.wait(answers)
        whole.wait(knows)
        yield whole
    finally:
        for process in whole.processes.values():
            process.terminate()
        for process in whole.processes.values():
            process.wait(20)
