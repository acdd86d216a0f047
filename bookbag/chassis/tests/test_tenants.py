"""A school's transaction sees that school and nothing else, whatever happened before on the same connection."""

import asyncio
import random
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from bookbag.chassis.database import Database
from bookbag.chassis.problems import DependencyAway
from tests.support.house import House

REQUESTS = 20_000


@pytest.mark.req("POL-1")
@pytest.mark.slow
async def test_no_row_leaks_between_two_schools_under_cancellations_and_errors(fresh_house: House) -> None:
    schools = [uuid4(), uuid4()]
    await fresh_house.owner("toy", _CANARY)
    database = Database(fresh_house.databases.urls["toy"].app, "test", size=6)
    for school in schools:
        async with database.tenant(school) as tx:
            await tx.execute("insert into canary (school_id, id) values ($1, $1)", school)
    chance = random.Random(20261123)
    seen = 0

    async def request(number: int) -> None:
        nonlocal seen
        school = schools[number % 2]
        async with database.tenant(school) as tx:
            if chance.random() < 0.01:
                await tx.execute("select 1 / 0")
            rows = await tx.fetch("select id from canary")
            if chance.random() < 0.01:
                raise KeyError("after reading")
        assert [row["id"] for row in rows] == [school]
        seen += 1

    async def reader(numbers: range) -> None:
        for number in numbers:
            task = asyncio.create_task(request(number))
            if chance.random() < 0.02:
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_later(chance.random() / 500, task.cancel)
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None and isinstance(error, AssertionError):
                raise error

    readers = 16
    await asyncio.gather(*(reader(range(number, REQUESTS, readers)) for number in range(readers)))
    assert seen > REQUESTS * 0.9, "most requests must have read something for this to prove anything"
    unset = await database.fetch("select id from canary")
    assert unset == [], "without a school nothing is seen"
    await database.close()


_CANARY = """
create table canary (school_id uuid not null, id uuid not null, primary key (school_id, id));
alter table canary enable row level security;
alter table canary force row level security;
create policy school on canary using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert, update, delete on canary to bookbag_toy_app;
"""


@pytest.mark.parametrize("setting", ["", "not-a-uuid"])
async def test_no_school_and_a_garbled_one_see_nothing(fresh_house: House, setting: str) -> None:
    await fresh_house.owner("toy", _CANARY)
    database = Database(fresh_house.databases.urls["toy"].app, "test", size=1)
    school = uuid4()
    async with database.tenant(school) as tx:
        await tx.execute("insert into canary (school_id, id) values ($1, $1)", school)
    async with database.transaction() as connection:
        await connection.execute("select set_config('bookbag.school', $1, true)", setting)
        if setting:
            with pytest.raises(Exception, match="uuid"):
                await connection.fetch("select * from canary")
            return
        assert await connection.fetch("select * from canary") == []
    await database.close()


async def test_a_row_of_another_school_cannot_be_written(fresh_house: House) -> None:
    await fresh_house.owner("toy", _CANARY)
    database = Database(fresh_house.databases.urls["toy"].app, "test", size=1)
    with pytest.raises(Exception, match="row-level security"):
        async with database.tenant(uuid4()) as tx:
            await tx.execute("insert into canary (school_id, id) values ($1, $1)", uuid4())
    await database.close()


async def test_a_database_that_does_not_answer_is_said_to_be_away() -> None:
    database = Database("postgresql://nobody:nothing@127.0.0.1:1/none", "test")
    with pytest.raises(DependencyAway):
        await database.ready()


async def test_a_server_that_has_no_connection_left_counts_as_one_that_gives_none(fresh_house: House) -> None:
    url, pool = fresh_house.databases.urls["toy"].app, {"db_client_connection_pool_name": "none left"}
    await fresh_house.owner("toy", f"alter database {url.rpartition('/')[2]} connection limit 0")
    database = Database(url, "none left")
    with pytest.raises(DependencyAway):
        await database.ready()
    assert REGISTRY.get_sample_value("db_client_connection_timeouts_total", pool) == 1


async def test_the_record_is_appended_only_through_its_function(fresh_house: House) -> None:
    database = Database(fresh_house.databases.urls["toy"].app, "test", size=1)
    school, person = uuid4(), uuid4()
    async with database.tenant(school) as tx:
        for number in (1, 2):
            assert number == await tx.fetchval(
                "select append_audit($1, $2, $3, 'leader', 'suspend', 'person', $4, 'because')",
                school,
                tx.now,
                person,
                UUID(int=5),
            )
    for statement in ("delete from audit_entry", "update audit_entry set reason = ''", "truncate audit_entry"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.tenant(school) as tx:
                await tx.execute(statement)
    with pytest.raises(Exception, match="another school"):
        async with database.tenant(uuid4()) as tx:
            await tx.fetchval("select append_audit($1, $2, $3, '', '', '', null, '')", school, tx.now, person)
    await database.close()
