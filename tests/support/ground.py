"""Servers of one test alone, which it may stop, freeze and start again: a PostgreSQL and a Valkey, and a house upon them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bookbag.local.keys import KeyFiles
from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.provision import provision
from bookbag.local.testing import DatabaseSet
from bookbag.local.valkey import EmbeddedValkey
from tests.support.house import SERVICES, House, prepare


@dataclass
class Ground:
    """`house` knows the addresses of both servers, whether they run or not."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    house: House

    def send_to_valkey(self, number: signal.Signals) -> None:
        assert self.valkey.process is not None
        self.valkey.process.send_signal(number)


@contextmanager
def ground(folder: Path, keys: KeyFiles, *, migrated: bool = True) -> Iterator[Ground]:
    """Both servers running, databases made, and migrated unless the test does that itself; all gone afterwards."""
    postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
    try:
        start(postgres)
        start(valkey)
        urls = provision(postgres.address, folder / "postgres", SERVICES)
        if migrated:
            prepare(urls)
        databases = DatabaseSet(urls, valkey.address.url(), {})
        yield Ground(postgres, valkey, House(databases, keys, folder))
    finally:
        if valkey.process is not None:
            valkey.process.send_signal(signal.SIGCONT)
        valkey.stop()
        postgres.stop()
