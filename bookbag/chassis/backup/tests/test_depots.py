"""A folder and a bucket keep one contract: a file is there whole or not at all, and whatever is wrong is said in words."""

import os
from pathlib import Path

import pytest

from bookbag.chassis.backup import BackupRefused, depot
from bookbag.chassis.backup.depot import Depot, FolderDepot, depot_of
from bookbag.chassis.clock import new_id
from bookbag.local.testing_objects import TestObjects

pytestmark = pytest.mark.req("OPS-5")


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Depot:
    if request.param == "folder":
        return depot_of(str(tmp_path / "backups"), None)
    s3: TestObjects = request.getfixturevalue("s3")
    keys = (s3.address.access_key, s3.address.secret_key)
    return depot_of(f"s3://{s3.address.bucket}/{new_id()}?endpoint={s3.address.endpoint}&path_style=true", keys)


async def put(place: Depot, name: str, *pieces: bytes) -> None:
    async with place.writing(name) as writer:
        for piece in pieces:
            await writer.write(piece)


async def got(place: Depot, name: str) -> bytes:
    return b"".join([piece async for piece in place.reading(name)])


async def test_what_is_put_is_got_however_long(place: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depot, "PART", 5 * 1024 * 1024)
    long = [os.urandom(1024 * 1024) for _ in range(11)]
    await put(place, "long", *long)
    await put(place, "a/empty")
    await put(place, "a/short", b"one", b"two")
    assert await got(place, "long") == b"".join(long)
    assert await got(place, "a/empty") == b""
    assert await got(place, "a/short") == b"onetwo"
    assert await place.has("long")
    assert not await place.has("a")


async def test_what_breaks_off_was_never_there(place: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depot, "PART", 5 * 1024 * 1024)
    for size in (10, 6 * 1024 * 1024):
        with pytest.raises(ZeroDivisionError):
            async with place.writing("broken") as writer:
                await writer.write(bytes(size))
                _ = 1 / 0
        assert not await place.has("broken")
        with pytest.raises(FileNotFoundError):
            await got(place, "broken")


async def test_a_place_knows_the_folders_right_inside(place: Depot) -> None:
    assert await place.inside() == []
    await put(place.at("2026-11-25T000000Z"), "files/deep", b"1")
    await put(place.at("2026-11-26T000000Z"), "manifest.json", b"{}")
    assert await place.inside() == ["2026-11-25T000000Z", "2026-11-26T000000Z"]
    assert await got(place, "2026-11-26T000000Z/manifest.json") == b"{}"


async def test_a_store_that_refuses_or_is_away_is_said_in_words(s3: TestObjects) -> None:
    bucket = f"s3://{s3.address.bucket}"
    wrong = depot_of(f"{bucket}?endpoint={s3.address.endpoint}&path_style=true", ("nobody", "wrong"))
    with pytest.raises(BackupRefused, match=f"{bucket} refuses"):
        await put(wrong, "x", b"1")
    away = depot_of(f"{bucket}/x?endpoint=http://127.0.0.1:1&path_style=true", ("a", "b"))
    with pytest.raises(BackupRefused, match="does not answer"):
        await away.has("x")


@pytest.mark.parametrize(
    "where", ["ftp://x/y", "s3://", "s3://bucket?colour=red", "file://host/x", "s3://a:b@bucket/x"]
)
def test_what_is_no_place_is_refused(where: str) -> None:
    with pytest.raises(BackupRefused, match="is no place for backups"):
        depot_of(where, None)


async def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackupRefused, match="cannot be written"):
        await put(FolderDepot(tmp_path / "file"), "x", b"1")
