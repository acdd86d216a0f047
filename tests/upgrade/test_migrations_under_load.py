"""Migrations in their safe forms come true while people write and read: nobody is refused. One that is not safe is seen at once."""

import asyncio
import time
from pathlib import Path

import pytest

from bookbag.chassis.migrate import migrate
from bookbag.chassis.problems import DependencyAway
from tests.backup.school_life import Writer
from tests.support.whole import Whole

pytestmark = [pytest.mark.req("OPS-2"), pytest.mark.slow, pytest.mark.timeout(240)]

REVISION = """
from bookbag.chassis.migrate import run_sql

revision = "{name}"
down_revision = {before}


def upgrade() -> None:
    run_sql(__file__)
"""

SAFE = {
    "20990101_a_column": "alter table message add column colour text;\n",
    "20990102_a_column_with_a_value": "alter table message add column weight integer not null default 1;\n",
    "20990103_an_index": (
        "-- apart: the table is in use\n\ndrop index concurrently if exists message_by_colour;\n"
        "create index concurrently message_by_colour on message (school_id, colour);\n"
    ),
    "20990104_a_rule": "alter table message add constraint colour_short check (length(colour) < 9) not valid;\n",
    "20990105_the_rule_holds": "alter table message validate constraint colour_short;\n",
    "20990106_a_table": (
        "create table leaf (school_id uuid not null, leaf_id uuid not null, message_id uuid not null,\n"
        "  primary key (school_id, leaf_id));\n"
        "alter table leaf add constraint leaf_of_message foreign key (school_id, message_id)\n"
        "  references message (school_id, message_id) not valid;\n"
    ),
    "20990107_it_holds": "alter table leaf validate constraint leaf_of_message;\n",
    "20990108_a_function": "create function shade() returns text language sql as $$ select 'green' $$;\n",
}


def history(folder: Path, migrations: dict[str, str]) -> Path:
    folder.mkdir()
    before: str | None = None
    for name, sql in migrations.items():
        named = f'"{before}"' if before else "None"
        (folder / f"{name}.py").write_text(REVISION.format(name=name, before=named))
        (folder / f"{name}.sql").write_text(sql)
        before = name
    return folder


def migrate_one_by_one(whole: Whole, name: str, folder: Path) -> None:
    url = whole.house.databases.urls["messaging"].owner
    for file in sorted(folder.glob("*.py")):
        end = time.monotonic() + 60
        while True:
            # Four seconds for a lock, then again: as the job of a cluster does.
            try:
                asyncio.run(migrate(url, "messaging", [(name, folder)], upto={name: file.stem}))
                break
            except DependencyAway:
                if time.monotonic() > end:
                    raise


def written_meanwhile(whole: Whole, name: str, folder: Path) -> Writer:
    """Somebody writes while the migrations run, and some messages more."""
    writer = Writer(whole)
    writer.begin()
    try:
        whole.wait(lambda: len(writer.acknowledged) > 5, seconds=60)
        migrate_one_by_one(whole, name, folder)
        enough = len(writer.acknowledged) + len(writer.refused) + 10
        whole.wait(lambda: len(writer.acknowledged) + len(writer.refused) >= enough, seconds=60)
    finally:
        writer.end()
    return writer


def test_nobody_is_refused_while_safe_migrations_run(whole: Whole, tmp_path: Path) -> None:
    writer = written_meanwhile(whole, "grown", history(tmp_path / "safe", SAFE))
    assert not writer.refused
    kept = {row["text"] for row in whole.rows("messaging", "select text from message where weight = 1")}
    assert writer.acknowledged.keys() <= kept


def test_a_migration_that_takes_something_away_from_running_code_is_seen(whole: Whole, tmp_path: Path) -> None:
    unsafe = {"20990101_another_name": "alter table message rename column text to words;\n"}
    back = {"20990101_the_old_name": "alter table message rename column words to text;\n"}
    try:
        writer = written_meanwhile(whole, "broken", history(tmp_path / "unsafe", unsafe))
        assert writer.refused
    finally:
        migrate_one_by_one(whole, "mended", history(tmp_path / "back", back))
