"""Migrations one by one: each whole or not at all, never waiting long behind people, and those that stand apart can be repeated."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from bookbag.chassis.migrate import migrate
from bookbag.chassis.problems import DependencyAway
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-2")

REVISION = """
from bookbag.chassis.migrate import run_sql

revision = "{name}"
down_revision = {before}


def upgrade() -> None:
    run_sql(__file__)
"""


class History:
    """A history of migrations that grows under a test, over the toy's database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.names: list[str] = []

    def add(self, name: str, sql: str) -> None:
        before = f'"{self.names[-1]}"' if self.names else "None"
        (self.folder / f"{name}.py").write_text(REVISION.format(name=name, before=before))
        (self.folder / f"{name}.sql").write_text(sql)
        self.names.append(name)

    async def run(self, upto: str | None = None) -> bool:
        return await migrate(self.url, "toy", [("grown", self.folder)], upto=None if upto is None else {"grown": upto})

    async def ask(self, sql: str) -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    async def reached(self) -> str | None:
        rows = await self.ask("select version_num from grown_version")
        return rows[0]["version_num"] if rows else None


@pytest.fixture
async def history(fresh_house: House, tmp_path: Path) -> History:
    folder = tmp_path / "migrations"
    folder.mkdir()
    made = History(folder, fresh_house.databases.urls["toy"].owner)
    made.add(
        "20260101_leaves",
        "create table leaf (leaf_id int primary key);\ninsert into leaf select generate_series(1, 100);\n",
    )
    return made


async def test_a_history_goes_as_far_as_it_is_told_and_later_on(history: History) -> None:
    history.add("20260102_colours", "alter table leaf add column colour text;\n")
    history.add("20260103_shapes", "alter table leaf add column shape text;\n")
    assert await history.run("20260102_colours")
    assert await history.reached() == "20260102_colours"
    assert await history.run()
    assert await history.reached() == "20260103_shapes"
    assert not await history.run()


async def test_what_fails_undoes_itself_alone(history: History) -> None:
    history.add("20260102_colours", "alter table leaf add column colour text;\n")
    history.add("20260103_wrong", "alter table leaf add column shape text;\nselect 1 / 0;\n")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await history.run()
    assert await history.reached() == "20260102_colours"
    columns = await history.ask("select column_name from information_schema.columns where table_name = 'leaf'")
    assert {row["column_name"] for row in columns} == {"leaf_id", "colour"}


async def test_a_migration_gives_up_after_four_seconds_rather_than_stand_in_everybodys_way(history: History) -> None:
    await history.run()
    history.add("20260102_colours", "alter table leaf add column colour text;\n")
    reader = await asyncpg.connect(history.url)
    try:
        async with reader.transaction():
            await reader.fetch("select * from leaf")
            with pytest.raises(DependencyAway, match="a table in use"):
                await history.run()
        assert await history.reached() == "20260101_leaves"
        assert await history.run()
    finally:
        await reader.close()


INDEX = """-- apart: the table is in use

drop index concurrently if exists leaf_by_id;
create index concurrently leaf_by_id on leaf (leaf_id desc);
"""


async def test_an_index_is_made_while_others_write_and_a_half_made_one_is_made_anew(history: History) -> None:
    await history.run()
    history.add("20260102_an_index", INDEX)
    writer = await asyncpg.connect(history.url)
    try:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute("insert into leaf values (1000)")
        migrating = asyncio.create_task(history.run())
        # It waits for the writer without an end, and nobody waits for it.
        await _waits(history, migrating)
        await history.ask("insert into leaf values (1001) returning leaf_id")
        migrating.cancel()
        await asyncio.gather(migrating, return_exceptions=True)
        await transaction.commit()
    finally:
        await writer.close()
    assert await history.run()
    assert await history.reached() == "20260102_an_index"
    (index,) = await history.ask("select indisvalid from pg_index where indexrelid = 'leaf_by_id'::regclass")
    assert index["indisvalid"]


async def _waits(history: History, migrating: asyncio.Task[bool]) -> None:
    async with asyncio.timeout(30):
        while not await history.ask(
            "select 1 from pg_stat_activity where datname = current_database() and query like 'create index%'"
            " and wait_event_type = 'Lock'"
        ):
            assert not migrating.done(), migrating
            await asyncio.sleep(0.05)
