"""One school is put down alone and comes back alone: row by row, beside schools that go on working, and never over one that is there."""

import asyncio
import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bookbag.chassis.backup import BackupRefused, arriving
from bookbag.chassis.backup.depot import FolderDepot
from bookbag.chassis.backup.lines import Digest
from bookbag.chassis.backup.restoring import Target
from bookbag.chassis.objects import Key
from bookbag.chassis.service import SETTLING
from bookbag.cli.backup import manifest_of
from bookbag.cli.services import NAMES, named
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.backup.conftest import SIGNED_IN, Lived
from tests.backup.rows import ANEW, rows_of
from tests.backup.school_life import (
    ANCHOR_AHEAD,
    FILES,
    asked,
    backed_up,
    bookbag,
    everything,
    files_of,
    store_of,
)
from tests.support.house import House, built

pytestmark = [pytest.mark.req("OPS-5"), pytest.mark.slow, pytest.mark.timeout(300)]

Another = Callable[[str], House]


def rows_of_school(house: House, school: UUID, changed: Mapping[str, Mapping[str, str]] = ANEW) -> dict[str, Any]:
    """Every row of a school in every table of every service, as text."""
    return rows_of({service: house.databases.urls[service].backup for service in NAMES}, school, changed)


def school_of(house: House, code: str) -> UUID:
    return asked(house, "identity", f"select school_id from school_code where code = '{code}'")[0]["school_id"]


def accounts(house: House) -> list[asyncpg.Record]:
    return asked(house, "identity", "select * from account order by account_id")


