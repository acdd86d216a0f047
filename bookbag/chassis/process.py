"""Runs services: the HTTP and gRPC servers of an API process, or the relay, consumer, jobs and loops of a worker process.

One process may run several services (the embedded run) or one (everywhere else); the code is the same. A process stops in order:
it says that it is going, lets requests and records at hand end, hands its leases back, and only then closes its connections.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bookbag.chassis import buses
from bookbag.chassis import runtime as runtimes
from bookbag.chassis.audit.anchors import ANCHOR
from bookbag.chassis.clock import Clock, new_id
from bookbag.chassis.consumer import Consumer
from bookbag.chassis.http import SafeHeaders, described_app, merged_openapi, problem_response, service_app
from bookbag.chassis.jobs import Jobs
from bookbag.chassis.migrate import ready as migrations_ready
from bookbag.chassis.problems import METHOD_NOT_ALLOWED, NOT_FOUND, DependencyAway, Problem
from bookbag.chassis.purge import PURGE
from bookbag.chassis.relay import Relay
from bookbag.chassis.rpc import RpcServer
from bookbag.chassis.samples import SAMPLE
from bookbag.chassis.settings import Listening, Platform
from bookbag.chassis.waiting import until_there
from bookbag.chassis.wake import Wake
from bookbag.chassis.watchdog import Stuck, Watchdog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bookbag.chassis.bus import Bus
    from bookbag.chassis.runtime import Runtime
    from bookbag.chassis.service import Service

log = structlog.get_logger()

_TELLING = "what is missing"

DRAIN_SECONDS = 0.5
"""How long a process that was told to stop still answers everybody, while those who watch its health turn elsewhere."""


def holder_name() -> str:
    """A name for this process that no other process, now or before, has: leases are held under it."""
    return f"{socket.gethostname()}-{os.getpid()}-{new_id().hex[-8:]}"


def _server(app: ASGIApp, host: str, port: int, *, trusted: str = "") -> uvicorn.Server:
    """`trusted` names the gateways whose word on the client's address is taken."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=3, timeout_keep_alive=30, h11_max_incomplete_event_size=32 * 1024, ws="none",
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted, backlog=2048,
    )  # fmt: skip
    return uvicorn.Server(config)


async def _run(server: uvicorn.Server) -> None:
    """Serve without uvicorn's signal handling: the process stops its parts in order itself."""
    await server._serve()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - `serve` is this plus the handlers


def _settle_memory() -> None:
    """What start-up made lives as long as the process: the collector need not look at it again, nor look as often. Measured: a
    fifteenth of the time of a request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    await event.wait()


def admin_app(ready: Callable[[], Awaitable[None]]) -> Starlette:
    """Health and metrics, on a port that is never public. Liveness asks no dependency; readiness asks them all."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def readiness(_: Request) -> Response:
        try:
            await ready()
        except DependencyAway as away:
            return JSONResponse({"ready": False, "waiting_for": away.name}, 503)
        return JSONResponse({"ready": True})

    async def figures(_: Request) -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", readiness), Route("/metrics", figures)])


def api_app(built: Sequence[Runtime], extra: Sequence[BaseRoute], ready: Callable[[], Awaitable[None]]) -> ASGIApp:
    """The HTTP face of an API process: each service under its prefix, the merged OpenAPI document, health, then `extra`."""
    apps = {runtime.name: service_app(runtime) for runtime in built}
    mounts = [Mount(f"/{name}", app) for name, app in apps.items()]
    return _front(mounts, lambda: merged_openapi(apps), extra, ready)


def page_app(
    services: Callable[[], Sequence[Service]], extra: Sequence[BaseRoute], ready: Callable[[], Awaitable[None]]
) -> ASGIApp:
    """The HTTP face of a process that only serves pages, beside the services: the same but for their prefixes.

    `services` is called when somebody first asks for the document: until then the manifests need not be loaded.
    """
    return _front([], lambda: merged_openapi({each.name: described_app(each) for each in services()}), extra, ready)


def _front(
    mounts: Sequence[BaseRoute],
    describe: Callable[[], dict[str, Any]],
    extra: Sequence[BaseRoute],
    ready: Callable[[], Awaitable[None]],
) -> ASGIApp:
    described = cache(describe)

    async def document(_: Request) -> Response:
        return JSONResponse(described())

    async def refused(_: Request, error: Exception) -> Response:
        method_wrong = isinstance(error, HTTPException) and error.status_code == 405
        return problem_response(Problem(METHOD_NOT_ALLOWED if method_wrong else NOT_FOUND))

    routes = [*mounts, Route("/openapi.json", document), *admin_app(ready).routes[:2], *extra]
    app = Starlette(routes=routes, exception_handlers={HTTPException: refused})
    app.router.redirect_slashes = False
    return SafeHeaders(app)


