"""What an operator makes before installing, and what the migration says when something of it is missing."""

import base64
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookbag.cli.services import NAMES
from bookbag.local import ports
from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
from tests.support import commands
from tests.support.whole import Whole

pytestmark = pytest.mark.req("OPS-4")


def bookbag(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOOKBAG_")}
    return commands.run(*words, environment=kept | told)


def prepared(folder: Path, address: str = "db.example:5432", *more: str) -> dict[str, dict[str, str]]:
    """The Secrets by name, as pods would have them."""
    done = bookbag("prepare", "--to", str(folder), "--postgresql", address, *more)
    assert done.returncode == 0, done.stderr
    items = json.loads((folder / "secrets.json").read_text())["items"]
    return {
        item["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in item["data"].items()}
        for item in items
    }


def test_keys_addresses_and_only_what_was_named_become_secrets(tmp_path: Path) -> None:
    made = prepared(
        tmp_path / "mine", "db.example:5432", "--options", "sslmode=require", "--redis", "redis://cache:6379/0"
    )
    assert set(made) == {"bookbag-keys", "bookbag-redis", *(f"bookbag-database-{name}" for name in NAMES)}
    assert set(made["bookbag-database-notify"]) == {"owner", "app", "worker", "reader", "backup"}
    app = made["bookbag-database-notify"]["app"]
    assert app.startswith("postgresql://bookbag_notify_app:")
    assert app.endswith("@db.example:5432/bookbag_notify?sslmode=require")
    assert {"users.json", "user_keys.json", "service-notify.json", "audit-notify.json"} <= set(made["bookbag-keys"])


def test_what_is_there_is_kept_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    first = prepared(tmp_path / "mine")
    assert prepared(tmp_path / "mine") == first
    readable = [
        file.name
        for file in (tmp_path / "mine").rglob("*")
        if file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    assert readable == []


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = bookbag("prepare", "--to", str(tmp_path / "file" / "mine"), "--postgresql", "db:5432")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def told(secrets: dict[str, dict[str, str]], folder: Path) -> dict[str, str]:
    keys = folder / "keys"
    urls = {
        f"BOOKBAG_{name.upper()}_{role.upper()}_URL": secrets[f"bookbag-database-{name}"][role]
        for name in NAMES
        for role in ("owner", "app")
    }
    return urls | {
        "BOOKBAG_REDIS_URL": "redis://127.0.0.1:1/0",
        "BOOKBAG_USER_KEYS": str(keys / "user_keys.json"),
        "BOOKBAG_SERVICE_KEYS": str(keys / "service_keys.json"),
        "BOOKBAG_SIGNING_KEYS": str(keys / "private"),
    }


def test_the_migration_names_a_setting_that_is_missing_and_never_a_value(tmp_path: Path) -> None:
    settings = told(prepared(tmp_path), tmp_path)
    password = settings["BOOKBAG_NOTIFY_OWNER_URL"].partition("_owner:")[2].partition("@")[0]
    del settings["BOOKBAG_NOTIFY_APP_URL"]
    done = bookbag("migrate", "all", **settings)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "The settings are not complete: BOOKBAG_NOTIFY_APP_URL must be set."
    del settings["BOOKBAG_REDIS_URL"]
    settings["BOOKBAG_NOTIFY_APP_URL"] = settings["BOOKBAG_NOTIFY_OWNER_URL"]
    done = bookbag("migrate", "all", **settings)
    assert done.stderr.strip().splitlines()[-1] == "The settings are not complete: BOOKBAG_REDIS_URL must be set."
    assert password not in done.stdout + done.stderr


def test_a_process_that_cannot_start_names_the_setting_as_the_operator_knows_it(tmp_path: Path) -> None:
    settings = told(prepared(tmp_path), tmp_path)
    for command, wrong, said in (
        ("work", {}, "Set BOOKBAG_NOTIFY_WORKER_URL: a worker needs it."),
        ("work", {"BOOKBAG_NOTIFY_MAILS_AT_ONCE": "many"}, "BOOKBAG_NOTIFY_MAILS_AT_ONCE (Input should be a valid integer"),
        ("serve", {"BOOKBAG_NOTIFY_MAILS_AT_ONCE": "many"}, "BOOKBAG_NOTIFY_MAILS_AT_ONCE (Input should be a valid integer"),
    ):  # fmt: skip
        done = bookbag(command, "notify", **settings, **wrong)
        assert done.returncode == 1
        assert said in done.stderr.strip().splitlines()[-1]


def test_the_migration_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    settings = told(prepared(tmp_path, f"127.0.0.1:{ports.choose_one()}"), tmp_path)
    done = bookbag("migrate", "all", "--wait", "1", **settings)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "The migration could not end within 1 s: PostgreSQL of identity does not answer; see that it runs and that "
        "BOOKBAG_IDENTITY_OWNER_URL is right."
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that knows nothing of us."""
    one = EmbeddedPostgres(tmp_path / "server", fast=True)
    start(one)
    yield one
    one.stop()


def test_an_administrator_runs_the_script_twice_and_the_migration_finds_all_it_needs(
    tmp_path: Path, server: EmbeddedPostgres
) -> None:
    folder = tmp_path / "mine"
    settings = told(prepared(folder, f"127.0.0.1:{server.address.port}"), folder)
    for _ in range(2):
        server.address.run((folder / "databases.sql").read_text())
    done = bookbag("migrate", "all", "--wait", "90", **settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[: len(NAMES)] == [f"{name}: migrated" for name in NAMES]
    others = server.address.run("select has_database_privilege('public', 'postgres', 'connect')").strip()
    assert others == "t", "what else is in the server is none of our business"


def test_a_school_is_created_with_a_leader_who_can_sign_in(whole: Whole) -> None:
    words = (
        "schools", "create", "--code", "ELMG", "--name", "Elm Grove", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings",
    )  # fmt: skip
    half = bookbag(*words, "--leader-name", "Ada Lane", **whole.environment)
    assert half.returncode == 1
    assert "both" in half.stderr
    done = bookbag(*words, "--leader-name", "Ada Lane", "--leader-email", "ada@elm.example", **whole.environment)
    assert done.returncode == 0, done.stderr
    password = done.stdout.partition("with the password ")[2].split()[0]
    with whole.client() as client:
        opened = client.post("/identity/v1/sessions", json={"email": "ada@elm.example", "password": password})
    assert opened.status_code == 201, opened.text
    assert [one["role"] for one in opened.json()["memberships"]] == ["leader"]
