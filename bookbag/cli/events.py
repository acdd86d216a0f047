"""What operators see and do about events: dead letters, the outbox, how far consumers and copies of the access feed are.

Works on both buses. Payloads are never shown: they hold ids, and what an operator needs is beside them.
"""

import argparse
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from bookbag.chassis import operations
from bookbag.chassis.bus import Bus
from bookbag.chassis.database import Database, topic_of
from bookbag.chassis.settings import Platform, ServiceSettings, load
from bookbag.cli.answers import Answer, Refused, incomplete, table
from bookbag.cli.services import NAMES, named

_NOBODYS = "No dead letter has this id; `bookbag deadletters list` shows those there are."

Ask = Callable[[Database], Awaitable[Sequence[dict[str, Any]]]]


async def dead_letters(asked: argparse.Namespace) -> Answer:
    """List, show, replay or drop. Raises Refused."""
    if asked.action == "list":
        return await _list_dead_letters(asked)
    if not asked.events and not getattr(asked, "all", False):
        raise Refused("Name events by their ids from `bookbag deadletters list`, or say --all.")
    try:
        events = [UUID(event) for event in asked.events] or None
    except ValueError:
        raise Refused("An event id looks like 0190a6d2-… ; take it from `bookbag deadletters list`.") from None
    if asked.action == "show":
        return await _show_dead_letter(asked, (events or [])[0])

    async def act(database: Database) -> Sequence[dict[str, Any]]:
        if asked.action == "replay":
            return [{"count": await operations.replay(database, events)}]
        return [{"count": await operations.drop(database, events or [])}]

    rows = await _each_worker(asked, act)
    done = sum(row["count"] for row in rows)
    if events and not done:
        raise Refused(_NOBODYS)
    word = "put back in line" if asked.action == "replay" else "dropped"
    return Answer(f"{done} {word}", rows)


async def _list_dead_letters(asked: argparse.Namespace) -> Answer:
    async def ask(database: Database) -> Sequence[dict[str, Any]]:
        return [
            {
                "event": str(letter.event_id),
                "type": letter.type,
                "error": letter.error,
                "attempts": letter.attempts,
                "died_at": letter.died_at.isoformat(timespec="seconds"),
            }
            for letter in await operations.dead_letters(database)
        ]

    rows = await _each_worker(asked, ask)
    return Answer(table(rows) if rows else "no dead letters", rows)


async def _show_dead_letter(asked: argparse.Namespace, event: UUID) -> Answer:
    async def ask(database: Database) -> Sequence[dict[str, Any]]:
        return await operations.dead_letter(database, event)

    rows = await _each_worker(asked, ask)
    if not rows:
        raise Refused(_NOBODYS)
    width = max(map(len, rows[0]))
    blocks = ["\n".join(f"{name.ljust(width)}  {value}" for name, value in row.items()) for row in rows]
    return Answer("\n\n".join(blocks), rows)


async def outbox(asked: argparse.Namespace) -> Answer:
    """How much waits, or publish again what is kept. Raises Refused."""
    if asked.action == "again":

        async def tell(database: Database) -> Sequence[dict[str, Any]]:
            return [{"count": await operations.tell_again(database)}]

        rows = await _each_worker(asked, tell)
        return Answer(f"{sum(row['count'] for row in rows)} events are published again; none takes effect twice", rows)

    async def ask(database: Database) -> Sequence[dict[str, Any]]:
        status = await operations.outbox_status(database)
        return [
            {
                "waiting": status.waiting,
                "oldest_seconds": round(status.oldest_seconds, 1),
                "published": await operations.published(database),
                "again": status.again,
                "kept": status.kept,
                "parked": status.parked,
            }
        ]

    rows = await _each_worker(asked, ask)
    return Answer(table(rows), rows)


async def consumers(asked: argparse.Namespace) -> Answer:
    """How far each consumer is behind, by topic. Raises Refused."""
    rows: list[dict[str, Any]] = []
    async with _bus() as bus:
        for service in named(asked.service):
            topics = sorted({topic_of(event.DESCRIPTOR.full_name) for event in service.hears})
            rows += [
                {"consumer": one.consumer, "topic": one.topic, "behind": one.records, "most_in_a_bucket": one.most}
                for one in await operations.consumer_lag(bus, service.name, topics)
            ]
    return Answer(table(rows) if rows else "nobody hears anything here", rows)


async def feed(asked: argparse.Namespace) -> Answer:
    """Who gives positions, how far each copy of who is who is, and how long ago it was heard to be complete. Raises Refused."""
    from bookbag.directory.figures import copy_status

    async def ask(database: Database) -> Sequence[dict[str, Any]]:
        return await copy_status(database)

    source = await _source_of_the_feed()
    copies = [
        {
            "service": row["service"],
            "position": row["position"],
            "behind": None if row["position"] is None else max(0, source["position"] - row["position"]),
        }
        | row
        for row in await _each_worker(asked, ask)
    ]
    rows = [source, *copies] if asked.service in ("all", source["service"]) else copies
    return Answer(table(rows) if rows else "this service keeps no copy", rows)


async def _source_of_the_feed() -> dict[str, Any]:
    """Identity, which all copies follow: one of its workers gives the positions."""
    from bookbag.chassis.feed import sequencer
    from services.identity.feed.store import position

    worker = _worker("identity")
    serving = Database(_settings("identity").app_url.get_secret_value(), f"operator {os.getpid()}", size=1)
    try:
        holder = await sequencer(worker)
        state = f"positions by {holder}" if holder else "nobody gives positions: start `bookbag work identity`"
        head = await position(serving)
        return {"service": "identity", "position": head, "behind": 0, "heard_seconds_ago": 0.0, "state": state}
    finally:
        await worker.close()
        await serving.close()


@asynccontextmanager
async def _bus() -> AsyncGenerator[Bus]:
    """The bus of the installation, for asking. Without Kafka it consists of the outboxes of all services."""
    platform = Platform()  # type: ignore[call-arg]
    async with AsyncExitStack() as stack:
        if platform.bus == "kafka":
            from bookbag.chassis.kafka_bus import KafkaBus

            bus: Bus = KafkaBus(platform)
        else:
            from bookbag.chassis.outbox_bus import OutboxBus
            from bookbag.chassis.wake import Wake

            sources: dict[str, Database] = {}
            for service in named("all"):
                database = _worker(service.name)
                stack.push_async_callback(database.close)
                sources |= {topic_of(event.DESCRIPTOR.full_name): database for event in service.tells}
            wake = Wake(platform.redis_url.get_secret_value())
            stack.push_async_callback(wake.close)
            bus = OutboxBus(sources, f"operator {os.getpid()}", wake)
        stack.push_async_callback(bus.close)
        yield bus


async def _each_worker(asked: argparse.Namespace, ask: Ask) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in NAMES if asked.service == "all" else (asked.service,):
        database = _worker(name)
        try:
            rows += [{"service": name} | row for row in await ask(database)]
        finally:
            await database.close()
    return rows


def _worker(name: str) -> Database:
    settings = _settings(name)
    if settings.worker_url is None:
        raise Refused(f"Set BOOKBAG_{name.upper()}_WORKER_URL.")
    return Database(settings.worker_url.get_secret_value(), f"operator {os.getpid()}", size=1)


def _settings(name: str) -> ServiceSettings:
    """The settings of one service. Raises Refused: a process of another does not know them."""
    try:
        return load(ServiceSettings, name)
    except ValidationError as error:
        raise Refused(f"{incomplete(error, name)} Where one service's settings are, name it by --service.") from error