@pytest.fixture(scope="module")
def parts(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A backup of each demo school, by its code."""
    to = str(tmp_path_factory.mktemp("parts"))
    return {code: Path(backed_up(lived.house.environment, to, "--school", code)["place"]) for code in ("BRLA", "HAFO")}


@pytest.fixture(scope="module")
def beside(
    parts: dict[str, Path], servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """An installation that has the other school and somebody signed in there. No test leaves anything in it."""
    with built(servers, keys, tmp_path_factory.mktemp("beside")) as house:
        done = bookbag(house.environment, "restore", "--from", str(parts["HAFO"]))
        assert done.returncode == 0, done.stderr
        asyncio.run(house.owner("identity", SIGNED_IN))
        yield house


@pytest.fixture(scope="module")
def arrived(
    lived: Lived, parts: dict[str, Path], servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, dict[str, Any], dict[str, Any]]]:
    """An installation that had the other school first, all that was in it then, and all of that school now."""
    with built(servers, keys, tmp_path_factory.mktemp("arrived")) as house:
        first = bookbag(house.environment, "restore", "--from", str(parts["HAFO"]))
        assert first.returncode == 0, first.stderr
        asyncio.run(house.owner("identity", SIGNED_IN))
        before = rows_of_school(house, school_of(house, "HAFO"), {})
        heads = everything(house)
        done = bookbag(house.environment, "restore", "--from", str(parts["BRLA"]))
        assert done.returncode == 0, done.stderr
        assert "BRLA is open; its people sign in." in done.stdout
        yield house, before, heads


def test_every_row_and_every_file_of_a_school_comes_back(lived: Lived, arrived: tuple[House, Any, Any]) -> None:
    house = arrived[0]
    before, after = rows_of_school(lived.house, lived.school), rows_of_school(house, lived.school)
    assert before.keys() == after.keys()
    for table, rows in before.items():
        assert after[table] == rows, table
    assert sum(before["messaging.message"].values()) == 12
    assert sum(before["notify.delivery"].values()) >= 12
    assert sum(before["identity.audit_entry"].values()) > 0
    files = files_of(lived.house, lived.school)
    del files[ANCHOR_AHEAD]
    assert files_of(house, lived.school) == files
    assert FILES.items() <= files.items()


def test_the_schools_that_were_there_have_not_noticed(arrived: tuple[House, Any, Any]) -> None:
    house, before, heads = arrived
    assert rows_of_school(house, school_of(house, "HAFO"), {}) == before
    now = everything(house)
    for table in ("messaging.outbox_head", "notify.feed_state", "identity.feed_head", "identity.session"):
        service, name = table.split(".")
        assert now[service][name] == heads[service][name], table
    assert asked(house, "identity", "select 1 from session where ended_at is null")


def test_whoever_is_in_both_schools_has_one_account(lived: Lived, arrived: tuple[House, Any, Any]) -> None:
    """Nobody else's comes, and none twice."""
    assert accounts(arrived[0]) == accounts(lived.house)
    (shared,) = asked(
        arrived[0], "identity",
        "select count(*) from account_person group by account_id having count(*) > 1",
    )  # fmt: skip
    assert shared["count"] == 2


def test_only_what_belongs_to_the_school_is_put_down(lived: Lived, parts: dict[str, Path]) -> None:
    other = str(school_of(lived.house, "HAFO"))
    for file in parts["BRLA"].rglob("*.copy.gz"):
        assert other not in gzip.decompress(file.read_bytes()).decode(), file.name
    for name in ("session", "refresh_token", "feed_head", "limit_counter"):
        assert not (parts["BRLA"] / "identity" / f"{name}.copy.gz").exists()
    people = gzip.decompress((parts["HAFO"] / "identity" / "account.copy.gz").read_bytes()).decode()
    assert "gareth.pritchard" in people
    assert "jo.hughes" not in people


def test_what_is_told_again_is_numbered_by_the_new_installation(lived: Lived, arrived: tuple[House, Any, Any]) -> None:
    house = arrived[0]
    waiting = asked(
        house, "messaging", "select type, key, ordinal from outbox where position is null and published_at is null"
    )
    assert len(waiting) == len(asked(lived.house, "messaging", "select 1 from outbox"))
    order = "select event_id from outbox where school_id = '{}' order by ordinal"
    assert asked(house, "messaging", order.format(lived.school)) == asked(
        lived.house, "messaging", order.format(lived.school)
    )
    facts = "select change_id from access_change where school_id = '{}' order by ordinal"
    assert asked(house, "identity", facts.format(lived.school)) == asked(
        lived.house, "identity", facts.format(lived.school)
    )
    # Nobody else's number: the sequencer of the new installation gives each its own.
    numbered = f"select 1 from access_change where school_id = '{lived.school}' and position is not null"
    assert asked(lived.house, "identity", numbered), "they had numbers where they come from"
    assert not asked(house, "identity", numbered)
    (drawn,) = asked(house, "identity", "select last_value from access_revision")
    (highest,) = asked(house, "identity", "select max(revision) as one from access_change")
    assert drawn["last_value"] >= highest["one"]


def test_a_school_that_is_there_is_never_written_over(lived: Lived, parts: dict[str, Path]) -> None:
    before, files = rows_of_school(lived.house, lived.school, {}), files_of(lived.house, lived.school)
    for words in ((), ("--again",)):
        refused = bookbag(lived.house.environment, "restore", "--from", str(parts["BRLA"]), *words)
        assert refused.returncode == 1
        assert refused.stderr.strip() == (
            "BRLA is here already, and a restore writes over nothing: restore into an installation that does not have it."
        )
    assert rows_of_school(lived.house, lived.school, {}) == before
    assert files_of(lived.house, lived.school) == files


def test_a_code_that_nobody_has_and_one_that_another_has(
    lived: Lived, parts: dict[str, Path], another: Another, tmp_path: Path
) -> None:
    refused = bookbag(lived.house.environment, "backup", "--school", "ELMS", "--to", str(tmp_path / "to"))
    assert (refused.returncode, refused.stderr.strip()) == (1, "There is no school ELMS here.")
    assert not (tmp_path / "to").exists()
    second = another("second")
    made = bookbag(
        second.environment, "schools", "create", "--code", "BRLA", "--name", "Another", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    refused = bookbag(second.environment, "restore", "--from", str(parts["BRLA"]))
    assert (refused.returncode, refused.stderr.strip()) == (1, "The code BRLA belongs to another school here.")


def test_an_email_that_has_an_account_here_keeps_it(parts: dict[str, Path], lived: Lived, another: Another) -> None:
    second = another("second")
    made = bookbag(
        second.environment, "schools", "create", "--code", "ELMS", "--name", "Elm School", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings", "--leader-name", "Jo Hughes", "--leader-email", "jo.hughes@staff.example",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (own,) = accounts(second)
    done = bookbag(second.environment, "restore", "--from", str(parts["BRLA"]))
    assert done.returncode == 0, done.stderr
    jo = [one for one in accounts(second) if one["email_key"] == "jo.hughes@staff.example"]
    assert jo == [own]
    assert len(asked(second, "identity", f"select 1 from account_person where account_id = '{own['account_id']}'")) == 2
    theirs = f"select count(*) from account_person where school_id = '{lived.school}'"
    assert asked(second, "identity", theirs) == asked(lived.house, "identity", theirs)


def test_what_an_earlier_try_left_is_removed_only_when_asked(
    lived: Lived, parts: dict[str, Path], another: Another
) -> None:
    second = another("second")
    left = (
        f"select set_config('bookbag.school', '{lived.school}', false);"
        "insert into known_thread (school_id, thread_id, kind, content_id)"
        f" values ('{lived.school}', '{uuid4()}', 'message', '{uuid4()}')"
    )
    asyncio.run(second.owner("notify", left))
    refused = bookbag(second.environment, "restore", "--from", str(parts["BRLA"]))
    assert refused.returncode == 1
    assert "notify has rows of BRLA (known_thread), though no such school is here" in refused.stderr
    assert not asked(second, "identity", "select 1 from school_code")
    done = bookbag(second.environment, "restore", "--from", str(parts["BRLA"]), "--again")
    assert done.returncode == 0, done.stderr
    assert rows_of_school(second, lived.school) == rows_of_school(lived.house, lived.school)


def test_again_is_for_one_school_alone(lived: Lived, beside: House) -> None:
    refused = bookbag(beside.environment, "restore", "--from", str(lived.place), "--again")
    assert refused.returncode == 1
    assert "--again is for the backup of one school" in refused.stderr


def rewritten(place: Path, file: str, change: Callable[[bytes], bytes], *said_at: str) -> None:
    """Change what a file of a backup says, and mend the manifest, which says at that place what the file hashes to."""
    path, manifest = place / file, place / "manifest.json"
    changed = change(gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(changed))
    digest = Digest()
    digest.feed(changed)
    said = json.loads(manifest.read_text())
    at = said
    for key in said_at:
        at = at[key]
    at |= digest.result().model_dump()
    manifest.write_text(json.dumps(said))


def _moved(place: Path, service: str, table: str, school: UUID, to: UUID) -> None:
    """Say that the rows of a table are another school's."""
    rewritten(
        place, f"{service}/{table}.copy.gz", lambda text: text.replace(str(school).encode(), str(to).encode()), "services", service,
        "tables", table,
    )  # fmt: skip


def _files_moved(place: Path, school: UUID, to: UUID) -> None:
    rewritten(
        place, "files/index.jsonl.gz", lambda text: text.replace(str(school).encode(), str(to).encode()), "objects"
    )


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda place, school, to: _moved(place, "messaging", "message", school, to), "has rows of another school"),
        (lambda place, school, to: _moved(place, "identity", "account_person", school, to), "has rows of another school"),
        (lambda place, school, to: _files_moved(place, school, to), "names files of another school"),
        (lambda place, school, to: (place / "messaging" / "receipt.copy.gz").unlink(), "is missing"),
        (lambda place, school, to: (place / "files/000000/000000000").unlink(), "is missing"),
    ],
)  # fmt: skip
def test_nothing_comes_of_a_backup_that_is_not_of_this_school_alone(
    lived: Lived,
    parts: dict[str, Path],
    beside: House,
    tmp_path: Path,
    harm: Callable[[Path, UUID, UUID], object],
    said: str,
) -> None:
    neighbour = school_of(beside, "HAFO")
    before, people = rows_of_school(beside, neighbour, {}), accounts(beside)
    place = tmp_path / "harmed"
    shutil.copytree(parts["BRLA"], place)
    harm(place, lived.school, neighbour)
    with pytest.raises(BackupRefused, match=said):
        asyncio.run(let_in(beside, place))
    assert rows_of_school(beside, neighbour, {}) == before
    assert not any(rows_of_school(beside, lived.school).values())
    assert accounts(beside) == people


