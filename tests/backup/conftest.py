import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.backup.school_life import Writer, backed_up, bookbag, put_files
from tests.support.house import House, built
from tests.support.whole import Whole, whole_product


@dataclass
class Lived:
    """An installation whose people have written to each other and whose processes have ended, and a backup of it."""

    house: House
    school: UUID
    manifest: dict[str, Any]

    @property
    def place(self) -> Path:
        return Path(self.manifest["place"])


def all_mailed(whole: Whole) -> bool:
    states = {row["state"] for row in whole.rows("notify", "select state from delivery")}
    return "sent" in states and not states & {"waiting", "sending", "failed"}


@pytest.fixture(scope="session")
def lived(servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """One for all tests, none of which changes it. One of its mails was being handed over when the backup was taken, and somebody
    was signed in; the record is anchored further than the rows go."""
    folder = tmp_path_factory.mktemp("lived")
    with built(servers, keys, folder) as house:
        told = {"BOOKBAG_NOTIFY_MAIL_GRACE_SECONDS": "0"}
        with whole_product(house, tmp_path_factory.mktemp("whole"), **told) as whole:
            whole.seed()
            school = whole.person("Hughes", "teacher")[0]
            Writer(whole).write(12)
            whole.wait(lambda: all_mailed(whole), seconds=60)
        put_files(house, school)
        asyncio.run(house.owner("notify", _ON_ITS_WAY))
        asyncio.run(house.owner("identity", SIGNED_IN))
        yield Lived(house, school, backed_up(house.environment, str(folder / "backups")))


_ON_ITS_WAY = """
    alter table delivery no force row level security;
    update delivery set state = 'sending', holder = 'somebody' where delivery_id = (select min(delivery_id::text)::uuid from delivery);
    alter table delivery force row level security;
"""
SIGNED_IN = (
    "insert into session (session_id, account_id, started_at, last_used_at, expires_at, device)"
    " select gen_random_uuid(), min(account_id::text)::uuid, now(), now(), now() + interval '1 day', 'a phone' from account"
)


@pytest.fixture(scope="session")
def restored(
    lived: Lived, servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Another installation into which the backup was given back; nobody changes it either."""
    with built(servers, keys, tmp_path_factory.mktemp("restored")) as house:
        done = bookbag(house.environment, "restore", "--from", str(lived.place))
        assert done.returncode == 0, done.stderr
        assert "Everybody signs in anew." in done.stdout
        yield house


@pytest.fixture(scope="session")
def untouched(servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation that nobody has used, for what must leave it so."""
    with built(servers, keys, tmp_path_factory.mktemp("untouched")) as house:
        yield house


@pytest.fixture
def another(servers: TestServers, keys: KeyFiles, tmp_path: Path) -> Iterator[Callable[[str], House]]:
    """Makes installations that nobody has used."""
    with ExitStack() as made:

        def make(name: str) -> House:
            (tmp_path / name).mkdir()
            return made.enter_context(built(servers, keys, tmp_path / name))

        yield make
