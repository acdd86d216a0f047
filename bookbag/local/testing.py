"""Real servers for tests: one PostgreSQL and one Valkey per test run, shared by all its processes, gone when it is gone.

How they end with the run, whatever ends the run, is in `guardian`.

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
import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias, final

from bookbag.local import guardian
from bookbag.local.files import write_private
from bookbag.local.postgres import EmbeddedPostgres, PostgresAddress
from bookbag.local.provision import ServiceUrls, close_database, database_of, provision, urls_of
from bookbag.local.valkey import EmbeddedValkey, ValkeyAddress

_MODULE: Final = "bookbag.local.testing"
_VALKEY_DATABASES: Final = 4096

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
        folder = guardian.folder_of(run, "tests")
        membership, known = guardian.join(folder, _MODULE)
        postgres = PostgresAddress(known["postgres"]["port"], known["postgres"]["password"])
        return cls(folder, membership, postgres, ValkeyAddress(known["valkey"]["port"], known["valkey"]["password"]))

    def leave(self) -> None:
        """Say that this process is done; the servers end when the last has left."""
        guardian.leave(self._membership)

    @contextlib.contextmanager
    def databases(self, services: Sequence[str], *, prepare: Prepare | None = None) -> Generator[DatabaseSet]:
        """A fresh set of databases for these services, removed at the end. Raises what `prepare` raises."""
        passwords = self._templates(services, prepare)
        number = guardian.next_number(self._folder)  # Valkey's database 0 is nobody's
        names = {service: f"{database_of(service)}_{number}" for service in services}
        self.postgres.run("\n".join(_copy(service, name) for service, name in names.items()))
        urls = {service: urls_of(self.postgres, service, passwords, database=name) for service, name in names.items()}
        try:
            yield DatabaseSet(urls, self.valkey.url(number % _VALKEY_DATABASES), names)
        finally:
            self.postgres.run("\n".join(f"drop database if exists {name} with (force);" for name in names.values()))

    def _templates(self, services: Sequence[str], prepare: Prepare | None) -> dict[str, str]:
        """Make the databases that sets are copied from, once per run; gives the passwords of all roles."""
        with guardian.alone(self._folder / "templates"):
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def _copy(service: str, name: str) -> str:
    # A template with a session open cannot be copied: whoever prepared it may still be closing.
    # The usual strategy writes every page into the log too, which costs half as much processor again (measured).
    template = database_of(service)
    return f"""
        select pg_terminate_backend(pid) from pg_stat_activity where datname = '{template}' \\g /dev/null
        create database {name} template {template} strategy file_copy;
        {close_database(name, service)}"""  # noqa: S608 - provision checked the names


def _main(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres", fast=True, max_connections=300)
    valkey = EmbeddedValkey(folder / "valkey", databases=_VALKEY_DATABASES)
    guardian.guard(
        folder,
        (postgres, valkey),
        lambda: {
            "postgres": {"port": postgres.address.port, "password": postgres.address.password},
            "valkey": {"port": valkey.address.port, "password": valkey.address.password},
        },
    )


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
