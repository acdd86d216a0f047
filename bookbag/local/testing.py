"""Real servers for tests: one PostgreSQL and one Valkey per test run, shared by all its processes, gone when it is gone.

The first process that joins starts a guardian, which starts the servers; every member holds a shared lock on one file, and
the guardian waits for that file to be free. The kernel frees a lock however its holder ends, so a killed run leaves nothing.

Use, in a pytest plugin:

    @pytest.fixture(scope="session")
    def servers() -> Iterator[TestServers]:
        with TestServers.join() as servers:              # the same servers in every xdist worker; 1 s for the first
            yield servers

    @pytest.fixture(scope="session")
    def database_set(servers) -> Iterator[DatabaseSet]:
        with servers.databases(("identity", "messaging"), prepare=migrate) as made:      # 0.1–0.2 s a set
            yield made

`prepare` gets the URLs of the template databases, once per run and list of services, whoever comes first; it migrates them.
Each set is a copy of the templates under names of its own; roles and passwords are the same for all (`bookbag_<service>_app`
and so on). `made.urls["messaging"].app` is a URL, `made.redis_url` a Valkey database of its own (published messages know no
databases: give channels a prefix). `servers.postgres.url()` is the administrator's.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias, final

from bookbag.local.files import write_private
from bookbag.local.parts import Part, wait_ready
from bookbag.local.postgres import EmbeddedPostgres, PostgresAddress
from bookbag.local.process import wait_until
from bookbag.local.provision import ServiceUrls, close_database, database_of, provision, urls_of
from bookbag.local.refusals import CannotStart
from bookbag.local.valkey import EmbeddedValkey, ValkeyAddress

_STARTS_WITHIN: Final = 60.0
_VALKEY_DATABASES: Final = 4096

_guardians: Final[list[subprocess.Popen[bytes]]] = []
"""Kept, not waited for: they outlive us when others of the run go on."""

Prepare: TypeAlias = Callable[[Mapping[str, ServiceUrls]], None]
"""Brings freshly made template databases to the state the tests begin with."""


@dataclass(frozen=True, slots=True)
class DatabaseSet:
    """One throw-away set of service databases and one Valkey database."""

    urls: Mapping[str, ServiceUrls]
    redis_url: str
    databases: Mapping[str, str]


@final
class TestServers:
    """The servers of this test run, for one of its processes. Made by `join`, ended by `leave` or by the process's end."""

    __test__ = False

    def __init__(self, folder: Path, membership: int, postgres: PostgresAddress, valkey: ValkeyAddress) -> None:
        self.postgres: Final = postgres
        self.valkey: Final = valkey
        self._folder = folder
        self._membership = membership

    @classmethod
    def join(cls, run: str | None = None) -> Self:
        """Join the servers of a run, starting them when nobody has. Raises CannotStart.

        `run` names the run; without it xdist's own name for it is used, or this process.
        """
        name = run or os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process-{os.getpid()}"
        folder = (
            Path(tempfile.gettempdir())
            / f"bookbag-tests-{os.getuid()}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        )
        membership = _become_member(folder)
        with _alone(folder / "starting"):
            if not (folder / "servers.json").exists():
                _start_guardian(folder)
        known = json.loads((folder / "servers.json").read_text())
        postgres = PostgresAddress(known["postgres"]["port"], known["postgres"]["password"])
        return cls(folder, membership, postgres, ValkeyAddress(known["valkey"]["port"], known["valkey"]["password"]))

    def leave(self) -> None:
        """Say that this process is done; the servers end when the last has left."""
        with contextlib.suppress(OSError):
            os.close(self._membership)

    @contextlib.contextmanager
    def databases(self, services: Sequence[str], *, prepare: Prepare | None = None) -> Generator[DatabaseSet]:
        """A fresh set of databases for these services, removed at the end. Raises what `prepare` raises."""
        passwords = self._templates(services, prepare)
        number = self._next_number()
        names = {service: f"{database_of(service)}_{number}" for service in services}
        self.postgres.run("\n".join(_copy(service, name) for service, name in names.items()))
        urls = {service: urls_of(self.postgres, service, passwords, database=name) for service, name in names.items()}
        try:
            yield DatabaseSet(urls, self.valkey.url(number % _VALKEY_DATABASES), names)
        finally:
            self.postgres.run("\n".join(f"drop database if exists {name} with (force);" for name in names.values()))

    def _templates(self, services: Sequence[str], prepare: Prepare | None) -> dict[str, str]:
        """Make the databases that sets are copied from, once per run; gives the passwords of all roles."""
        with _alone(self._folder / "templates"):
            made = self._folder / "made.json"
            ready: list[str] = json.loads(made.read_text()) if made.exists() else []
            missing = [service for service in services if service not in ready]
            if missing:
                urls = provision(self.postgres, self._folder, sorted({*ready, *missing}))
                if prepare is not None:
                    prepare({service: urls[service] for service in missing})
                write_private(made, json.dumps([*ready, *missing]))
            passwords: dict[str, str] = json.loads((self._folder / "passwords.json").read_text())
            return passwords

    def _next_number(self) -> int:
        """A number no other process of the run has; Valkey's database 0 is nobody's."""
        with _alone(self._folder / "numbers"):
            counter = self._folder / "number"
            number = int(counter.read_text()) + 1 if counter.exists() else 1
            write_private(counter, str(number))
            return number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def _copy(service: str, name: str) -> str:
    # A template with a session open cannot be copied: whoever prepared it may still be closing.
    template = database_of(service)
    return f"""
        select pg_terminate_backend(pid) from pg_stat_activity where datname = '{template}' \\g /dev/null
        create database {name} template {template};
        {close_database(name, service)}"""  # noqa: S608 - provision checked the names


def _become_member(folder: Path) -> int:
    """Take a shared lock on the run's file. The guardian of an ended run removes the file: then it is made anew."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            members = os.open(folder / "members", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        fcntl.flock(members, fcntl.LOCK_SH)
        with contextlib.suppress(FileNotFoundError):
            if (folder / "members").stat().st_ino == os.fstat(members).st_ino:
                return members
        os.close(members)


@contextlib.contextmanager
def _alone(path: Path) -> Generator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _start_guardian(folder: Path) -> None:
    """Start the process that owns the servers, in a session of its own, and wait for what it writes."""
    refusal = folder / "refusal"
    refusal.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bookbag.local.testing", str(folder)]
    guardian = subprocess.Popen(
        command,
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _guardians.append(guardian)
    wait_until(lambda: (folder / "servers.json").exists() or guardian.poll() is not None, _STARTS_WITHIN)
    if not (folder / "servers.json").exists():
        guardian.kill()
        raise CannotStart(refusal.read_text() if refusal.exists() else "The servers for tests do not start.")


def guard(folder: Path) -> None:
    """Start the servers, wait until the run has no member any more, end them and leave no trace."""
    postgres = EmbeddedPostgres(folder / "postgres", fast=True, max_connections=300)
    valkey = EmbeddedValkey(folder / "valkey", databases=_VALKEY_DATABASES)
    parts: tuple[Part, ...] = (postgres, valkey)
    try:
        for part in parts:
            part.begin()
        for part in parts:
            wait_ready(part)
        known = {
            "postgres": {"port": postgres.address.port, "password": postgres.address.password},
            "valkey": {"port": valkey.address.port, "password": valkey.address.password},
        }
        write_private(folder / "servers.json", json.dumps(known))
        with (folder / "members").open() as members:
            fcntl.flock(members, fcntl.LOCK_EX)
            for part in reversed(parts):
                part.stop()
            shutil.rmtree(folder)
    except CannotStart as refusal:
        (folder / "refusal").write_text(str(refusal))
        raise
    finally:
        for part in reversed(parts):
            part.stop()


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # it ends with the run, not with a key that was meant for the run
    guard(Path(sys.argv[1]))
