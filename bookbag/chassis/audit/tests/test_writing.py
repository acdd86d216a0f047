"""How an act comes onto the record: with the act itself, under a code that is declared, and by no other way."""

from dataclasses import replace
from uuid import uuid4

import pytest

from bookbag.chassis import audit
from bookbag.chassis.database import Database, Undeclared
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House

TOY = Service(name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),), records=["toy-wound"])

pytestmark = pytest.mark.req("PRV-4")


async def test_entries_are_numbered_school_by_school_without_gaps(house: House) -> None:
    one, other = uuid4(), uuid4()
    async with house.runtime(TOY) as runtime:
        for school, number in ((one, 1), (one, 2), (other, 1), (one, 3)):
            async with runtime.database.tenant(school) as tx:
                given = await audit.append(tx, by=uuid4(), role="owner", act="toy-wound", kind="toy", about=uuid4())
            assert given == number


async def test_an_act_that_fails_leaves_no_entry(house: House) -> None:
    school = uuid4()
    async with house.runtime(TOY) as runtime:
        with pytest.raises(ZeroDivisionError):
            async with runtime.database.tenant(school) as tx:
                await audit.append(tx, by=None, role="operator", act="toy-wound", kind="toy", about=None)
                _ = 1 / 0
        async with runtime.database.tenant(school) as tx:
            assert await audit.append(tx, by=None, role="operator", act="toy-wound", kind="toy", about=None) == 1


async def test_an_act_that_the_manifest_does_not_name_is_no_entry(house: House) -> None:
    changed = replace(TOY, records=["toy-dropped"])
    async with house.runtime(changed) as runtime, runtime.database.tenant(uuid4()) as tx:
        with pytest.raises(Undeclared, match="toy-wound"):
            await audit.append(tx, by=None, role="operator", act="toy-wound", kind="toy", about=None)


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_who_serves_cannot_read_what_is_on_the_record(house: House, role: str) -> None:
    database = Database(getattr(house.databases.urls["toy"], role), "test", size=1)
    with pytest.raises(Exception, match="permission denied"):
        await database.fetch("select * from audit_entry")
    await database.close()


async def test_the_reading_role_sees_one_school_and_nothing_but_the_record(house: House) -> None:
    one, other = uuid4(), uuid4()
    async with house.runtime(TOY) as runtime:
        for school in (one, other):
            async with runtime.database.tenant(school) as tx:
                await audit.append(tx, by=None, role="operator", act="toy-wound", kind="toy", about=None)
        async with runtime.record.tenant(one) as tx:
            assert {row["school_id"] for row in await tx.fetch("select school_id from audit_entry")} == {one}
        assert await runtime.record.fetch("select * from audit_entry") == []
        tables = await runtime.record.fetch(
            "select c.relname, p.may from pg_class c cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate'])"
            " p (may) where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')"
            " and has_table_privilege(c.oid, p.may)"
        )
    assert {tuple(row) for row in tables} == {
        ("audit_entry", "select"),
        ("audit_head", "select"),
        ("audit_anchor", "select"),
    }
