"""The doctor finds each fault that an operator can make, names it and says what to do; a sound installation is told so."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bookbag.chassis.examine import Finding, Look, apart, ok, wrong
from bookbag.cli.doctor import looked
from bookbag.local import ports
from tests.support import commands
from tests.support.house import House
from tests.support.whole import Whole

pytestmark = pytest.mark.req("OPS-6")

NOWHERE = "127.0.0.1:1"


def doctor(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run it with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("BOOKBAG_")}
    return commands.run("doctor", *words, environment=others | environment)


def faults(environment: dict[str, str], *words: str) -> dict[str, dict[str, Any]]:
    """What is wrong, by what was looked at."""
    done = doctor(environment, *words, "--json")
    wrong = {row["what"]: row for row in json.loads(done.stdout) if row["state"] == "wrong"}
    assert done.returncode == bool(wrong), done.stderr
    assert all(row["do"] for row in wrong.values()), "a fault without advice helps nobody"
    return wrong


def test_a_sound_installation_is_told_so_line_by_line(whole: Whole) -> None:
    done = doctor(whole.environment)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert "WRONG" not in done.stdout
    for what in (
        "settings", "user keys", "private key service-messaging", "postgresql messaging app", "postgresql identity owner",
        "migrations notify", "redis", "mail server", "public address", "gRPC identity", "room at",
    ):  # fmt: skip
        assert any(line.startswith("ok") and what in line for line in lines), what
    assert lines[-1].endswith("nothing wrong.")


@pytest.mark.slow
def test_each_server_that_is_away_is_named_with_what_to_do(whole: Whole) -> None:
    url = whole.environment["BOOKBAG_MESSAGING_APP_URL"]
    away = whole.environment | {
        "BOOKBAG_MESSAGING_APP_URL": url.replace(url.split("@")[1].split("/")[0], NOWHERE),
        "BOOKBAG_REDIS_URL": f"redis://{NOWHERE}/0",
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": NOWHERE,
        "BOOKBAG_SMTP_URL": f"smtp://{NOWHERE}",
        "BOOKBAG_OBJECT_STORE": f"s3://files?endpoint=http://{NOWHERE}",
        "BOOKBAG_OBJECT_STORE_ACCESS_KEY": "a",
        "BOOKBAG_OBJECT_STORE_SECRET_KEY": "b",
        "BOOKBAG_PEERS": json.dumps({"identity": f"{whole.grpc_address},{NOWHERE}"}),
    }
    wrong = faults(away)
    assert set(wrong) == {
        "postgresql messaging app", "redis", "kafka", "mail server", "object store", f"gRPC identity {NOWHERE}"
    }  # fmt: skip
    assert {row["found"].split(" (")[0] for row in wrong.values()} == {"does not answer"}


def test_what_is_not_set_is_named_by_its_variable_and_never_by_its_value(house: House) -> None:
    told = house.environment | {"BOOKBAG_PEERS": '{"identity": "s3cret"}'}
    del told["BOOKBAG_NOTIFY_APP_URL"]
    done = doctor(told)
    assert done.returncode == 1
    for variable in ("BOOKBAG_NOTIFY_APP_URL", "BOOKBAG_PEERS"):
        assert f"setting {variable}" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_a_wrong_password_a_missing_database_and_too_many_rights_are_told_apart(house: House) -> None:
    environment = house.environment
    password = environment["BOOKBAG_NOTIFY_APP_URL"].split(":")[2].split("@")[0]
    wrong = faults(
        environment
        | {
            "BOOKBAG_NOTIFY_APP_URL": environment["BOOKBAG_NOTIFY_APP_URL"].replace(password, "0" * len(password)),
            "BOOKBAG_IDENTITY_WORKER_URL": environment["BOOKBAG_IDENTITY_WORKER_URL"].rpartition("/")[0] + "/nowhere",
            "BOOKBAG_MESSAGING_APP_URL": environment["BOOKBAG_MESSAGING_BACKUP_URL"],
            "BOOKBAG_TRANSLATE_BACKUP_URL": environment["BOOKBAG_TRANSLATE_APP_URL"],
        }
    )
    assert wrong["postgresql notify app"]["found"] == "refuses the password"
    assert "BOOKBAG_NOTIFY_APP_URL" in wrong["postgresql notify app"]["do"]
    assert wrong["postgresql identity worker"]["found"] == "has no such database"
    assert wrong["postgresql messaging app"]["found"] == "the role sees every school"
    assert wrong["postgresql translate backup"]["found"] == "the role does not see every school"
    assert "postgresql messaging backup" not in wrong


async def test_what_is_wrong_is_looked_at_twice_and_what_is_right_once() -> None:
    def look(*answers: Finding) -> Look:
        left = iter([[answer] for answer in answers])

        async def looking() -> Sequence[Finding]:
            return next(left)

        return looking

    good, bad = ok("server", "answers"), wrong("server", "does not answer", "See that it runs.")
    assert await looked([look(bad, good), look(good, bad), look(bad, bad, good)]) == [good, good, bad]


def test_a_mail_password_is_read_as_it_is_when_mails_go(house: House) -> None:
    def let_in(_server: SMTP, _session: Session, _envelope: Envelope, _kind: str, said: LoginPassword) -> AuthResult:
        return AuthResult(success=(said.login, said.password) == (b"post@school.example", b"p@ss:word"), handled=False)

    taking = Controller(
        Sink(), hostname="127.0.0.1", port=ports.choose_one(), authenticator=let_in, auth_require_tls=False
    )
    taking.start()
    try:
        for password, found in (("p%40ss%3Aword", None), ("p%2540ss", "refuses the password")):
            url = f"smtp://post%40school.example:{password}@127.0.0.1:{taking.port}"
            wrong = faults(house.environment | {"BOOKBAG_SMTP_URL": url}, "--service", "notify")
            assert wrong.get("mail server", {}).get("found") == found
    finally:
        taking.stop()


async def test_a_server_without_a_connection_to_spare_is_not_said_to_be_away(fresh_house: House) -> None:
    database = fresh_house.environment["BOOKBAG_NOTIFY_APP_URL"].rpartition("/")[2]
    await fresh_house.owner("notify", f"alter database {database} connection limit 0")
    wrong = faults(fresh_house.environment, "--service", "notify")
    assert wrong["postgresql notify app"]["found"] == "has no connection left"


async def test_a_database_that_is_older_than_the_program_is_to_be_migrated(fresh_house: House) -> None:
    await fresh_house.owner("notify", "update notify_version set version_num = '20200101_long_ago'")
    wrong = faults(fresh_house.environment, "--service", "notify")
    assert "bookbag migrate notify" in wrong["migrations notify"]["do"]


def test_keys_that_do_not_fit_each_other_are_found(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "private"
    shutil.copytree(house.keys.signing_keys, folder)
    shutil.copy(folder / "service-notify.json", folder / "service-messaging.json")
    (folder / "users.json").chmod(0o644)
    service_keys = json.loads(house.keys.service_keys.read_text())
    del service_keys["translate"]
    (tmp_path / "service_keys.json").write_text(json.dumps(service_keys))
    wrong = faults(
        house.environment
        | {"BOOKBAG_SIGNING_KEYS": str(folder), "BOOKBAG_SERVICE_KEYS": str(tmp_path / "service_keys.json")}
    )
    assert "not among the public keys" in wrong["private key service-messaging"]["found"]
    assert wrong["private key users"]["do"].startswith("chmod 600")
    assert wrong["service keys"]["found"] == "none of translate"
    assert "private key service-notify" not in wrong


@pytest.mark.parametrize(("theirs", "found"), [(-7, -7), (0, 0), (4, 0), (9, 0), (15, 6)])
def test_a_clock_counts_as_wrong_only_by_what_waiting_for_its_answer_cannot_explain(theirs: int, found: int) -> None:
    asked = datetime(2026, 3, 2, 9, tzinfo=UTC)
    answered = asked + timedelta(seconds=9)
    assert apart(asked + timedelta(seconds=theirs), asked, answered) == timedelta(seconds=found)
