"""What a restore gives back is what was put down, row by row and byte by byte; whatever is wrong is said and leaves nothing behind."""

import asyncio
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import FolderDepot
from bookbag.chassis.backup.lines import Digest
from bookbag.chassis.backup.restoring import Target, give_back
from bookbag.cli.backup import manifest_of
from bookbag.cli.services import named
from bookbag.local.testing_objects import TestObjects
from tests.backup.conftest import Lived
from tests.backup.school_life import (
    ANCHOR_AHEAD,
    ANCHOR_KNOWN,
    FILES,
    asked,
    backed_up,
    bookbag,
    everything,
    files_of,
    numbers_drawn,
    store_of,
)
from tests.support.house import House

pytestmark = [pytest.mark.req("OPS-5"), pytest.mark.slow, pytest.mark.timeout(300)]

Another = Callable[[str], House]


def is_empty(house: House) -> bool:
    """Whether no table of a tenant has a row."""
    rows = everything(house)
    return not any(rows[service][table] for service, tables in rows.items() for table in tables
                   if table in {"school", "known_school", "message", "notification", "audit_entry", "outbox"})  # fmt: skip


def test_every_row_every_number_and_every_file_comes_back(lived: Lived, restored: House) -> None:
    before, after = everything(lived.house), everything(restored)
    assert before.keys() == after.keys()
    for service, tables in before.items():
        for table, rows in tables.items():
            assert after[service][table] == rows, f"{service}.{table}"
    assert sum(before["messaging"]["message"].values()) == 12
    assert sum(before["notify"]["delivery"].values()) >= 12
    assert numbers_drawn(restored) == numbers_drawn(lived.house)
    files = files_of(restored, lived.school)
    assert {name: files[name] for name in FILES} == FILES


def test_mails_that_were_on_their_way_are_left_and_sessions_end(lived: Lived, restored: House) -> None:
    """What may have happened after the snapshot is taken to have happened."""
    on_their_way = asked(lived.house, "notify", "select delivery_id from delivery where state = 'sending'")
    left = asked(restored, "notify", "select delivery_id from delivery where state = 'dead' and reason = 'gave-up'")
    assert left == on_their_way
    assert len(left) == 1
    assert asked(lived.house, "identity", "select 1 from session where ended_at is null")
    assert not asked(restored, "identity", "select 1 from session where ended_at is null")


def test_anchors_that_know_more_than_the_backup_stay_behind(lived: Lived, restored: House) -> None:
    """They would make the chain that goes on after a restore look like a forgery of itself."""
    assert files_of(lived.house, lived.school).keys() - files_of(restored, lived.school).keys() == {ANCHOR_AHEAD}
    assert ANCHOR_KNOWN in files_of(restored, lived.school)


def test_the_outbox_is_told_again_and_nothing_of_it_is_purged_before(lived: Lived, restored: House) -> None:
    before = asked(lived.house, "messaging", "select max(published_at) as newest from outbox")[0]["newest"]
    after = asked(restored, "messaging", "select min(published_at) as oldest from outbox")[0]["oldest"]
    assert after > before
    heads = asked(restored, "messaging", "select generation from outbox_head where position > 0")
    assert heads
    assert all(row["generation"].startswith("as it was at") for row in heads)
    assert not asked(restored, "messaging", "select 1 from bus_offset")


def test_a_backup_lies_in_s3_and_goes_back_into_s3(
    lived: Lived, restored: House, another: Another, s3: TestObjects
) -> None:
    place = f"s3://{s3.address.bucket}/backups/here?endpoint={s3.address.endpoint}&path_style=true"
    keys = {
        "BOOKBAG_BACKUP_ACCESS_KEY": s3.address.access_key,
        "BOOKBAG_BACKUP_SECRET_KEY": s3.address.secret_key,
    }
    taken = backed_up(lived.house.environment, place, **keys)
    second = another("second")
    store = {
        "BOOKBAG_OBJECT_STORE": f"s3://{s3.address.bucket}?endpoint={s3.address.endpoint}&path_style=true",
        "BOOKBAG_OBJECT_STORE_ACCESS_KEY": s3.address.access_key,
        "BOOKBAG_OBJECT_STORE_SECRET_KEY": s3.address.secret_key,
    }
    one = place.replace("/here?", f"/here/{taken['place'].rpartition('/')[2]}?")
    missing = bookbag(second.environment, "restore", "--from", place, **keys, **store)
    assert missing.returncode == 1
    assert f"holds 1 backup: name one of them, such as the newest, {taken['place']}." in missing.stderr
    done = bookbag(second.environment, "restore", "--from", one, **keys, **store)
    assert done.returncode == 0, done.stderr
    assert everything(second) == everything(lived.house)
    assert files_of(second, lived.school, **store) == files_of(restored, lived.school)


def test_an_installation_that_was_used_is_never_written_to(lived: Lived) -> None:
    before = everything(lived.house)
    refused = bookbag(lived.house.environment, "restore", "--from", str(lived.place))
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert "restore into a new installation." in refused.stderr
    assert everything(lived.house) == before


def test_files_that_are_not_the_backups_are_never_mixed_with_it(
    lived: Lived, restored: House, another: Another
) -> None:
    second = another("second")
    shutil.copytree(restored.folder / "objects", second.folder / "objects")
    one = next((second.folder / "objects").rglob("=notes.txt"))
    shutil.copy(one, one.with_name("=other.txt"))
    refused = bookbag(second.environment, "restore", "--from", str(lived.place))
    assert refused.returncode == 1
    assert f"The object store holds files of its own ({lived.school}/other.txt)" in refused.stderr
    assert is_empty(second)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def _bend(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def _drop_a_row(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[1:])))


