"""`bookbag doctor`: looks at everything an installation stands on and says, line by line, what is right, what is wrong and what to do."""

import argparse
import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import ValidationError

from bookbag.chassis import examine
from bookbag.chassis.examine import Finding, Look, ok, wrong
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform, ServiceSettings, load
from bookbag.cli.answers import Answer
from bookbag.cli.services import named


async def doctor(asked: argparse.Namespace) -> Answer:
    """Every finding, in a fixed order. The answer is `wrong` when one of them is."""
    # What a look logs on its way is said again, better, in its finding.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    services = named(asked.service)
    found: list[Finding] = []
    try:
        platform = Platform()  # type: ignore[call-arg]
    except ValidationError as error:
        platform = None
        found += _missing(error, "BOOKBAG_")
    settings: dict[str, ServiceSettings] = {}
    for service in services:
        try:
            settings[service.name] = load(service.settings, service.name)
        except ValidationError as error:
            found += _missing(error, f"BOOKBAG_{service.name.upper()}_")
    if not found:
        found.append(ok("settings", "complete"))
    found += await looked([*_of_platform(platform, services), *_of_services(services, settings)])
    return _answer(found)


async def looked(looks: Sequence[Look]) -> list[Finding]:
    """All at once; where something is wrong, once more: while we load what the first looks need, a machine that is at its limits
    leaves none of them the time in which a sound server answers."""

    async def once_more(look: Look, each: Sequence[Finding]) -> Sequence[Finding]:
        return await look() if any(one.state == "wrong" for one in each) else each

    first = await asyncio.gather(*(look() for look in looks))
    second = await asyncio.gather(*(once_more(look, each) for look, each in zip(looks, first, strict=True)))
    return [one for each in second for one in each]


def _of_platform(platform: Platform | None, services: Sequence[Service]) -> list[Look]:
    if platform is None:
        return []
    names = [service.name for service in services]
    looks: list[Look] = [
        _in_thread(partial(examine.keys, platform, names)),
        partial(examine.redis, platform),
        partial(examine.kafka, platform, services),
        partial(examine.object_store, platform),
        partial(examine.mail, platform),
        partial(examine.public_address, platform),
    ]
    looks += [partial(examine.peer, name, target) for name, target in sorted(platform.peers.items())]
    return [*looks, *(_in_thread(partial(examine.room, folder)) for folder in _folders(platform))]


def _in_thread(look: Callable[[], Sequence[Finding]]) -> Look:
    async def looked() -> Sequence[Finding]:
        return await asyncio.to_thread(look)

    return looked


def _folders(platform: Platform) -> list[Path]:
    """Where this machine keeps data."""
    folders = [] if platform.data is None else [platform.data]
    store = urlsplit(platform.object_store)
    if store.scheme == "file" and (platform.data is None or platform.data not in Path(unquote(store.path)).parents):
        folders.append(Path(unquote(store.path)))
    return folders


def _of_services(services: Sequence[Service], settings: dict[str, ServiceSettings]) -> list[Look]:
    looks: list[Look] = []
    for service in services:
        one = settings.get(service.name)
        if one is None:
            continue
        for role, url in (
            ("owner", one.owner_url), ("app", one.app_url), ("worker", one.worker_url), ("reader", one.reader_url),
            ("backup", one.backup_url),
        ):  # fmt: skip
            if url is not None:
                what, variable = (
                    f"postgresql {service.name} {role}",
                    f"BOOKBAG_{service.name.upper()}_{role.upper()}_URL",
                )
                look = partial(examine.postgres_role, what, url.get_secret_value(), variable, sees_all=role == "backup")
                looks.append(look)
        looks.append(partial(examine.migrations, service, one))
    return looks


def _missing(error: ValidationError, prefix: str) -> list[Finding]:
    """One finding for each setting that is missing or cannot be read; never its value."""
    found: list[Finding] = []
    for one in error.errors(include_input=False, include_url=False):
        variable = prefix + str(one["loc"][0]).upper() if one["loc"] else f"{prefix}…"
        said = "is missing" if one["type"] == "missing" else "cannot be read as it is"
        found.append(wrong(f"setting {variable}", said, f"Set {variable}; docs/settings.md says what it is."))
    return found


def _answer(found: Sequence[Finding]) -> Answer:
    bad = [one for one in found if one.state == "wrong"]
    width = max(len(one.what) for one in found)
    lines: list[str] = []
    for one in found:
        mark = {"ok": "ok   ", "wrong": "WRONG", "unknown": "?    "}[one.state]
        lines.append(f"{mark}  {one.what.ljust(width)}  {one.found}")
        if one.do:
            lines.append(f"{' ' * 7}{' ' * width}  → {one.do}")
    count = f"{len(bad)} thing{'s' * (len(bad) != 1)} to put right" if bad else "nothing wrong"
    told = [*lines, "", f"{len(found)} looked at: {count}."]
    return Answer("\n".join(told), [asdict(one) for one in found], wrong=bool(bad))
