"""The database of one machine: it keeps what was committed, whatever was killed, and stays out of others' way."""

import os
import signal
import socket
import stat
import subprocess
import sys

import asyncpg
import pytest

from bookbag.local.environment import REPOSITORY
from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.process import is_running, wait_until
from bookbag.local.refusals import CannotStart


@pytest.fixture
def postgres(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres")
    yield server
    server.stop()


def note(server, words):
    server.address.run(f"create table if not exists note (words text); insert into note values ('{words}')")


def notes(server):
    return server.address.run("select words from note order by 1").split()


@pytest.mark.req("OPS-1")
def test_what_was_committed_is_there_after_a_restart(postgres):
    start(postgres)
    note(postgres, "kept")
    postgres.stop()
    start(postgres)
    assert notes(postgres) == ["kept"]


@pytest.mark.chaos
def test_what_was_committed_survives_kill_9_and_an_immediate_restart(postgres):
    start(postgres)
    for number in range(3):
        note(postgres, f"before{number}")
        os.kill(postgres.process.pid, signal.SIGKILL)
        start(postgres)
    assert notes(postgres) == ["before0", "before1", "before2"]


def test_it_is_durable_unless_told_to_be_fast(postgres, tmp_path):
    start(postgres)
    assert postgres.address.run("show fsync; show synchronous_commit; show data_checksums").split() == ["on"] * 3
    fast = EmbeddedPostgres(tmp_path / "fast", fast=True)
    start(fast)
    try:
        assert fast.address.run("show fsync; show synchronous_commit").split() == ["off"] * 2
    finally:
        fast.stop()


def test_nobody_gets_in_without_the_password_and_the_password_is_for_the_owner_s_eyes(postgres, tmp_path):
    start(postgres)
    with pytest.raises(subprocess.CalledProcessError, match="exit status 2"):
        type(postgres.address)(postgres.address.port, "guess").run("select 1")
    assert stat.S_IMODE((tmp_path / "postgres" / "password").stat().st_mode) == 0o600
    assert postgres.address.password not in repr(postgres.address)


def test_a_failed_statement_leaves_no_words_in_the_log(postgres, tmp_path):
    start(postgres)
    note(postgres, "plain")
    with pytest.raises(subprocess.CalledProcessError):
        postgres.address.run("create unique index on note (words); insert into note values ('confided'), ('confided')")
    log = (tmp_path / "postgres" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "confided" not in log


def test_the_port_stays_the_same_until_somebody_else_takes_it(postgres):
    start(postgres)
    first = postgres.address.port
    postgres.stop()
    again = EmbeddedPostgres(postgres._folder)
    start(again)
    assert again.address.port == first
    again.stop()
    with socket.create_server(("127.0.0.1", first)):
        moved = EmbeddedPostgres(postgres._folder)
        start(moved)
        assert moved.address.port != first
        moved.stop()


def test_a_fixed_port_that_is_taken_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port}, wanted for PostgreSQL, is in use"):
            start(EmbeddedPostgres(tmp_path / "postgres", port))


def test_a_server_of_an_earlier_run_is_ended_and_its_data_taken_over(postgres):
    start(postgres)
    note(postgres, "earlier")
    earlier = postgres.process.pid
    later = EmbeddedPostgres(postgres._folder)
    start(later)
    try:
        assert not is_running(earlier)
        assert notes(later) == ["earlier"]
    finally:
        later.stop()


def test_a_pid_file_that_names_somebody_else_does_not_keep_it_from_starting(postgres):
    start(postgres)
    pid_file = postgres._folder / "data" / "postmaster.pid"
    content = pid_file.read_text()
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    pid_file.write_text(content.replace(str(postgres.process.pid), str(os.getpid()), 1))
    start(postgres)
    assert postgres.address.run("select 1").strip() == "1"


@pytest.mark.chaos
def test_it_ends_with_its_supervisor_even_when_that_is_killed(tmp_path):
    program = f"""
from pathlib import Path
from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path({str(tmp_path / "postgres")!r}))
start(server)
print(server.process.pid, flush=True)
input()
"""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with supervisor:
        pid = int(supervisor.stdout.readline())
        assert is_running(pid)
        supervisor.kill()
    assert wait_until(lambda: not is_running(pid), 10)


def test_an_interrupted_first_start_is_begun_again(postgres):
    half_made = postgres._folder / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18")
    start(postgres)
    assert postgres.address.run("select 1").strip() == "1"


async def test_it_listens_on_loopback_only(postgres):
    start(postgres)
    assert postgres.address.run("show listen_addresses").strip() == "127.0.0.1"
    connection = await asyncpg.connect(postgres.address.url())
    try:
        assert await connection.fetchval("select version()") is not None
    finally:
        await connection.close()