class _Parts:
    """The runtimes of a process, started and stopped together."""

    def __init__(self, services: Sequence[Service], platform: Platform, *, working: bool, clock: Clock | None) -> None:
        self.platform = platform
        self.leaving = False
        self._migrated: set[str] = set()
        self.wake = Wake(platform.redis_url.get_secret_value(), *_channels(services))
        self.runtimes = [
            runtimes.build(service, platform, self.wake, clock=clock, working=working) for service in services
        ]

    async def __aenter__(self) -> _Parts:
        await self.wake.start()
        for runtime in self.runtimes:
            if runtime.service.start is not None:
                await runtime.service.start(runtime)
        return self

    async def __aexit__(self, *_: object) -> None:
        for runtime in reversed(self.runtimes):
            if runtime.service.stop is not None:
                await runtime.service.stop(runtime)
            await runtime.close()
        await self.wake.close()

    async def ready(self) -> None:
        """Raise DependencyAway unless each service has all that its manifest says it cannot do without."""
        if self.leaving:
            raise DependencyAway("nothing, it stops")
        for runtime in self.runtimes:
            await self._whole(runtime)

    async def stands(self, runtime: Runtime) -> None:
        """Raise DependencyAway unless the database of a service answers and is as new as this code."""
        if runtime.name in self._migrated:
            await runtime.database.ready()
        else:
            await migrations_ready(runtime.database, runtime.service.migrations)
            self._migrated.add(runtime.name)
        if runtime.worker is not None:
            await runtime.worker.ready()

    async def wait(self) -> None:
        """Wait until every database stands."""
        async with asyncio.TaskGroup() as group:
            for runtime in self.runtimes:
                group.create_task(until_there(partial(self.stands, runtime), service=runtime.name))

    async def tell(self, *others: Callable[[], Awaitable[None]]) -> None:
        """Say what is missing at the start, each thing once, and when it is there: what is needed and what is only missed."""
        async with asyncio.TaskGroup() as group:
            for ask in (self.wake.redis_ready, *others):
                group.create_task(until_there(ask))
            for runtime in self.runtimes:
                group.create_task(until_there(partial(self._whole, runtime), service=runtime.name))

    async def _whole(self, runtime: Runtime) -> None:
        await self.stands(runtime)
        for need in runtime.service.needs:
            await need(runtime)


def _channels(services: Sequence[Service]) -> list[str]:
    return [*(service.name for service in services), "bus", "live"]


async def serve(
    services: Sequence[Service],
    platform: Platform,
    *,
    extra: Callable[[Sequence[Runtime]], Sequence[BaseRoute]] = lambda _: (),
    clock: Clock | None = None,
    until: Callable[[], Awaitable[Any]] = _stopped,
) -> None:
    """Serve HTTP, gRPC and the admin port until told to stop."""
    async with _Parts(services, platform, working=False, clock=clock) as parts:
        rpc = RpcServer(parts.runtimes, platform.grpc_host, platform.grpc_port)
        await rpc.start()
        http = _server(
            api_app(parts.runtimes, extra(parts.runtimes), parts.ready), platform.http_host, platform.http_port,
            trusted=platform.trusted_proxies,
        )  # fmt: skip
        admin = _server(admin_app(parts.ready), platform.http_host, platform.admin_port)
        running = [asyncio.create_task(_run(http)), asyncio.create_task(_run(admin))]
        telling = asyncio.create_task(parts.tell(), name=_TELLING)
        _settle_memory()
        stopping = asyncio.ensure_future(until())
        await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        parts.leaving = True
        await rpc.drain()
        await asyncio.wait(running, timeout=DRAIN_SECONDS)
        http.should_exit = admin.should_exit = True
        parts.wake.say_stopping()
        await asyncio.gather(*running, rpc.stop())
        await asyncio.gather(telling, return_exceptions=True)


