"""Where Kafka carries the events: a bus that others have used is refused, and a new one is told all that the outbox keeps, once."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from bookbag.chassis.bus import Record
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.database import bucket_of
from bookbag.chassis.kafka_bus import KafkaBus
from bookbag.local.testing_broker import TestBroker
from tests.backup.conftest import Lived
from tests.backup.school_life import asked, bookbag
from tests.support.house import House
from tests.support.whole import Whole, whole_product

pytestmark = [pytest.mark.req("OPS-5"), pytest.mark.slow, pytest.mark.timeout(300)]

TOPIC = "bookbag.messaging.v1"


async def publish_something(house: House, settings: dict[str, str]) -> None:
    key = uuid4()
    record = Record(uuid4(), uuid4(), TOPIC, bucket_of(key), key, "x", b"x", None, None, SystemClock().now())
    with house.settings(**settings) as platform:
        bus = KafkaBus(platform)
        await bus.publish([record])
        await bus.close()


def told_on_kafka(whole: Whole) -> bool:
    """Whether every bucket that has events was told to the new log to its end."""
    heads = whole.rows("messaging", "select generation, again_until from outbox_head where position > 0")
    return all(not row["generation"].startswith("as it was") and row["again_until"] is None for row in heads)


def nothing_behind(whole: Whole) -> bool:
    lag = bookbag(whole.environment, "consumers", "lag", "--json")
    return lag.returncode == 0 and not any(row["behind"] for row in json.loads(lag.stdout))


def test_a_new_kafka_is_told_everything_and_nobody_is_told_twice(
    lived: Lived, another: Callable[[str], House], broker: TestBroker, tmp_path: Path
) -> None:
    second = another("second")
    kafka = {
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": broker.address.bootstrap,
        "BOOKBAG_KAFKA_COPIES": "1",
        "BOOKBAG_KAFKA_PREFIX": broker.prefix(),
    }
    made = bookbag(second.environment, "migrate", **kafka)
    assert made.returncode == 0, made.stderr
    asyncio.run(publish_something(second, kafka))
    refused = bookbag(second.environment, "restore", "--from", str(lived.place), **kafka)
    assert refused.returncode == 1
    assert (
        f"Kafka's topic {kafka['BOOKBAG_KAFKA_PREFIX']}{TOPIC} holds events of another installation" in refused.stderr
    )

    kafka["BOOKBAG_KAFKA_PREFIX"] = broker.prefix()
    done = bookbag(second.environment, "restore", "--from", str(lived.place), **kafka)
    assert done.returncode == 0, done.stderr
    assert bookbag(second.environment, "migrate", **kafka).returncode == 0
    before = asked(second, "notify", "select person_id, event_id from notification order by 1, 2")
    (tmp_path / "mails").mkdir()
    with whole_product(second, tmp_path / "mails", BOOKBAG_NOTIFY_MAIL_GRACE_SECONDS="0", **kafka) as whole:
        whole.wait(lambda: told_on_kafka(whole), seconds=60)
        whole.wait(lambda: nothing_behind(whole), seconds=60)
        assert asked(second, "notify", "select person_id, event_id from notification order by 1, 2") == before
        assert not whole.rows("notify", "select 1 from dead_letter")
        assert not whole.mails, "every mail of the backup had been sent"
