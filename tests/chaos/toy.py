"""A toy service over the outbox bus, for mutants of the relay and the consumer: its handler writes down what it took effect of, in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis.hearing import EventCall
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.relay import Relay
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.chaos.history import Kept, Told
from tests.support.house import House, eventually

TOPIC = "google.protobuf"
TABLE = (
    "create table effect (school_id uuid, key uuid, message bigint, at bigint generated always as identity);"
    " grant select, insert on effect to bookbag_toy_app, bookbag_toy_worker"
)
CHANNEL = "effect"


class Killed(BaseException):
    """The process dies here."""


async def _take(call: EventCall, event: Int64Value) -> None:
    """Take effect, but for the one value on which the process dies once and the one at which the handler fails once."""
    for trouble, error in (("kill_at", Killed), ("fail_at", ConnectionResetError)):
        if call.runtime.state.get(trouble) == event.value:
            call.runtime.state[trouble] = None
            raise error
    async with call.effect() as tx:
        await tx.execute(
            "insert into effect (school_id, key, message) values ($1, $2, $3)", tx.school, call.record.key, event.value
        )


TOY = Service(
    name="toy",
    settings=ServiceSettings,
    migrations=(("chassis", CHASSIS),),
    tells=[Int64Value],
    hears={Int64Value: _take},
)


@asynccontextmanager
async def toy(house: House) -> AsyncGenerator[Runtime]:
    """The toy with nothing running."""
    async with house.runtime(TOY) as runtime:
        await house.owner("toy", TABLE)
        yield runtime


def bus_of(runtime: Runtime, holder: str) -> OutboxBus:
    return OutboxBus({TOPIC: runtime.across_schools}, holder, runtime.wake)


def relay_of(runtime: Runtime, kind: type[Relay] = Relay, holder: str = "one") -> Relay:
    return kind("toy", runtime.across_schools, bus_of(runtime, holder), runtime.wake, holder, tells=[Int64Value])


async def tell(runtime: Runtime, school: UUID, key: UUID, value: int, *, held: float = 0) -> None:
    """Tell a number; with `held` the transaction stays open so many seconds after."""
    async with runtime.database.tenant(school) as tx:
        await tx.tell(Int64Value(value=value), key=key)
        if held:
            await tx.execute("select pg_sleep($1)", held)
    runtime.signal("outbox")


async def told(runtime: Runtime) -> list[Told]:
    """What took effect, numbered in the order in which it did."""
    rows = await runtime.across_schools.fetch("select message, at from effect")
    return [Told("reader", CHANNEL, str(row["message"]), row["at"]) for row in rows]


def readers(kept: list[Kept]) -> dict[str, set[str]]:
    return {one.thread: {"reader"} for one in kept}


async def settled(runtime: Runtime, wanted: int) -> None:
    """Wait until everything has taken effect, or until nothing has changed for two seconds of looking."""
    seen: list[int] = []

    async def still() -> bool:
        seen.append(len(await told(runtime)))
        return seen[-1] == wanted or (len(seen) > 100 and len(set(seen[-100:])) == 1)

    await eventually(still, seconds=40)


@asynccontextmanager
async def running(*loops: object) -> AsyncGenerator[None]:
    """Relays and consumers, until the block ends."""
    tasks = [asyncio.create_task(loop.run()) for loop in loops]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
