"""What an operator types, while the product runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.support import commands
from tests.support.house import eventually
from tests.support.whole import Whole

pytestmark = pytest.mark.req("OPS-6")


def bookbag(whole: Whole, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command with the settings of the product."""
    return commands.run(*words, environment=os.environ | whole.environment)


def rows(whole: Whole, *words: str) -> list[dict]:
    done = bookbag(whole, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_outbox_of_each_service_is_told(whole: Whole) -> None:
    told = {row["service"]: row for row in rows(whole, "outbox", "status")}
    assert set(told) == {"identity", "messaging", "translate", "notify"}
    assert all(row["parked"] == 0 and row["again"] == 0 for row in told.values())


def test_where_one_service_s_settings_are_its_own_figures_are_told(whole: Whole) -> None:
    own = {name: value for name, value in whole.environment.items() if not name.startswith("BOOKBAG_IDENTITY_")}
    asked = commands.run("outbox", "status", environment=own)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "BOOKBAG_IDENTITY_APP_URL must be set" in asked.stderr
    assert "--service" in asked.stderr
    assert "parked" in commands.run("outbox", "status", "--service", "notify", environment=own).stdout


async def test_what_was_published_is_published_again_when_asked(whole: Whole) -> None:
    async def told() -> bool:
        now = {row["service"]: row for row in rows(whole, "outbox", "status")}
        return all(row["again"] == 0 and row["waiting"] == 0 for row in now.values())

    kept = {row["service"]: row["kept"] for row in rows(whole, "outbox", "status")}
    again = {row["service"]: row["count"] for row in rows(whole, "outbox", "again")}
    assert again == kept
    await eventually(told, seconds=30)
    assert {row["service"]: row["kept"] for row in rows(whole, "outbox", "status")} == kept


def test_how_far_each_consumer_is_behind_is_told(whole: Whole) -> None:
    told = rows(whole, "consumers", "lag")
    assert {row["consumer"] for row in told} >= {"notify", "translate"}
    assert all(row["topic"].startswith("bookbag.") and row["behind"] >= row["most_in_a_bucket"] for row in told)
    assert {row["consumer"] for row in rows(whole, "consumers", "lag", "--service", "notify")} == {"notify"}


def test_how_far_each_copy_of_who_is_who_is_told(whole: Whole) -> None:
    told = {row["service"]: row for row in rows(whole, "feed", "status")}
    source = told.pop("identity")
    worker = whole.processes["work-all"].pid
    assert f"-{worker}-" in source["state"], "one process gives the positions, and it is named"
    assert {row["behind"] for row in told.values()} == {0}
    assert all(row["position"] > 0 and row["heard_seconds_ago"] < 30 for row in told.values())


@pytest.mark.parametrize("action", ["show", "replay", "drop"])
def test_an_id_that_no_dead_letter_has_is_refused_in_words(whole: Whole, action: str) -> None:
    nobodys = bookbag(whole, "deadletters", action, str(uuid4()))
    assert (nobodys.returncode, nobodys.stdout) == (1, "")
    assert "No dead letter has this id" in nobodys.stderr


def test_an_id_that_is_none_is_refused(whole: Whole) -> None:
    assert bookbag(whole, "deadletters", "replay", "not-an-id").returncode == 1


async def test_a_dead_letter_is_listed_replayed_and_gone(whole: Whole) -> None:
    letter = uuid4()
    notify = await asyncpg.connect(whole.environment["BOOKBAG_NOTIFY_WORKER_URL"])
    await notify.execute(
        "insert into dead_letter (school_id, consumer, event_id, topic, bucket, key, type, payload, occurred_at, attempts, error)"
        " values ($1, 'notify', $2, 'bookbag.messaging.v1', 0, $1, 'bookbag.messaging.v1.ThreadRead', $3, now(), 5, 'Planted')",
        uuid4(), letter, b"",
    )  # fmt: skip
    listed = rows(whole, "deadletters", "list")
    assert [(row["event"], row["error"]) for row in listed] == [(str(letter), "Planted")]
    (shown,) = rows(whole, "deadletters", "show", str(letter))
    assert (shown["consumer"], shown["topic"], shown["payload_bytes"]) == ("notify", "bookbag.messaging.v1", 0)
    assert "payload" not in shown
    assert bookbag(whole, "deadletters", "replay", str(letter)).stdout.startswith("1 put back in line")

    async def dead_again() -> bool:  # its payload is empty, so it fails as often as is allowed and comes back
        return (
            await notify.fetchval("select count(*) from dead_letter where event_id = $1 and error <> 'Planted'", letter)
            == 1
        )

    await eventually(dead_again, seconds=20)
    lines = [line for line in whole.logs.splitlines() if str(letter) in line]
    assert {json.loads(line)["event"] for line in lines} == {"event failed", "dead letter"}
    assert bookbag(whole, "deadletters", "drop", str(letter)).stdout.startswith("1 dropped")
    assert rows(whole, "deadletters", "list") == []
    await notify.close()


@pytest.mark.req("POL-1")
def test_a_school_is_created_and_found_by_its_code(whole: Whole) -> None:
    asked = (
        "schools", "create", "--code", "TSTA", "--name", "Test Academy", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings",
    )  # fmt: skip
    done = bookbag(whole, *asked)
    assert done.returncode == 0, done.stderr
    with whole.client() as http:
        assert http.get("/identity/v1/schools/TSTA").json()["name"] == "Test Academy"
    again = bookbag(whole, *asked)
    assert again.returncode == 1
    assert "TSTA" in again.stderr
    wrong = bookbag(whole, *asked[:-6], "--zone", "Nowhere/Land", "--language", "en", "--preset", "quiet-evenings")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr


def test_help_names_every_command_and_a_folder_where_nothing_runs_is_said_so(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bookbag", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in (
        "up",
        "serve",
        "work",
        "migrate",
        "deadletters",
        "outbox",
        "consumers",
        "feed",
        "doctor",
        "schools",
    ):
        assert f"  {command}" in told
    done = subprocess.run(
        [sys.executable, "-m", "bookbag", "outbox", "status", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing runs on" in done.stderr
