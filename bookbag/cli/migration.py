"""`bookbag migrate`: brings databases and topics up to date. What it lacks it says in one sentence, because in a cluster that is all an
operator sees of it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bookbag.chassis.migrate import migrate as migrate_database
from bookbag.chassis.problems import NoEntry
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform
from bookbag.chassis.waiting import until_there
from bookbag.cli.answers import Answer, Refused
from bookbag.cli.services import settings_of


async def migrate(services: Sequence[Service], started: Callable[[], Platform], *, wait: float) -> Answer:
    """Wait for what is away, for `wait` seconds at most: in a cluster everything starts at the same moment. Raises Refused.

    Every service's settings are read before anything is changed.
    """
    urls = {service.name: _owner(service) for service in services}
    platform = started()
    answers: list[Answer] = []
    asked = refused = ""

    async def done() -> None:
        nonlocal asked, refused
        lines: list[dict[str, Any]] = []
        for service in services:
            asked = f"PostgreSQL of {service.name} does not answer; see that it runs and that BOOKBAG_{service.name.upper()}_OWNER_URL is right"
            changed = await migrate_database(urls[service.name], service.name, service.migrations)
            lines.append({"service": service.name, "changed": changed})
        asked = refused or "Kafka does not answer; see that it runs and that BOOKBAG_KAFKA_URL is right"
        try:
            answers.append(await _answer(platform, services, lines))
        except NoEntry as refusal:
            asked = refused = refusal.sentence.rstrip(".")
            raise

    try:
        async with asyncio.timeout(wait):
            await until_there(done)
    except TimeoutError:
        raise Refused(f"The migration could not end within {wait:g} s: {asked}.") from None
    return answers[0]


def _owner(service: Service) -> str:
    settings = settings_of(service)
    if settings.owner_url is None:
        raise Refused(f"Set BOOKBAG_{service.name.upper()}_OWNER_URL: migrations run as the owner of the tables.")
    return settings.owner_url.get_secret_value()


async def _answer(platform: Platform, services: Sequence[Service], lines: list[dict[str, Any]]) -> Answer:
    said = [f"{row['service']}: {'migrated' if row['changed'] else 'up to date'}" for row in lines]
    if platform.bus == "kafka":
        rows, told = await _make_topics(platform, services)
        return Answer("\n".join([*said, *told]), [*lines, *rows])
    return Answer("\n".join(said), lines)


async def _make_topics(platform: Platform, services: Sequence[Service]) -> tuple[list[dict[str, Any]], list[str]]:
    """Make the topics these services tell and hear. One that differs from our table is told of and left as it is."""
    from bookbag.chassis import topics

    report = await asyncio.to_thread(topics.ensure, platform, topics.topics_of(services))
    rows = [{"topic": name, "changed": True} for name in report.made]
    rows += [{"topic": one.topic, "changed": False, "differs": str(one)} for one in report.drift]
    said = [f"{name}: topic made" for name in report.made]
    return rows, said + [f"{one} (left as it is; whoever runs Kafka changes it)" for one in report.drift]
