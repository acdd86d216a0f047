"""The servers that tests share: one set for all processes of a run, none left after it."""

import subprocess
import sys
from uuid import uuid4

import asyncpg
import pytest

from bookbag.local.environment import REPOSITORY
from bookbag.local.process import wait_until
from bookbag.local.testing import TestServers

SERVICES = ("identity", "messaging")


@pytest.fixture
def run():
    return f"shared-{uuid4()}"


def test_everybody_of_a_run_gets_the_same_servers_and_the_last_to_leave_ends_them(run):
    with TestServers.join(run) as first:
        with TestServers.join(run) as second:
            assert second.postgres == first.postgres
            folder = second._folder
        assert first.postgres.run("select 1").strip() == "1"
        assert folder.exists()
    assert wait_until(lambda: not folder.exists(), 10)


@pytest.mark.chaos
def test_a_killed_member_counts_as_gone(run):
    program = (
        f"from bookbag.local.testing import TestServers\nprint(TestServers.join({run!r})._folder, flush=True)\ninput()"
    )
    member = subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with member:
        folder = type(REPOSITORY)(member.stdout.readline().strip())
        assert folder.exists()
        member.kill()
    assert wait_until(lambda: not folder.exists(), 10)


async def test_each_set_starts_as_the_prepared_template_and_is_its_own(run):
    prepared = []

    def prepare(urls):
        prepared.append(sorted(urls))
        servers.postgres.run(
            "set role bookbag_messaging_owner; create table message (words text); "
            "grant select, insert on message to bookbag_messaging_app",
            database="bookbag_messaging",
        )

    with TestServers.join(run) as servers:
        with servers.databases(SERVICES, prepare=prepare) as one, servers.databases(SERVICES, prepare=prepare) as other:
            assert prepared == [["identity", "messaging"]]
            assert one.redis_url != other.redis_url
            mine = await asyncpg.connect(one.urls["messaging"].app)
            theirs = await asyncpg.connect(other.urls["messaging"].app)
            await mine.execute("insert into message values ('hello')")
            assert await mine.fetchval("select count(*) from message") == 1
            assert await theirs.fetchval("select count(*) from message") == 0
            await mine.close()
            await theirs.close()
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(one.urls["identity"].app.replace("identity_1", "messaging_1"))
        assert servers.postgres.run("select count(*) from pg_database where datname ~ '_[0-9]+$'").strip() == "0"


def test_a_preparation_that_fails_is_told_and_can_be_tried_again(run):
    def fail(urls):
        raise RuntimeError("a migration is wrong")

    with TestServers.join(run) as servers:
        with pytest.raises(RuntimeError, match="a migration is wrong"), servers.databases(SERVICES, prepare=fail):
            pass
        with servers.databases(SERVICES) as made:
            assert set(made.urls) == set(SERVICES)
