"""The same commands where Kafka carries the events."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from typing import TypeAlias

import pytest

from bookbag.local.testing_broker import TestBroker
from tests.support import commands
from tests.support.house import House

Bookbag: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.req("OPS-6")


@pytest.fixture
def bookbag(fresh_house: House, broker: TestBroker) -> Bookbag:
    """Run one command; `more` changes its settings."""
    settings = {
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": broker.address.bootstrap,
        "BOOKBAG_KAFKA_PREFIX": broker.prefix(),
        "BOOKBAG_KAFKA_COPIES": "1",
    }

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return commands.run(*words, environment=os.environ | fresh_house.environment | settings | more)

    return run


def test_migrate_makes_the_topics_once(bookbag: Bookbag) -> None:
    first = bookbag("migrate")
    assert first.returncode == 0, first.stderr
    assert "bookbag.messaging.v1: topic made" in first.stdout
    again = bookbag("migrate", BOOKBAG_KAFKA_COPIES="2")
    assert again.returncode == 0, again.stderr
    assert "topic made" not in again.stdout
    assert "bookbag.messaging.v1: copies is 1, wanted 2 (left as it is;" in again.stdout


def test_lag_is_told_from_the_broker_or_why_it_cannot_be(bookbag: Bookbag) -> None:
    missing = bookbag("consumers", "lag")
    assert missing.returncode == 1
    assert re.fullmatch(r"Kafka has no topic \S+bookbag.messaging.v1; `bookbag migrate` makes it.\n", missing.stderr)
    bookbag("migrate", "messaging")
    told = json.loads(bookbag("consumers", "lag", "--service", "translate", "--json").stdout)
    assert told == [{"consumer": "translate", "topic": "bookbag.messaging.v1", "behind": 0, "most_in_a_bucket": 0}]


def test_a_broker_that_is_away_is_said_so(bookbag: Bookbag) -> None:
    away = bookbag("consumers", "lag", BOOKBAG_KAFKA_URL="127.0.0.1:1")
    assert away.returncode == 1
    assert away.stderr == "kafka does not answer; see that it runs and that its address is right.\n"


def test_the_doctor_looks_at_brokers_and_topics(bookbag: Bookbag) -> None:
    def seen(**more: str) -> tuple[dict[str, str], dict[str, str]]:
        """What is said of the brokers, and of the one topic that messaging needs."""
        rows = json.loads(bookbag("doctor", "--service", "messaging", "--json", **more).stdout)
        (brokers,) = (row for row in rows if row["what"] == "kafka")
        (topic,) = (row for row in rows if row["what"].startswith("topic "))
        return brokers, topic

    brokers, topic = seen()
    assert (brokers["state"], brokers["found"].startswith("speaks as Kafka ")) == ("ok", True)
    assert (topic["state"], topic["do"]) == ("wrong", "Run `bookbag migrate`.")

    bookbag("migrate", "messaging")
    assert [one["state"] for one in seen()] == ["ok", "ok"]
    _, topic = seen(BOOKBAG_KAFKA_COPIES="2")
    assert (topic["state"], topic["found"]) == ("wrong", "copies is 1, not 2")