async def let_in(house: House, place: Path) -> None:
    """What the command does, in this process."""
    depot = FolderDepot(place)
    targets = [
        Target(
            service,
            house.databases.urls[service.name].owner,
            "select school_id, code from school_code" if service.name == "identity" else None,
        )
        for service in named("all")
    ]
    store = store_of(house)
    try:
        await arriving.let_in(await manifest_of(depot), targets, store, depot)
    finally:
        await store.close()


def test_what_is_under_way_waits_until_every_service_has_the_school(
    lived: Lived, parts: dict[str, Path], another: Another, tmp_path: Path
) -> None:
    """A mail whose content nobody knows yet would be given up, and so would a translation."""
    place = tmp_path / "under way"
    shutil.copytree(parts["BRLA"], place)
    rewritten(place, "notify/delivery.copy.gz", _waiting, "services", "notify", "tables", "delivery")
    wanted = f"{lived.school}\tmessage\t{uuid4()}\tcy\ten\t1\t{LONG_AGO}\t{LONG_AGO}\t0\t0\tf\t\\N\t\\N\n"
    rewritten(
        place, "translate/translation_request.copy.gz", lambda _: wanted.encode(), "services", "translate", "tables",
        "translation_request",
    )  # fmt: skip
    second = another("second")
    asyncio.run(let_in(second, place))
    for service, question in (
        ("notify", "select due_at - now() as left from delivery where state = 'waiting'"),
        ("translate", "select due_at - now() as left from translation_request"),
    ):
        (one,) = asked(second, service, question)
        assert timedelta(seconds=5) < one["left"] <= SETTLING


