"""R2: over Kafka every event comes again and again, as after a broker that lost its log; nobody is told of anything twice."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench.results import Result
from bookbag.chassis.kafka_bus import KafkaBus
from bookbag.chassis.settings import Platform
from tests.chaos import checkers, kept
from tests.chaos.campaign import PUPILS
from tests.chaos.history import Told
from tests.support.house import eventually
from tests.support.product import Product, running

MESSAGES = 500
TOPIC = "bookbag.messaging.v1"
CONSUMERS = ("notify", "translate")


async def measure(count: int) -> Sequence[Result]:
    """Have at least so many events come again."""
    with (
        tempfile.TemporaryDirectory(prefix="bookbag-again-") as folder,
        running(Path(folder) / "data", kind="stack") as product,
    ):
        _write(product)
        messaging, notify = await kept.connect(product, "messaging"), await kept.connect(product, "notify")
        messages = await kept.kept_messages(messaging)
        readers = await kept.readers_of(messaging, messages)
        await kept.quiet(notify, messages, readers)
        before = await _state(messaging, notify)
        again = 0
        while again < count:
            again += await _all_again(product, messaging)
        after = await _state(messaging, notify)
        told = await kept.told_people(notify)
        await messaging.close()
        await notify.close()
    changed = sorted(name for name in before if before[name] != after[name])
    wrong = checkers.told_twice(told) + checkers.doubled(messages) + changed
    streamed: list[Told] = [one for one in told if one.channel == "stream"]
    wrong += checkers.told_out_of_order(messages, streamed)
    raw = {"forced": again, "messages": len(messages), "told": len(told), "found": wrong[:20]}
    return [
        Result(
            "R2",
            "effects doubled or changed by events that came again",
            len(wrong),
            "count",
            f"0 in {count:,}",
            not wrong,
            raw,
        )
    ]


def _write(product: Product) -> None:
    with product.client("Hughes", "teacher") as client:
        threads: list[str] = []
        for pupil in PUPILS:
            contact = client.get("/messaging/v1/contacts", params={"q": pupil}).json()["items"][0]
            who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
            key = {"idempotency-key": f"open-{pupil}-again"}
            threads.append(client.post("/messaging/v1/threads", json=who, headers=key).json()["id"])
        for number in range(MESSAGES):
            answer = client.post(
                f"/messaging/v1/threads/{threads[number % len(threads)]}/messages",
                json={"text": f"again {number}"},
                headers={"idempotency-key": uuid4().hex},
            )
            assert answer.status_code == 201, answer.text


async def _all_again(product: Product, messaging: asyncpg.Connection) -> int:
    """Have the relay believe that the broker lost its log. Gives how many events it tells again, once all have been consumed."""
    owner = await kept.connect(product, "messaging", "OWNER")
    await owner.execute("update outbox_head set generation = 'lost'")
    await owner.close()

    async def told_again() -> bool:
        return not await messaging.fetchval(
            "select exists (select from outbox_head where position > 0 and (generation = 'lost' or again_until is not null))"
        )

    await eventually(told_again, seconds=kept.QUIET_SECONDS)
    bus = KafkaBus(_platform(product))

    async def consumed() -> bool:
        return not any([sum((await bus.lag(each, [TOPIC])).values()) for each in CONSUMERS])

    await eventually(consumed, seconds=kept.QUIET_SECONDS)
    await bus.close()
    return await messaging.fetchval("select count(*) from outbox where position is not null")


def _platform(product: Product) -> Platform:
    before = dict(os.environ)
    os.environ.update(product.environment())
    try:
        return Platform()  # type: ignore[call-arg]
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _state(messaging: asyncpg.Connection, notify: asyncpg.Connection) -> dict[str, int]:
    """How many rows there are of everything that events make."""
    made = {
        "stream": (notify, "stream_event"),
        "items": (notify, "notification"),
        "mails": (notify, "delivery"),
        "translations": (messaging, "translation"),
    }
    return {name: await where.fetchval(f"select count(*) from {table}") for name, (where, table) in made.items()}
