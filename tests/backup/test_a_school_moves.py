"""A school moves into an installation that is in use: its neighbour goes on writing, and nobody is told anything a second time."""

import gzip
import json
from pathlib import Path

import pytest

from bookbag.cli.services import NAMES
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.backup.school_life import NO_GRACE, Writer, all_told, backed_up, bookbag, letters, no_mail_waits
from tests.support.house import built
from tests.support.whole import whole_product

pytestmark = [pytest.mark.req("OPS-5"), pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_school_moves_in_while_its_neighbour_writes_and_nobody_is_told_twice(
    servers: TestServers, keys: KeyFiles, tmp_path: Path
) -> None:
    for name in ("first", "second", "mails of the first", "mails of the second"):
        (tmp_path / name).mkdir()
    with built(servers, keys, tmp_path / "first") as first, built(servers, keys, tmp_path / "second") as second:
        with whole_product(first, tmp_path / "mails of the first", **NO_GRACE) as whole:
            whole.seed()
            neighbours = backed_up(whole.environment, str(tmp_path / "backups"), "--school", "HAFO")
            writer = Writer(whole)
            writer.begin()
            whole.wait(lambda: len(writer.acknowledged) > 20 and len(whole.mails) > 5, seconds=60)
            taken = backed_up(whole.environment, str(tmp_path / "backups"), "--school", "BRLA")
            writer.end()
            assert not writer.refused, "a backup stands in nobody's way"
        before = {one["delivery_id"]: one["state"] for one in table_of(Path(taken["place"]), "notify", "delivery")}
        settled = bookbag(second.environment, "restore", "--from", neighbours["place"])
        assert settled.returncode == 0, settled.stderr
        with whole_product(second, tmp_path / "mails of the second", **NO_GRACE) as again:
            again.wait_until_all_know("known_school", code="HAFO")
            neighbour = Writer(again, "Pritchard", "HAFO", ("Lucía",))
            neighbour.begin()
            again.wait(lambda: len(neighbour.acknowledged) > 5, seconds=60)
            done = bookbag(again.environment, "restore", "--from", taken["place"])
            assert done.returncode == 0, done.stderr
            enough = len(neighbour.acknowledged) + 10
            again.wait(lambda: len(neighbour.acknowledged) > enough, seconds=60)
            neighbour.end()
            assert not neighbour.refused, "a school that moves in stands in nobody's way"
            again.wait_until_all_know("known_school", code="BRLA")
            again.wait(lambda: all_told(again) and no_mail_waits(again), seconds=120)
            mails = letters(again.mails)
            assert len(mails) == len(set(mails)), "no mail went twice"
            sent = {delivery for delivery, state in before.items() if state == "sent"}
            assert len(sent) > 5
            assert not sent & set(mails), "what had been sent when the backup was taken does not go again"
            moved = Writer(again)
            moved.write(2)
            assert not moved.refused
            again.wait(lambda: all_told(again), seconds=60)
            for service in NAMES:
                assert not again.rows(service, "select 1 from dead_letter")
                again.wait(lambda at=service: not again.rows(at, "select 1 from outbox where published_at is null"))
            verified = bookbag(again.environment, "audit", "verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr


def table_of(place: Path, service: str, table: str) -> list[dict[str, str]]:
    """The rows of a table in a backup, read by nothing of ours."""
    columns = json.loads((place / "manifest.json").read_text())["services"][service]["tables"][table]["columns"]
    lines = gzip.decompress((place / service / f"{table}.copy.gz").read_bytes()).decode().splitlines()
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