LONG_AGO = "2026-01-01 00:00:00+00"


def _waiting(text: bytes) -> bytes:
    """One that was sent waits, since long ago."""
    return re.sub(
        rb"\tsent\t(\S+)\t(\d+)\t[^\t]+\t", rb"\twaiting\t\1\t\2\t" + LONG_AGO.encode() + rb"\t", text, count=1
    )


def test_files_of_the_school_that_the_backup_lacks_are_never_mixed_with_it(
    lived: Lived, parts: dict[str, Path], another: Another
) -> None:
    second = another("second")

    async def put() -> None:
        store = store_of(second)
        await store.put(Key(lived.school, "other.txt"), b"1", "text/plain")
        await store.close()

    asyncio.run(put())
    refused = bookbag(second.environment, "restore", "--from", str(parts["BRLA"]))
    assert refused.returncode == 1
    assert (
        f"files of BRLA that are not the backup's ({lived.school}/other.txt): move {lived.school}/ elsewhere"
        in refused.stderr
    )
    assert not any(rows_of_school(second, lived.school).values())


def test_a_backup_of_another_edition_is_refused_with_the_way_round(
    lived: Lived, parts: dict[str, Path], beside: House, tmp_path: Path
) -> None:
    place = tmp_path / "older"
    shutil.copytree(parts["BRLA"], place)
    said = json.loads((place / "manifest.json").read_text())
    said["services"]["notify"]["revisions"]["notify"] = "20261123_people_are_told"
    (place / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(
        BackupRefused, match="the backup at 20261123_people_are_told: restore it into an empty installation"
    ):
        asyncio.run(let_in(beside, place))
