"""The same commands where Kafka carries the events."""

import json
import os
import subprocess
import sys

import pytest

from bookbag.local.testing_broker import TestBroker
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-6")


def test_migrate_makes_the_topics_once_and_lag_is_told_from_the_broker(fresh_house: House, broker: TestBroker) -> None:
    prefix = broker.prefix()
    settings = {
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": broker.address.bootstrap,
        "BOOKBAG_KAFKA_PREFIX": prefix,
        "BOOKBAG_KAFKA_COPIES": "1",
    }

    def bookbag(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | fresh_house.environment | settings | more
        command = [sys.executable, "-m", "bookbag", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    missing = bookbag("consumers", "lag")
    assert missing.returncode == 1
    assert missing.stderr == f"Kafka has no topic {prefix}bookbag.messaging.v1; `bookbag migrate` makes it.\n"
    first = bookbag("migrate")
    assert first.returncode == 0, first.stderr
    assert f"{prefix}bookbag.messaging.v1: topic made" in first.stdout
    again = bookbag("migrate")
    assert "topic" not in again.stdout, again.stdout
    changed = bookbag("migrate", BOOKBAG_KAFKA_COPIES="2")
    assert f"topic {prefix}bookbag.messaging.v1: copies is 1, wanted 2 (left as it is;" in changed.stdout
    told = json.loads(bookbag("consumers", "lag", "--json").stdout)
    assert told
    assert all(row["behind"] == 0 for row in told)
    away = bookbag("consumers", "lag", BOOKBAG_KAFKA_URL="127.0.0.1:1")
    assert away.returncode == 1
    assert away.stderr.startswith("kafka does not answer")
