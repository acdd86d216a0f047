"""A service of two methods for tests of calls between processes: one is harmless to repeat, the other notes each call in a file.

`python -m tests.support.toy FILE` serves it the way every service is served; see `ToyPeer` for what its methods do.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto, MethodOptions
from google.protobuf.descriptor_pool import Default
from google.protobuf.wrappers_pb2 import StringValue

from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Callers, Rpc, Service
from bookbag.chassis.settings import Platform, ServiceSettings

NAME = "bookbag.toy.v1.ToyService"
LEVELS = {"Look": MethodOptions.NO_SIDE_EFFECTS, "Note": MethodOptions.IDEMPOTENCY_UNKNOWN}
NOTES = "TOY_NOTES"


def _declare() -> None:
    file = FileDescriptorProto(name="bookbag/toy/v1/service.proto", package="bookbag.toy.v1", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    text = ".google.protobuf.StringValue"
    methods = [
        MethodDescriptorProto(
            name=name, input_type=text, output_type=text, options=MethodOptions(idempotency_level=level)
        )
        for name, level in LEVELS.items()
    ]
    file.service.add(name="ToyService", method=methods)
    Default().AddSerializedFile(file.SerializeToString())


_declare()


class ToyStub:
    """As protoc would generate it."""

    def __init__(self, channel: Any) -> None:
        kinds = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        self.Look = channel.unary_unary(f"/{NAME}/Look", **kinds)
        self.Note = channel.unary_unary(f"/{NAME}/Note", **kinds)


def add_to_server(servicer: Any, server: grpc.aio.Server) -> None:
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name),
            request_deserializer=StringValue.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        for name in LEVELS
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


class ToyPeer:
    """`Look` says which process answers. `Note` writes down what it was sent, then answers: `hang…` never, `slow…` after a while.

    `Look` refuses `away`, having noted it."""

    def __init__(self, _: Runtime) -> None:
        self._notes = Path(os.environ[NOTES])

    async def Look(self, request: StringValue, _: object) -> StringValue:  # noqa: N802 - as in a proto
        if request.value == "away":
            self._note("away")
            raise DependencyAway("something of the toy's")
        return StringValue(value=str(os.getpid()))

    async def Note(self, request: StringValue, _: object) -> StringValue:  # noqa: N802 - as in a proto
        self._note(request.value)
        await asyncio.sleep({"hang": 60.0, "slow": 1.0}.get(request.value[:4], 0.0))
        return StringValue(value=str(os.getpid()))

    def _note(self, what: str) -> None:
        with self._notes.open("a") as notes:
            notes.write(f"{what}\n")


TOY = Service(
    name="toy",
    settings=ServiceSettings,
    migrations=(),
    rpcs=[
        Rpc(
            name=NAME,
            add=add_to_server,
            servicer=ToyPeer,
            callers=dict.fromkeys(LEVELS, Callers(services=frozenset({"toy"}), across_schools=True)),
        )
    ],
)


if __name__ == "__main__":
    from bookbag.chassis.process import serve

    os.environ[NOTES] = sys.argv[1]
    asyncio.run(serve([TOY], Platform()))  # type: ignore[call-arg]
