"""What an operator types, while the product runs in another terminal."""

import json
import subprocess
import sys
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from tests.support.house import eventually
from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("OPS-6")]


def bookbag(product: Product, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command on the product's data folder."""
    return subprocess.run(
        [sys.executable, "-m", "bookbag", *words, "--data", str(product.folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def rows(product: Product, *words: str) -> list[dict]:
    done = bookbag(product, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_outbox_of_each_service_is_told(product: Product) -> None:
    told = {row["service"]: row for row in rows(product, "outbox", "status")}
    assert set(told) == {"identity", "messaging", "translate", "notify"}
    assert all(row["parked"] == 0 for row in told.values())


async def test_a_dead_letter_is_listed_replayed_and_gone(product: Product) -> None:
    letter = uuid4()
    notify = await asyncpg.connect(product.environment()["BOOKBAG_NOTIFY_WORKER_URL"])
    await notify.execute(
        "insert into dead_letter (school_id, consumer, event_id, topic, bucket, key, type, payload, occurred_at, attempts, error)"
        " values ($1, 'notify', $2, 'bookbag.messaging.v1', 0, $1, 'bookbag.messaging.v1.ThreadRead', $3, now(), 5, 'Planted')",
        uuid4(), letter, b"",
    )  # fmt: skip
    listed = rows(product, "deadletters", "list")
    assert [(row["event"], row["error"]) for row in listed] == [(str(letter), "Planted")]
    assert bookbag(product, "deadletters", "replay", "not-an-id").returncode == 1
    assert bookbag(product, "deadletters", "replay", str(letter)).stdout.startswith("1 put back in line")

    async def dead_again() -> bool:  # its payload is empty, so it fails as often as is allowed and comes back
        return (
            await notify.fetchval("select count(*) from dead_letter where event_id = $1 and error <> 'Planted'", letter)
            == 1
        )

    await eventually(dead_again, seconds=20)
    assert bookbag(product, "deadletters", "drop", str(letter)).stdout.startswith("1 dropped")
    assert rows(product, "deadletters", "list") == []
    await notify.close()


@pytest.mark.req("POL-1")
def test_a_school_is_created_and_found_by_its_code(product: Product) -> None:
    asked = (
        "schools", "create", "--code", "TSTA", "--name", "Test Academy", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings",
    )  # fmt: skip
    done = bookbag(product, *asked)
    assert done.returncode == 0, done.stderr
    assert httpx2.get(f"{product.address}/identity/v1/schools/TSTA").json()["name"] == "Test Academy"
    again = bookbag(product, *asked)
    assert again.returncode == 1
    assert "TSTA" in again.stderr
    wrong = bookbag(product, *asked[:-6], "--zone", "Nowhere/Land", "--language", "en", "--preset", "quiet-evenings")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr


def test_help_names_every_command_and_a_folder_where_nothing_runs_is_said_so(product: Product, tmp_path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bookbag", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in ("up", "serve", "work", "migrate", "deadletters", "outbox", "schools"):
        assert f"  {command}" in told
    done = subprocess.run(
        [sys.executable, "-m", "bookbag", "outbox", "status", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing runs on" in done.stderr
