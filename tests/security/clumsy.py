"""A service that fails in every way a service can, each time with people's words in the error: `python -m tests.security.clumsy serve`."""

# ruff: noqa: N802 - the protocol names the methods

import asyncio
import logging
import sys
import threading
import warnings
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Request
from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis import telemetry, tracing
from bookbag.chassis.consumer import EventCall
from bookbag.chassis.http import Body, Text, runtime_of
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.process import serve, work
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Callers, Job, Rpc, Service
from bookbag.chassis.settings import Platform, ServiceSettings
from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceServicer, add_ContentOwnerServiceServicer_to_server

WORDS = "QuizzicalOcelot lives at 5 Fern Lane, ann.parent@people.example, 07700 900123"
SCHOOL = UUID("00000001-0000-7000-8000-000000000001")

router = APIRouter(prefix="/v1")
log = structlog.get_logger()


class Clumsy(Exception):
    """Says too much."""


class Said(Body):
    text: Text


@router.get("/fails/{name}")
async def fails(name: str) -> None:
    try:
        raise KeyError(WORDS)
    except KeyError as error:
        raise Clumsy(f"{name}: {WORDS}") from error


@router.post("/says")
async def says(said: Said) -> None:
    """Only to be refused."""


@router.get("/sql/{way}")
async def sql(request: Request, way: int) -> None:
    statement, *arguments = [
        ("select $1::uuid", WORDS),
        ("select ($1::text)::uuid", WORDS),
        ("select set_config('bookbag.school', $1, true), 1 from outbox", WORDS),
        (f"select '{WORDS}'::timestamptz",),
        ("insert into limit_counter (name, key, starts_at, taken) select $1, '', now(), 1 from generate_series(1, 2)", WORDS),
    ][way]  # fmt: skip
    async with runtime_of(request).database.tenant(SCHOOL) as tx:
        await tx.execute(statement, *arguments)


@router.get("/loses")
async def loses() -> None:
    """Failures that nobody waits for: of a task, a thread, a finalizer; and what libraries say."""

    async def lost() -> None:
        raise Clumsy(WORDS)

    def thread() -> None:
        raise Clumsy(WORDS)

    class Careless:
        def __del__(self) -> None:
            raise Clumsy(WORDS)

    task = asyncio.ensure_future(lost())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    threading.Thread(target=thread).start()
    Careless()
    warnings.warn(WORDS, stacklevel=1)
    library = logging.getLogger("some.library")
    library.error(f"cannot read {WORDS}")
    library.warning("cannot read %s", WORDS)
    try:
        raise Clumsy(WORDS)
    except Clumsy:
        library.exception("cannot read")
    log.error("said too much", text=WORDS, name=WORDS, exc_info=Clumsy(WORDS))


@router.get("/tells")
async def tells(request: Request) -> None:
    async with runtime_of(request).database.tenant(SCHOOL) as tx:
        await tx.tell(Int64Value(value=1), key=uuid4())
    runtime_of(request).signal("outbox")


async def hear(call: EventCall, event: Int64Value) -> None:
    async with call.effect():
        raise Clumsy(WORDS)


async def job(runtime: Runtime) -> None:
    raise Clumsy(WORDS)


async def end_when_a_letter_is_dead(runtime: Runtime) -> None:
    with runtime.wake.sleeper("clumsy") as sleeper:
        while not await runtime.across_schools.fetchval("select count(*) from dead_letter"):
            await sleeper.wait(0.2)
    raise Clumsy(WORDS)


class Owner(ContentOwnerServiceServicer):
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def CanRead(self, request: pb.CanReadRequest, context: object) -> pb.CanReadResponse:
        raise Clumsy(f"{request.person_id} {WORDS}")


CLUMSY = Service(
    name="toy",
    settings=ServiceSettings,
    migrations=(("chassis", CHASSIS),),
    routes=router,
    rpcs=[Rpc("bookbag.content.v1.ContentOwnerService", add_ContentOwnerServiceServicer_to_server, Owner,
              {name: Callers(user=True) for name in ("CanRead", "ListReaders", "Fetch", "StoreTranslation", "Export", "Erase")})],
    tells=[Int64Value],
    hears={Int64Value: hear},
    jobs=[Job("clumsy", timedelta(seconds=1), job, alone=False)],
    loops={"clumsy": end_when_a_letter_is_dead},
)  # fmt: skip


def main(kind: str) -> None:
    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up(kind, platform)
    try:
        if kind == "serve":
            asyncio.run(serve([CLUMSY], platform))
        else:
            asyncio.run(work([CLUMSY], platform, everywhere={"toy": CLUMSY}))
    finally:
        tracing.close()
    if kind == "serve":
        raise Clumsy(WORDS)


if __name__ == "__main__":
    main(sys.argv[1])