def _change_a_row(file: Path) -> None:
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"note 3", b"note X", 1)))


def _add_a_column(file: Path) -> None:
    """By somebody who mended the manifest too, so that the server itself has to see it."""
    changed = gzip.decompress(file.read_bytes()).replace(b"note 3", b"note\t3", 1)
    file.write_bytes(gzip.compress(changed))
    digest = Digest()
    digest.feed(changed)
    manifest = file.parents[1] / "manifest.json"
    said = json.loads(manifest.read_text())
    said["services"]["messaging"]["tables"]["message"] |= digest.result().model_dump()
    manifest.write_text(json.dumps(said))


def _double_a_row(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join([*lines, lines[0]])))


@pytest.mark.parametrize(
    ("harm", "name", "said"),
    [
        (_add_a_column, "messaging/message.copy.gz", "does not fit its table"),
        (_double_a_row, "messaging/message.copy.gz", "is not what was put down"),
        (_cut, "messaging/message.copy.gz", "is not what was put down"),
        (_bend, "messaging/message.copy.gz", "messaging/message.copy.gz"),
        (_drop_a_row, "messaging/message.copy.gz", "is not what was put down"),
        (_change_a_row, "messaging/message.copy.gz", "is not what was put down"),
        (_drop_a_row, "identity/person.copy.gz", "is not what was put down"),
        (Path.unlink, "notify/delivery.copy.gz", "is missing"),
        (Path.unlink, "files/000000/000000000", "is missing"),
        (_bend, "files/000000/000000000", "is damaged"),
        (_cut, "files/index.jsonl.gz", "is not what was put down"),
        (Path.unlink, "manifest.json", "There is no finished backup in"),
        (_cut, "manifest.json", "cannot be read"),
    ],
)
def test_a_harmed_backup_is_refused_and_nothing_of_it_stays(
    lived: Lived, untouched: House, tmp_path: Path, harm: Callable[[Path], object], name: str, said: str
) -> None:
    place = tmp_path / "harmed"
    shutil.copytree(lived.place, place)
    harm(place / name)
    with pytest.raises(BackupRefused, match=said) as refused:
        asyncio.run(given_back(untouched, place))
    assert "note" not in str(refused.value), "nobody's words go into a log"
    assert is_empty(untouched)


async def given_back(house: House, place: Path) -> None:
    """What the command does, in this process."""
    depot = FolderDepot(place)
    manifest = await manifest_of(depot)
    targets = [Target(service, house.databases.urls[service.name].owner) for service in named("all")]
    store = store_of(house)
    try:
        await give_back(manifest, targets, store, depot)
    finally:
        await store.close()


def test_after_a_harmed_one_a_sound_backup_can_still_be_given_back(
    lived: Lived, another: Another, tmp_path: Path
) -> None:
    place = tmp_path / "harmed"
    shutil.copytree(lived.place, place)
    second = another("second")
    for name in ("files/000000/000000001", "messaging/message.copy.gz"):
        harmed = place / name
        sound = harmed.read_bytes()
        harmed.unlink()
        refused = bookbag(second.environment, "restore", "--from", str(place))
        assert refused.returncode == 1
        assert f"{name} is missing in {place}: take another backup." in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
        harmed.write_bytes(sound)
    done = bookbag(second.environment, "restore", "--from", str(place))
    assert done.returncode == 0, done.stderr
    assert everything(second) == everything(lived.house)
    assert FILES.items() <= files_of(second, lived.school).items()


def test_the_backup_of_a_newer_bookbag_is_refused_by_name(lived: Lived, untouched: House, tmp_path: Path) -> None:
    place = tmp_path / "newer"
    shutil.copytree(lived.place, place)
    manifest = (place / "manifest.json").read_text()
    for change, said in (
        (lambda said: said | {"format": 2}, "was made by a newer Bookbag"),
        (
            lambda said: _at_revision(said, "29991231_what_is_not_known"),
            "newer Bookbag .notify: 29991231_what_is_not_known",
        ),
        (lambda said: _at_revision(said, "20261123_people_are_told"), "is migrated further"),
    ):
        (place / "manifest.json").write_text(json.dumps(change(json.loads(manifest))))
        with pytest.raises(BackupRefused, match=said):
            asyncio.run(given_back(untouched, place))


def _at_revision(manifest: dict, revision: str) -> dict:
    manifest["services"]["notify"]["revisions"]["notify"] = revision
    return manifest


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (
            "BOOKBAG_NOTIFY_BACKUP_URL",
            "Set BOOKBAG_NOTIFY_BACKUP_URL: every service is put down and given back, or none.",
        ),
        ("BOOKBAG_OBJECT_STORE", "Set BOOKBAG_OBJECT_STORE"),
        ("--to", "is no place for backups"),
        ("role", "does not let us"),
    ],
)
def test_what_a_backup_lacks_is_said_in_one_sentence(lived: Lived, tmp_path: Path, lacks: str, said: str) -> None:
    environment = {name: value for name, value in lived.house.environment.items() if name != lacks}
    if lacks == "role":
        # A role that row security binds would put down nothing at all.
        environment["BOOKBAG_NOTIFY_BACKUP_URL"] = environment["BOOKBAG_NOTIFY_OWNER_URL"]
    to = "ftp://somewhere" if lacks == "--to" else str(tmp_path / "to")
    refused = bookbag(environment, "backup", "--to", to)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("manifest.json"))


def test_no_one_but_their_user_reads_a_backup(lived: Lived) -> None:
    modes = Counter(path.stat().st_mode & 0o077 for path in [lived.place, *lived.place.rglob("*")])
    assert modes.keys() == {0}
