"""`bookbag backup` and `bookbag restore`: what an installation must give them, and what they say when they are done."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bookbag import __version__
from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.arriving import let_in
from bookbag.chassis.backup.depot import Depot, depot_of
from bookbag.chassis.backup.manifest import NAME, Manifest, read_manifest
from bookbag.chassis.backup.restoring import Target, give_back
from bookbag.chassis.backup.taking import Source, take
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.objects import ObjectStore, opened
from bookbag.chassis.settings import Platform, ServiceSettings, load
from bookbag.cli.answers import Answer, Refused, table
from bookbag.cli.services import named

if TYPE_CHECKING:
    from bookbag.chassis.service import Service

_SCHOOLS: Mapping[str, str] = {"identity": "select school_id, code from school_code"}
"""Which service lists all schools, and how it is asked."""


async def backup(asked: argparse.Namespace) -> Answer:
    """Take a backup into a folder of its own at that place, named by the time, and by the school if it is of one. Raises Refused."""
    platform = Platform()  # type: ignore[call-arg]
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ") + (f"-{asked.school}" if asked.school else "")
    try:
        depot = depot_of(asked.to, _keys(platform)).at(stamp)
        async with _store(platform) as objects:
            sources = [_source(service) for service in named("all")]
            manifest = await take(
                sources, objects, depot, version=__version__, demo=platform.is_demo, code=asked.school
            )
    except BackupRefused as refused:
        raise Refused(str(refused)) from refused
    told = [table(_lines(manifest)), "", f"{_counted(manifest)} are in {depot.said}."]
    return Answer("\n".join(told), [_row(depot, manifest)])


async def restore(asked: argparse.Namespace) -> Answer:
    """Give a backup back. Raises Refused."""
    platform = Platform()  # type: ignore[call-arg]
    services = named("all")
    try:
        depot = depot_of(asked.place, _keys(platform))
        manifest = await manifest_of(depot)
        targets = [_target(service) for service in services]
        if manifest.school is not None:
            _refuse_open_doors(platform, manifest)
            async with _store(platform) as objects:
                await let_in(manifest, targets, objects, depot, again=asked.again)
        else:
            if asked.again:
                raise Refused("--again is for the backup of one school; this one holds the whole installation.")
            await _refuse_a_used_bus(platform, services)
            async with _store(platform) as objects:
                await give_back(manifest, targets, objects, depot)
    except BackupRefused as refused:
        raise Refused(str(refused)) from refused
    told = [
        table(_lines(manifest)),
        "",
        f"{_counted(manifest)} were given back and are as they were put down.",
        f"What was done after {manifest.begun_at:%Y-%m-%d %H:%M:%S} UTC may be missing; docs/operate.md says what to do about it.",
        "Everybody signs in anew."
        if manifest.school is None
        else f"{manifest.school.code} is open; its people sign in.",
    ]
    return Answer("\n".join(told), [_row(depot, manifest)])


async def manifest_of(depot: Depot) -> Manifest:
    """What a finished backup says of itself. Raises BackupRefused."""
    try:
        text = b"".join([piece async for piece in depot.reading(NAME)])
    except FileNotFoundError:
        kept = [name for name in await depot.inside() if await depot.at(name).has(NAME)]
        if kept:
            raise BackupRefused(
                f"{depot.said} holds {len(kept)} backup{'s' * (len(kept) != 1)}: name one of them, such as the newest,"
                f" {depot.at(kept[-1]).said}."
            ) from None
        raise BackupRefused(f"There is no finished backup in {depot.said}.") from None
    return read_manifest(text, depot.said)


def _row(depot: Depot, manifest: Manifest) -> dict[str, Any]:
    return {"place": depot.said, **manifest.model_dump(mode="json", exclude_none=True)}


def _refuse_open_doors(platform: Platform, manifest: Manifest) -> None:
    if platform.is_demo and not manifest.demo:
        raise Refused("This is a demo, whose visitors may sign in as anybody: no place for a school's people.")


def _keys(platform: Platform) -> tuple[str, str] | None:
    for access, secret in (
        (platform.backup_access_key, platform.backup_secret_key),
        (platform.object_store_access_key, platform.object_store_secret_key),
    ):
        if access is not None and secret is not None:
            return access.get_secret_value(), secret.get_secret_value()
    return None


@asynccontextmanager
async def _store(platform: Platform) -> AsyncGenerator[ObjectStore]:
    if not platform.object_store:
        raise Refused("Set BOOKBAG_OBJECT_STORE: the files are a part of what is put down and given back.")
    objects = opened(platform, SystemClock())
    try:
        yield objects
    finally:
        await objects.close()


def _url(service: str, role: str) -> str:
    url: SecretStr | None = getattr(load(ServiceSettings, service), f"{role}_url")
    if url is None:
        raise Refused(
            f"Set BOOKBAG_{service.upper()}_{role.upper()}_URL: every service is put down and given back, or none."
        )
    return url.get_secret_value()


def _source(service: "Service") -> Source:
    histories = [history for history, _ in service.migrations]
    return Source(service.name, _url(service.name, "backup"), histories, _SCHOOLS.get(service.name), service.shared)


def _target(service: "Service") -> Target:
    return Target(service, _url(service.name, "owner"), _SCHOOLS.get(service.name))


async def _refuse_a_used_bus(platform: Platform, services: "Sequence[Service]") -> None:
    if platform.bus != "kafka":
        return
    from bookbag.chassis import topics  # Kafka's client is large: only who has a Kafka pays for it

    used = await asyncio.to_thread(topics.holding, platform, topics.topics_of(services))
    if used is not None:
        raise Refused(
            f"Kafka's topic {used} holds events of another installation: set BOOKBAG_KAFKA_PREFIX to one that is new."
        )


def _lines(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "service": name,
            "as it was at": f"{taken.at:%Y-%m-%d %H:%M:%S} UTC",
            "tables": len(taken.tables),
            "rows": sum(one.rows for one in taken.tables.values()),
        }
        for name, taken in manifest.services.items()
    ]


def _counted(manifest: Manifest) -> str:
    files = manifest.objects.rows
    return f"{manifest.rows:,} rows and {files:,} file{'s' * (files != 1)} ({manifest.object_bytes:,} bytes)"
