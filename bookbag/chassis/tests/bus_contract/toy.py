"""A toy service whose handler writes down what it took effect of, and worker processes that run it.

`python -m bookbag.chassis.tests.bus_contract.toy NAME` is one worker process, exactly what `bookbag work` runs for a real service. The
handler of the one that is called `hangs` never ends.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from google.protobuf.wrappers_pb2 import Int64Value

from bookbag.chassis import telemetry
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.process import work
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform, ServiceSettings

TOPIC = "google.protobuf"

TABLE = """
    create table if not exists effect (
      school_id uuid, event_id uuid, key uuid, value bigint, worker text, at bigint generated always as identity
    );
    grant select, insert on effect to bookbag_toy_app, bookbag_toy_worker
"""


@dataclass
class Heard:
    """What a handler took effect of, and how it is told to misbehave."""

    trouble: Callable[[EventCall, Int64Value], Awaitable[None]] | None = None
    calls: list[int] = field(default_factory=list)
    worker: str = "here"

    async def take(self, call: EventCall, event: Int64Value) -> None:
        self.calls.append(event.value)
        if self.trouble is not None:
            await self.trouble(call, event)
        async with call.effect() as tx:
            await tx.execute(
                "insert into effect (school_id, event_id, key, value, worker) values ($1, $2, $3, $4, $5)",
                tx.school, call.record.event_id, call.record.key, event.value, self.worker,
            )  # fmt: skip


def toy(heard: Heard) -> Service:
    return Service(
        name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),), tells=[Int64Value],
        hears={Int64Value: heard.take},
    )  # fmt: skip


async def hang(_call: EventCall, _event: Int64Value) -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    service = toy(Heard(hang if sys.argv[1] == "hangs" else None, worker=sys.argv[1]))
    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up("work", platform)
    asyncio.run(work([service], platform, everywhere={"toy": service}))
