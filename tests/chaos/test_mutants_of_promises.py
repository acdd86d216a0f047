"""Each checker turns red on the mutants of what a person is promised: kept once, kept for good, told only while it is their right (R9)."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from bookbag.local.keys import KeyFiles
from bookbag.local.parts import start
from services.messaging.tests.builders import Oak
from services.notify.mail import rounds
from services.notify.tests.conftest import town_in
from tests.chaos import checkers
from tests.chaos.history import Kept, Outcome, Told, Write
from tests.chaos.test_mutants import Noting
from tests.support.ground import Ground, ground
from tests.support.house import House

pytestmark = pytest.mark.chaos


@pytest.mark.req("MSG-18")
@pytest.mark.parametrize("mutant", [False, True], ids=["sound", "key ignored"])
async def test_a_server_that_ignores_the_idempotency_key_is_found_out(
    fresh_house: House, mutant: bool, record_property: Noting
) -> None:
    async with fresh_house.runtime("messaging") as runtime, fresh_house.client(runtime) as http:
        oak = await Oak.built(fresh_house, runtime, http)
        if mutant:
            await _ignore_keys(fresh_house)
        writes = [
            Write(1, oak.thread, f"value {number}", f"key-number-{number}", outcome=Outcome.OK) for number in range(20)
        ]
        for write in writes:
            for _ in range(2):  # the answer to the first request was lost
                answer = await oak.teacher.post(f"/threads/{oak.thread}/messages", {"text": write.value}, key=write.key)
                assert answer.status_code == 201
        kept = [
            Kept(message["id"], oak.thread, message["seq"], message["text"])
            for message in await oak.teacher.messages(oak.thread, limit=100)
        ]
    assert checkers.lost(writes, kept) == []
    wrong = checkers.doubled(kept)
    assert bool(wrong) is mutant
    record_property("mutant", "no idempotency key" if wrong else "")


async def _ignore_keys(house: House) -> None:
    """Make `post_message` anew with a key of its own for each call."""
    connection = await asyncpg.connect(house.databases.urls["messaging"].owner)
    try:
        source: str = await connection.fetchval("select pg_get_functiondef('post_message'::regproc)")
        sound = "values (p_school, p_person, p_key,"
        assert sound in source
        await connection.execute(source.replace(sound, "values (p_school, p_person, gen_random_uuid()::text,"))
    finally:
        await connection.close()


@pytest.fixture
def under(keys: KeyFiles, tmp_path: Path) -> Iterator[Ground]:
    """Servers of the test's own."""
    with ground(tmp_path, keys) as made:
        yield made


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("mutant", [False, True], ids=["sound", "synchronous_commit off"])
async def test_a_database_that_answers_before_it_has_written_is_found_out(
    under: Ground, mutant: bool, record_property: Noting
) -> None:
    if mutant:
        under.postgres.address.run("alter role all set synchronous_commit = off")
        under.postgres.address.run("alter system set wal_writer_delay = '10s'")
        under.postgres.address.run("select pg_reload_conf()")
    async with under.house.runtime("messaging") as runtime, under.house.client(runtime) as http:
        oak = await Oak.built(under.house, runtime, http)
        writes = [Write(1, oak.thread, f"value {number}", f"key-number-{number}") for number in range(20)]
        for write in writes:
            answer = await oak.teacher.post(f"/threads/{oak.thread}/messages", {"text": write.value}, key=write.key)
            assert answer.status_code == 201
            write.outcome = Outcome.OK
        _kill(under)
    start(under.postgres)
    kept = await _messages(under.house)
    wrong = checkers.lost(writes, kept)
    assert bool(wrong) is mutant, f"{len(wrong)} of {len(writes)} lost"
    record_property("mutant", "synchronous_commit=off" if wrong else "")


def _kill(under: Ground) -> None:
    """The server dies with all its memory, as with a machine that loses power, but for what the disk has."""
    process = under.postgres.process
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(20)


async def _messages(house: House) -> list[Kept]:
    connection = await asyncpg.connect(house.databases.urls["messaging"].backup)
    try:
        rows = await connection.fetch("select message_id, thread_id, seq, text from message")
        return [Kept(str(row["message_id"]), str(row["thread_id"]), row["seq"], row["text"]) for row in rows]
    finally:
        await connection.close()


@pytest.mark.req("NTF-3", "ID-11")
@pytest.mark.parametrize("mutant", [False, True], ids=["sound", "audience fixed at enqueue"])
async def test_mail_to_whom_it_was_meant_for_when_it_was_queued_is_found_out(
    fresh_house: House, mutant: bool, record_property: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mutant:

        async def was_reader_once(*_: object) -> bool:
            return True

        monkeypatch.setattr(rounds, "owners", SimpleNamespace(may_read=was_reader_once))
    async with town_in(fresh_house) as town:
        await town.message()
        town.owner.readers = [one for one in town.owner.readers if one.person_id != str(town.guardian)]
        ended = {"marta@example.org": town.clock.now().timestamp()}
        await town.after(seconds=60)
        at = {mail["Message-ID"]: town.clock.now().timestamp() for mail in town.post.mails}
        handed = [Told(mail["To"], "email", mail["Message-ID"]) for mail in town.post.mails]
    assert {one.person for one in handed} >= {"tom@example.org"}, "who may still read is told"
    wrong = checkers.handed_after_the_end(handed, ended, at)
    assert bool(wrong) is mutant, wrong
    record_property("mutant", "audience fixed at enqueue" if wrong else "")
