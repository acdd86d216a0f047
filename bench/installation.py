"""A durable PostgreSQL, Valkey and one real `bookbag serve messaging` for measurements, in a folder that goes away."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.running import Running
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.migrate import migrate_now
from bookbag.chassis.tokens import UserSigner
from bookbag.cli.services import named
from bookbag.local import ports
from bookbag.local.environment import REPOSITORY, Ports, for_child, settings, settings_of_running
from bookbag.local.keys import ensure_keys
from bookbag.local.parts import ServiceProcess, start, wait_ready
from bookbag.local.postgres import EmbeddedPostgres, PostgresAddress
from bookbag.local.provision import provision
from bookbag.local.valkey import EmbeddedValkey
from tests.support.policy import open_hours

SCHOOLS = 20
THREADS = 2000
"""Each thread has a pupil, a seat and a teacher of its own, spread over the schools."""


def numbered(kind: int, number: int) -> UUID:
    """An id that SQL can build from a number as well: kind 1 schools, 2 teachers, 3 threads, 4 pupils, 5 seats, 6 sessions,
    7 guardians and their links."""
    return UUID(f"0000000{kind}-0000-7000-8000-{number:012x}")


@dataclass(frozen=True, slots=True)
class Installation:
    """What a measurement needs to know."""

    folder: Path
    postgres: PostgresAddress
    messaging: str
    """The database's address for the role that serves requests."""
    address: str
    environment: dict[str, str]
    targets: Path
    """A line per thread: token, thread id."""


@contextmanager
def installation(
    services: Sequence[str] = ("messaging",), *, family: int = 0, schools: int = SCHOOLS
) -> Generator[Installation]:
    """Everything started and filled; ended and removed afterwards. `family` guardians read each thread;
    the threads are spread over `schools`."""
    with tempfile.TemporaryDirectory(prefix="bookbag-bench-") as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        valkey = EmbeddedValkey(folder / "valkey")
        try:
            for part in (postgres, valkey):
                start(part)
            urls = provision(postgres.address, folder, services)
            for service in services:
                migrate_now(urls[service].owner, service, named(service)[0].migrations)
                asyncio.run(
                    _fill(postgres.address.url(f"bookbag_{service}"), family, schools, threads=service == "messaging")
                )
            keys = ensure_keys(folder / "keys", services)
            listen = Ports.choose(ports.choose_lasting(1)[0])
            shared = settings(
                folder, listen=listen, redis_url=valkey.address.url(), keys=keys, databases=urls, demo=False, web=None
            )
            environment = for_child(shared)
            process = ServiceProcess(
                "messaging", (sys.executable, "-m", "bookbag", "serve", "messaging"), environment=environment, port=listen.http,
                folder=REPOSITORY, logs=folder,
            )  # fmt: skip
            process.begin()
            try:
                wait_ready(process)
                targets = folder / "targets"
                targets.write_text(_targets(UserSigner(keys.signing_keys / "users.json", SystemClock()), schools))
                yield Installation(
                    folder, postgres.address, urls["messaging"].app, listen.address, environment, targets
                )
            finally:
                process.stop()
        finally:
            valkey.stop()
            postgres.stop()


def installation_of(product: Running) -> Installation:
    """A stack that runs, filled in the same way."""
    told = settings_of_running(product.folder) or {}
    server = product.folder / "postgres"
    postgres = PostgresAddress(int((server / "port").read_text()), (server / "password").read_text().strip())
    asyncio.run(_fill(postgres.url("bookbag_messaging"), 0, SCHOOLS, threads=True))
    targets = product.folder / "targets"
    signer = UserSigner(Path(told["BOOKBAG_SIGNING_KEYS"]) / "users.json", SystemClock())
    targets.write_text(_targets(signer, SCHOOLS))
    return Installation(product.folder, postgres, told["BOOKBAG_MESSAGING_APP_URL"], product.address, told, targets)


def _targets(signer: UserSigner, schools: int) -> str:
    lines: list[str] = []
    for number in range(THREADS):
        token = signer.sign(
            school=numbered(1, number % schools),
            person=numbered(2, number),
            role="teacher",
            session=numbered(6, number),
            epoch=1,
            terms="2026-09",
        )
        lines.append(f"{token} {numbered(3, number)}")
    return "\n".join(lines) + "\n"


async def _fill(url: str, family: int, schools: int, *, threads: bool) -> None:
    """Schools, teachers, guardians, seats and threads, by the administrator, who is above row security."""
    connection = await asyncpg.connect(url)
    number = "generate_series(0, $1::int - 1) n"

    def ident(kind: int, value: str = "n") -> str:
        return f"('0000000{kind}-0000-7000-8000-' || lpad(to_hex({value}), 12, '0'))::uuid"

    school = ident(1, f"n % {schools}")
    adult = ident(7, f"n * {max(family, 1)} + g")
    people = f"{number}, generate_series(0, {family} - 1) g"
    try:
        for statement in (
            f"insert into known_person select {school}, {ident(2)}, 1, 'Ms Bench', 'Bench', 'en' from {number}",
            f"insert into known_membership select {school}, {ident(2)}, 'teacher', 1, 'active', 1 from {number}",
            f"insert into known_person select {school}, {adult}, 1, 'Mr Bench', 'Bench', 'es' from {people}",
            f"insert into known_membership select {school}, {adult}, 'guardian', 1, 'active', 1 from {people}",
            f"insert into known_seat select {school}, {ident(5)}, 1, 'class_teacher', null, '' from {number}",
            f"insert into known_seat_holder select {school}, {ident(5)}, {ident(2)}, 1, false from {number}",
            f"insert into known_link select {school}, {adult}, 1, {ident(4)}, {adult}, 'parent', false from {people}",
            *(
                (
                    f"""insert into thread (school_id, thread_id, pupil_id, seat_id, head_at, opened_at)
                    select {school}, {ident(3)}, {ident(4)}, {ident(5)}, now(), now() from {number}""",
                    f"insert into thread_link select {school}, {ident(3)}, {adult}, {adult}, 1 from {people}",
                )
                if threads
                else ()
            ),
        ):
            await connection.execute(statement, THREADS)
        document = open_hours()
        await connection.execute(
            # may string-built-sql: the names are of this file
            f"insert into known_policy select {ident(1)}, 1, 1, $2, now(), now(), null from {number}",
            schools,
            document,
        )
        await connection.execute("update feed_state set heard_at = 'infinity', position = coalesce(position, 0)")
        await connection.execute("analyze")
    finally:
        await connection.close()


def run(command: list[str]) -> str:
    """Run a measuring program and give what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stderr[:700]}")
    return done.stdout