async def serve_pages(
    services: Callable[[], Sequence[Service]],
    settings: Listening,
    extra: Sequence[BaseRoute],
    *,
    until: Callable[[], Awaitable[Any]] = _stopped,
) -> None:
    """Serve what needs no database, no Redis and no key, until told to stop."""

    async def ready() -> None:
        """It waits for nobody."""

    http = _server(page_app(services, extra, ready), settings.http_host, settings.http_port)
    admin = _server(admin_app(ready), settings.http_host, settings.admin_port)
    running = [asyncio.create_task(_run(http)), asyncio.create_task(_run(admin))]
    await asyncio.wait([*running, asyncio.ensure_future(until())], return_when=asyncio.FIRST_COMPLETED)
    http.should_exit = admin.should_exit = True
    await asyncio.gather(*running)


async def work(
    services: Sequence[Service],
    platform: Platform,
    *,
    everywhere: Mapping[str, Service],
    clock: Clock | None = None,
    until: Callable[[], Awaitable[Any]] = _stopped,
) -> None:
    """Run relay, consumer, jobs and loops of the services until told to stop.

    `everywhere` names all services of the installation, for the bus that consists of their outboxes (see `buses.choose`).
    """
    holder = holder_name()
    async with _Parts(services, platform, working=True, clock=clock) as parts:
        own = {runtime.name: runtime for runtime in parts.runtimes}
        bus, borrowed = buses.choose(platform, parts.wake, own, everywhere, holder)

        async def ready() -> None:
            await parts.ready()
            await bus.ready()

        admin = _server(admin_app(ready), platform.http_host, platform.admin_port)
        answering = asyncio.create_task(_run(admin), name="admin")
        stopping = asyncio.ensure_future(until())
        waiting = asyncio.create_task(parts.wait(), name="databases")
        await asyncio.wait([waiting, answering, stopping], return_when=asyncio.FIRST_COMPLETED)
        tasks = [answering]
        if waiting.done() and not stopping.done():
            tasks += [asyncio.create_task(parts.tell(bus.ready), name=_TELLING), *_parts_of_work(parts, bus, holder)]
        await _first_end(tasks, stopping)
        tasks.append(waiting)
        failed = [task for task in tasks if task.done() and not task.cancelled() and task.exception() is not None]
        for task in failed:
            log.error("worker part ended", worker=task.get_name(), exc_info=task.exception())
        if any(isinstance(task.exception(), Stuck) for task in failed):
            # What hangs may hang the end in order too. The leases run out, and whoever supervises starts another process.
            os._exit(1)
        admin.should_exit = True
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
        for runtime in borrowed:
            await runtime.close()
        if failed:
            raise SystemExit(1)


async def _first_end(tasks: Sequence[asyncio.Task[None]], stopping: asyncio.Future[Any]) -> None:
    """Wait until we are told to stop, or a part ends that should not; telling what is missing may end."""
    await asyncio.wait(
        [*(task for task in tasks if task.get_name() != _TELLING), stopping], return_when=asyncio.FIRST_COMPLETED
    )


def _parts_of_work(parts: _Parts, bus: Bus, holder: str) -> list[asyncio.Task[None]]:
    tasks: list[asyncio.Task[None]] = []
    for runtime in parts.runtimes:
        service = runtime.service
        runtime.state["holder"] = holder
        runtime.state["bus"] = bus
        if service.tells:
            relay = Relay(runtime.name, runtime.across_schools, bus, parts.wake, holder, tells=service.tells)
            tasks.append(asyncio.create_task(relay.run(), name=f"{runtime.name} relay"))
        if service.hears:
            consumer = Consumer(runtime, bus)
            tasks.append(asyncio.create_task(consumer.run(), name=f"{runtime.name} consumer"))
            watchdog = Watchdog(runtime.name, consumer, bus, consumer.topics, after=parts.platform.stuck_after_seconds)
            tasks.append(asyncio.create_task(watchdog.run(), name=f"{runtime.name} watchdog"))
        jobs = Jobs(runtime, [*service.jobs, PURGE, SAMPLE, ANCHOR], holder)
        tasks.append(asyncio.create_task(jobs.run(), name=f"{runtime.name} jobs"))
        for name, loop in service.loops.items():
            tasks.append(asyncio.create_task(loop(runtime), name=f"{runtime.name} {name}"))  # type: ignore[arg-type]
    return tasks


@asynccontextmanager
async def alone(service: Service, platform: Platform, *, clock: Clock | None = None) -> AsyncGenerator[Runtime]:
    """One service's runtime without servers, for commands and tests; with the worker's database where it is configured."""
    working = os.environ.get(f"BOOKBAG_{service.name.upper()}_WORKER_URL") is not None
    async with _Parts([service], platform, working=working, clock=clock) as parts:
        yield parts.runtimes[0]
