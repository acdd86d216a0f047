"""What each command does, apart from `up`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bookbag.chassis import faults, telemetry, tracing
from bookbag.chassis.bus import TopicMissing
from bookbag.chassis.problems import DependencyAway, NoEntry, Problem
from bookbag.chassis.settings import Listening, Platform
from bookbag.cli import events
from bookbag.cli.answers import Answer, Refused, incomplete, table
from bookbag.cli.audit import audit
from bookbag.cli.backup import backup, restore
from bookbag.cli.doctor import doctor
from bookbag.cli.school_policy import school_policy
from bookbag.cli.services import WEB, named, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bookbag.chassis.runtime import Runtime


def run(asked: argparse.Namespace) -> Answer | None:
    """Run the command. Raises Refused."""
    command: Callable[[argparse.Namespace], Awaitable[Answer | None]] = {
        "serve": _serve,
        "routes": _routes,
        "work": _work,
        "migrate": _migrate,
        "demo": _seed,
        "schools": _create_school,
        "prepare": _prepare,
        "deadletters": events.dead_letters,
        "outbox": events.outbox,
        "consumers": events.consumers,
        "feed": events.feed,
        "doctor": doctor,
        "audit": audit,
        "backup": backup,
        "restore": restore,
        "policy": school_policy,
    }[asked.command]
    try:
        return _loop(command(asked))
    except ValidationError as error:
        raise Refused(incomplete(error)) from error
    except TopicMissing as lacking:
        raise Refused(f"Kafka has no topic {lacking.topic}; `bookbag migrate` makes it.") from lacking
    except NoEntry as refusal:
        raise Refused(refusal.sentence) from refusal
    except DependencyAway as away:
        raise Refused(f"{away.name} does not answer; see that it runs and that its address is right.") from away
    except Problem as problem:
        raise Refused(f"{problem.kind.title} {problem.detail}".strip()) from problem
    finally:
        tracing.close()


def _loop(work: Awaitable[Answer | None]) -> Answer | None:
    if sys.platform != "win32":
        import uvloop

        return uvloop.run(work)  # type: ignore[arg-type]
    return asyncio.run(work)  # type: ignore[arg-type]


def _started(asked: argparse.Namespace) -> Platform:
    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up(asked.command, platform)
    faults.switch_on(platform.faults)
    return platform


async def _serve(asked: argparse.Namespace) -> None:
    from bookbag.chassis.process import serve, serve_pages

    if asked.service == WEB:
        settings = Listening()  # type: ignore[call-arg]
        telemetry.set_up(asked.command, settings)
        await serve_pages(lambda: named("all"), settings, _pages(settings))
        return
    platform, services = _started(asked), named(asked.service)
    for service in services:
        settings_of(service)
    await serve(services, platform, extra=lambda _: _extra_routes(platform))


def _extra_routes(platform: Platform) -> list[Any]:
    """The embedded run has one API process, so it serves the files on disk and the pages too; elsewhere `serve web` does."""
    if platform.environment != "embedded":
        return []
    from bookbag.chassis.objects_route import object_routes

    return [*object_routes(platform), *_pages(platform)]


def _pages(settings: Listening) -> list[Any]:
    """The web client and, for a demo, the mails it would have sent."""
    from bookbag.chassis.web_client import web_routes

    routes: list[Any] = []
    if settings.is_demo and settings.data is not None:
        from bookbag.local.outbox_page import outbox_routes

        routes += outbox_routes(settings.data / "outbox", settings.public_url)
    return [*routes, *web_routes(settings.web)]


async def _routes(_: argparse.Namespace) -> Answer:
    from bookbag.chassis.edge import doors_of, headers, refusals

    doors = [doors_of(service) for service in named("all")]
    lines = [{"prefix": door.prefix, "service": door.service, "largest_body": door.largest_body,
              "streams": " ".join(door.streams)} for door in doors]  # fmt: skip
    told = {"doors": [asdict(door) for door in doors], "refusals": refusals(), "headers": headers()}
    return Answer(table(lines), [told])


async def _work(asked: argparse.Namespace) -> None:
    from bookbag.chassis.process import work

    platform, services = _started(asked), named(asked.service)
    for service in services:
        if settings_of(service).worker_url is None:
            raise Refused(f"Set BOOKBAG_{service.name.upper()}_WORKER_URL: a worker needs it.")
    # With Kafka a worker has nothing to do with the other services, whose code costs memory.
    others = named("all") if platform.bus == "outbox" else ()
    await work(services, platform, everywhere={service.name: service for service in others})


async def _migrate(asked: argparse.Namespace) -> Answer:
    from bookbag.cli.migration import migrate

    return await migrate(named(asked.service), lambda: _started(asked), wait=asked.wait)


@asynccontextmanager
async def _identity(asked: argparse.Namespace) -> "AsyncGenerator[Runtime]":
    from bookbag.chassis.process import alone

    async with alone(named("identity")[0], _started(asked)) as runtime:
        yield runtime


async def _seed(asked: argparse.Namespace) -> Answer:
    from services.identity.demo import seed

    async with _identity(asked) as runtime:
        if not runtime.platform.is_demo:
            raise Refused("The demo school belongs into a data folder that was made as a demo.")
        await seed(runtime)
    return Answer("the demo school is there", [])


async def _create_school(asked: argparse.Namespace) -> Answer:
    from bookbag.cli.schools import create_school

    return await create_school(asked, _started(asked))


async def _prepare(asked: argparse.Namespace) -> Answer:
    from bookbag.cli.prepare import prepare

    return await asyncio.to_thread(prepare, asked)
