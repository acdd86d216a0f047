"""Each service's database keeps the schools apart by itself, and every table says how long it keeps what it holds."""

import asyncpg
import pytest

from bookbag.cli.services import NAMES
from tests.security.catalogue import findings
from tests.support.house import House


@pytest.mark.req("POL-1")
@pytest.mark.parametrize("service", NAMES)
async def test_every_table_keeps_the_schools_apart_and_names_its_retention(house: House, service: str) -> None:
    connection = await asyncpg.connect(house.databases.urls[service].owner)
    try:
        assert [str(finding) for finding in await findings(connection, service)] == []
    finally:
        await connection.close()


_GOOD = """
create table planted (school_id uuid not null, id uuid not null, primary key (school_id, id));
comment on table planted is 'retention: 1 day; legal hold: no';
alter table planted enable row level security; alter table planted force row level security;
create policy school on planted using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
"""

_BAD = {
    "row security is not enabled and forced": "alter table planted no force row level security",
    "has no policy that keeps to the school, for reading and writing": "alter policy school on planted using (true)",
    "says no retention rule in its comment": "comment on table planted is 'what it is'",
    "unique key planted_id_key does not begin with school_id": "alter table planted add unique (id)",
    "foreign key planted_id_fkey does not begin with school_id": (
        "create table other (id uuid primary key, school_id uuid); alter table planted add foreign key (id) references other"
    ),
    "has no school_id and does not say why": "create table other (id uuid primary key)",
    "runs with its owner's rights and may be called by everybody": (
        "create function planted() returns int language sql security definer set search_path = public as 'select 1'"
    ),
    "runs with its owner's rights and has no fixed search_path": (
        "create function planted() returns int language sql security definer as 'select 1';"
        " revoke all on function planted() from public"
    ),
    "a view that does not run with the reader's rights": "create view seen as select * from planted",
    "owns tables although it serves requests": "alter table planted owner to bookbag_toy_app",
    "reads more than the record, or changes it: planted": "grant select on planted to bookbag_toy_reader",
    "reads more than the record, or changes it: audit_entry": "grant update (reason) on audit_entry to bookbag_toy_reader",
    "may truncate planted": "grant truncate on planted to bookbag_toy_worker",
}


@pytest.mark.parametrize("rule", ["", *_BAD])
async def test_the_lint_finds_what_is_planted_and_nothing_else(fresh_house: House, servers, rule: str) -> None:
    name = fresh_house.databases.databases["toy"]
    connection = await asyncpg.connect(servers.postgres.url(name))
    try:
        await connection.execute("set role bookbag_toy_owner; " + _GOOD)
        await connection.execute("reset role; " + _BAD.get(rule, ""))
        found = {finding.rule for finding in await findings(connection, "toy")}
        assert (rule in found) if rule else not found
    finally:
        await connection.close()
