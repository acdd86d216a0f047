"""What each role of a service may do with its database, and above all what it may not."""

import json
import stat

import asyncpg
import pytest

from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.provision import provision

SERVICES = ["identity", "messaging"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("provisioned") / "postgres", fast=True)
    start(postgres)
    yield postgres
    postgres.stop()


@pytest.fixture(scope="module")
def urls(server):
    urls = provision(server.address, server._folder, SERVICES)
    server.address.run(
        """
        set role bookbag_messaging_owner;
        create table message (school_id int, words text);
        alter table message enable row level security;
        alter table message force row level security;
        create policy nobody on message using (false) with check (true);
        grant select, insert on message to bookbag_messaging_app;
        insert into message values (1, 'hello');
        """,
        database="bookbag_messaging",
    )
    return urls


async def run(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["app", "worker", "reader", "backup"])
@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (a int)",
        "create schema mine",
        "create temporary table mine (a int)",
        "create database mine",
        "create role mine",
        "alter role current_user bypassrls",
        "set role bookbag_messaging_owner",
        "drop table message",
        "alter table message disable row level security",
        "copy message to '/tmp/message'",
    ],
)
async def test_no_serving_role_changes_what_there_is(urls, role, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(getattr(urls["messaging"], role), statement)


@pytest.mark.parametrize("role", ["owner", "app", "worker", "reader", "backup"])
@pytest.mark.parametrize("database", ["bookbag_identity", "postgres", "template1"])
async def test_no_role_enters_another_database(urls, role, database):
    own = getattr(urls["messaging"], role)
    assert await run(own, "select 1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await run(f"{own.rpartition('/')[0]}/{database}", "select 1")


@pytest.mark.parametrize(("role", "seen"), [("owner", 0), ("app", 0), ("backup", 1)])
async def test_only_the_backup_role_sees_past_row_level_security(urls, role, seen):
    assert len(await run(getattr(urls["messaging"], role), "select * from message")) == seen


async def test_the_backup_role_reads_and_never_writes(urls):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(urls["messaging"].backup, "insert into message values (1, 'forged')")


@pytest.mark.parametrize("role", ["worker", "reader"])
async def test_worker_and_reading_role_read_only_what_they_were_given(urls, role):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(getattr(urls["messaging"], role), "select * from message")


async def test_the_owner_makes_tables_and_extensions_the_services_need(urls):
    made = "create extension if not exists pg_trgm; create extension if not exists btree_gist; create table t (a int)"
    connection = await asyncpg.connect(urls["identity"].owner)
    try:
        await connection.execute(made)
    finally:
        await connection.close()


async def test_provisioning_again_keeps_passwords_and_adds_new_services(server, urls):
    more = provision(server.address, server._folder, [*SERVICES, "notify"])
    assert more["messaging"] == urls["messaging"]
    assert await run(more["notify"].app, "select 1")
    (server._folder / "provisioned.json").unlink()
    assert provision(server.address, server._folder, [*SERVICES, "notify"]) == more
    assert await run(urls["messaging"].app, "select 1")


def test_passwords_are_kept_for_the_owner_s_eyes_and_never_printed(server, urls):
    kept = server._folder / "passwords.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not any(password in repr(urls) for password in json.loads(kept.read_text()).values())


def test_a_service_name_that_is_not_one_is_refused(server):
    with pytest.raises(ValueError, match="not a service name"):
        provision(server.address, server._folder, ["x; drop database postgres"])
