"""The whole product as separate processes over a house: one API process, one worker process, a mail server that keeps every mail.

For tests that cross services: the authorisation matrix, fuzzing, revocation, what may never be logged.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx2

from bookbag.chassis.runtime import Runtime
from bookbag.cli.services import NAMES
from bookbag.local import ports
from bookbag.local.smtp_outbox import SmtpOutbox
from tests.support.commands import Running
from tests.support.house import House
from tests.support.policy import open_hours

HEARD = "select 1 from feed_state where position is not null and heard_at > now() - interval '5 s'"

T = TypeVar("T")


class _ByService(httpx2.HTTPTransport):
    """Sends each request to the process that serves its first path segment, as a gateway would."""

    def __init__(self, http_ports: Mapping[str, int]) -> None:
        super().__init__(verify=False)
        self._ports = http_ports

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        service = request.url.path.split("/")[1]
        if service in self._ports:
            request.url = request.url.copy_with(port=self._ports[service])
        return super().handle_request(request)


@dataclass
class Whole:
    """A running product; `logs` is everything its processes wrote, `mails` everything it mailed."""

    house: House
    address: str
    environment: dict[str, str]
    folder: Path
    processes: dict[str, Running] = field(default_factory=dict)
    admin_ports: dict[str, int] = field(default_factory=dict)
    http_ports: dict[str, int] = field(default_factory=dict)
    """Of the services that have an API process of their own; the others answer at `address`."""
    grpc_ports: dict[str, int] = field(default_factory=dict)
    """Of each copy, where there are several."""

    def begin(self, kind: str, service: str = "all", copy: str = "", **changed: str) -> None:
        """Start `serve` or `work` of a service, or start it again; under `changed` settings. `copy` tells several of one kind apart."""
        name = f"{kind}-{service}{copy}"
        self.admin_ports.setdefault(name, ports.choose_one())
        log = self.folder / f"{name}.log"
        environment = os.environ | self.environment | {"BOOKBAG_ADMIN_PORT": str(self.admin_ports[name])} | changed
        self.processes[name] = Running([kind, service], environment, log, log)

    def end(self, kind: str, service: str = "all", copy: str = "") -> None:
        process = self.processes.pop(f"{kind}-{service}{copy}")
        process.terminate()
        process.wait(20)

    def kill(self, kind: str, service: str = "all", copy: str = "") -> None:
        process = self.processes.pop(f"{kind}-{service}{copy}")
        process.kill()
        process.wait(20)

    @property
    def logs(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    @property
    def mails(self) -> Sequence[str]:
        return [file.read_text() for file in sorted((self.folder / "mails").glob("*.eml"))]

    @property
    def grpc_address(self) -> str:
        return json.loads(self.environment["BOOKBAG_PEERS"])["identity"]

    def client(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        transport = _ByService(self.http_ports)
        return httpx2.Client(
            base_url=self.address, headers=headers or {}, timeout=15, transport=transport, trust_env=False
        )

    def rows(self, service: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask a service's database as its backup role, which reads all schools."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.house.databases.urls[service].backup)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def seed(self) -> None:
        """Found the demo schools, open at any hour, and wait until every service knows them."""
        from services.identity.demo import seed

        document = self.folder / "open-hours.yaml"
        document.write_text(open_hours())
        self.as_identity(seed, BOOKBAG_IDENTITY_DEMO_POLICY=str(document))
        self.wait_until_all_know("known_school", code="HAFO")

    def as_identity(self, act: Callable[[Runtime], Coroutine[Any, Any, T]], **changed: str) -> T:
        """Do something to the roster as identity does it, from this process; the running workers tell it on."""

        async def acting() -> T:
            async with self.house.runtime("identity", working=False, **changed) as runtime:
                made = await act(runtime)
                runtime.signal("changes")
                return made

        return asyncio.run(acting())

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

    def wait(self, fact: Callable[[], object], *, seconds: float = 20) -> None:
        """Wait until a callable gives something true."""
        end = time.monotonic() + seconds
        while not fact():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s\n{self.logs[-3000:]}")
            time.sleep(0.05)  # may thread-sleep: looks again at other processes, with a deadline

    def wait_until_all_know(self, table: str, **columns: object) -> None:
        """Wait until each copy of who is who has a row with these values."""
        wanted = " and ".join(f"{column} = ${place}" for place, column in enumerate(columns, 1))
        sql = f"select 1 from {table} where {wanted}"
        for service in NAMES:
            if service != "identity":
                self.wait(lambda at=service: self.rows(at, sql, *columns.values()))

    def wait_ready(self) -> None:
        """Wait until every API process answers and every copy of who is who is fresh."""
        places = [f"http://127.0.0.1:{port}" for port in self.http_ports.values()] or [self.address]

        def answers() -> bool:
            try:
                return all(
                    httpx2.get(f"{place}/readyz", timeout=5, verify=False).status_code == 200 for place in places
                )
            except httpx2.TransportError:
                return False

        self.wait(answers, seconds=40)
        self.wait(lambda: all(self.rows(name, HEARD) for name in NAMES if name != "identity"), seconds=40)


@contextmanager
def whole_product(house: House, folder: Path, *, begin: bool = True, **changed: str) -> Generator[Whole]:
    """Start both processes (unless the caller begins others) and wait until every service is heard; all ended afterwards."""
    http, grpc, smtp = ports.choose_lasting(3)
    environment = house.environment | {
        "BOOKBAG_HTTP_PORT": str(http),
        "BOOKBAG_GRPC_PORT": str(grpc),
        "BOOKBAG_PUBLIC_URL": f"http://127.0.0.1:{http}",
        "BOOKBAG_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
        "BOOKBAG_PEERS": json.dumps(dict.fromkeys(NAMES, f"127.0.0.1:{grpc}")),
    }
    whole = Whole(house, f"http://127.0.0.1:{http}", environment | changed, folder)
    mail_server = SmtpOutbox(folder / "mails", smtp)
    mail_server.begin()
    try:
        mail_server.wait_ready()
        if begin:
            for kind in ("serve", "work"):
                whole.begin(kind)
            whole.wait_ready()
        yield whole
    finally:
        for process in whole.processes.values():
            process.terminate()
        for process in whole.processes.values():
            process.wait(20)
        mail_server.stop()
