"""Calls between processes: spread over the instances that serve, repeated only where harmless, and never lost by a stop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from pydantic import ValidationError

from bookbag.chassis.addresses import target_of
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.peers import Peers, service_config
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.rpc import RpcServer
from bookbag.chassis.tokens import ServiceSigner
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from bookbag.identity.v1.service_pb2_grpc import IdentityServiceStub
from bookbag.local import ports
from tests.support.house import House, eventually
from tests.support.toy import NAME, NOTES, TOY, ToyStub

pytestmark = pytest.mark.req("OPS-4")


@dataclass
class Instances:
    """Real processes of the toy service, and a caller that knows the addresses of all."""

    house: House
    notes: Path
    ports: list[int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    peers: Peers = field(init=False)

    def __post_init__(self) -> None:
        self.peers = self.caller(*self.ports)

    def caller(self, *ports: int) -> Peers:
        signer = ServiceSigner("toy", self.house.keys.signing_keys / "service-toy.json", SystemClock())
        return Peers({"toy": ",".join(f"127.0.0.1:{port}" for port in ports)}, signer)

    def begin(self, port: int) -> None:
        environment = os.environ | self.house.environment | {"BOOKBAG_GRPC_PORT": str(port)}
        self.processes.append(
            subprocess.Popen([sys.executable, "-m", "tests.support.toy", str(self.notes)], env=environment)
        )

    async def look(self) -> int:
        """The process that answers."""
        stub = self.peers.stub("toy", ToyStub)
        return int((await self.peers.call("toy", stub.Look, StringValue(), school=None, deadline=5)).value)

    async def note(self, what: str, *, deadline: float = 20) -> int:
        stub = self.peers.stub("toy", ToyStub)
        answer = await self.peers.call("toy", stub.Note, StringValue(value=what), school=None, deadline=deadline)
        return int(answer.value)

    def noted(self) -> Counter[str]:
        return Counter(self.notes.read_text().split() if self.notes.exists() else [])

    async def all_answer(self) -> None:
        """Wait until each process was heard, without spending what its callers may repeat."""
        for port in self.ports:
            alone = self.caller(port)
            stub = alone.stub("toy", ToyStub)

            async def it_answers(alone: Peers = alone, stub: ToyStub = stub) -> bool:
                try:
                    await alone.call("toy", stub.Look, StringValue(), school=None)
                except DependencyAway:
                    return False
                return True

            await eventually(it_answers, seconds=40)
            await alone.close()
        heard: set[int] = set()

        async def everybody_was_heard() -> bool:
            heard.add(await self.look())
            return heard == {process.pid for process in self.processes}

        await eventually(everybody_was_heard, seconds=40)


@pytest.fixture
async def two(house: House, tmp_path: Path) -> AsyncIterator[Instances]:
    with _instances(house, tmp_path, 2) as made:
        await made.all_answer()
        yield made
        await made.peers.close()


@contextmanager
def _instances(house: House, folder: Path, number: int) -> Iterator[Instances]:
    places = ports.choose_lasting(number)
    made = Instances(house, folder / "notes", places)
    try:
        for port in places:
            made.begin(port)
        yield made
    finally:
        for process in made.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in made.processes:
            process.wait(20)


@pytest.mark.slow
async def test_a_killed_instance_fails_no_harmless_call_repeats_no_other_and_is_asked_again_once_it_is_back(
    two: Instances,
) -> None:
    hanging = [asyncio.create_task(two.note(f"hang-{number}")) for number in range(6)]

    async def all_hang() -> bool:
        return len(two.noted()) == 6

    await eventually(all_hang)
    looks = [asyncio.create_task(two.look()) for _ in range(50)]
    victim, survivor = two.processes
    victim.kill()
    looks += [asyncio.create_task(two.look()) for _ in range(50)]
    assert survivor.pid in await asyncio.gather(*looks), "a call that got no answer is repeated, at the other instance"

    async def those_on_the_killed_one_ended() -> bool:
        return sum(task.done() for task in hanging) == 3

    await eventually(those_on_the_killed_one_ended)
    assert {type(task.exception()) for task in hanging if task.done()} == {DependencyAway}
    for number in range(20):
        assert await two.look() == survivor.pid
        assert await two.note(f"after-{number}") == survivor.pid
    assert set(two.noted().values()) == {1}, "what may not be repeated was sent once"
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)

    two.processes.remove(victim)
    two.begin(two.ports[0])
    await two.all_answer()


@pytest.mark.slow
async def test_a_stopping_instance_loses_no_call(two: Instances) -> None:
    stopped = asyncio.Event()
    answered: dict[str, int] = {}

    async def write(number: int) -> None:
        count = 0
        while not (stopped.is_set() and count > 20):
            what = f"{'slow' if count % 4 == 0 else 'quick'}-{number}-{count}"
            answered[what] = await two.note(what)
            await two.look()
            count += 1

    writers = [asyncio.create_task(write(number)) for number in range(4)]

    async def under_way() -> bool:
        return len(answered) > 20

    await eventually(under_way)
    leaving, staying = two.processes
    leaving.terminate()
    assert await asyncio.to_thread(leaving.wait, 20) == 0
    stopped.set()
    await asyncio.gather(*writers)
    assert set(answered.values()) == {leaving.pid, staying.pid}, "both were at work before one of them left"
    assert two.noted() == Counter(dict.fromkeys(answered, 1))


@pytest.mark.slow
async def test_an_instance_that_stops_tells_whoever_watches_its_health_before_it_goes(two: Instances) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{two.ports[0]}") as channel:
        health = HealthStub(channel).Watch(HealthCheckRequest())
        assert (await health.read()).status == HealthCheckResponse.SERVING
        two.processes[0].terminate()
        assert (await health.read()).status == HealthCheckResponse.NOT_SERVING
        health.cancel()


@pytest.mark.slow
@pytest.mark.chaos
async def test_a_frozen_instance_is_noticed_and_left_out(two: Instances) -> None:
    frozen, healthy = two.processes
    frozen.send_signal(signal.SIGSTOP)
    began = time.monotonic()

    async def only_the_healthy_one_is_asked() -> bool:
        answers = await asyncio.gather(*(two.note(f"one-{n}", deadline=0.5) for n in range(8)), return_exceptions=True)
        assert {type(answer) for answer in answers} <= {int, DependencyAway}, answers
        return answers == [healthy.pid] * 8

    await eventually(only_the_healthy_one_is_asked, seconds=30)
    assert time.monotonic() - began < 20, "eight seconds to the next ping, five for its answer, and a slow machine"
    frozen.send_signal(signal.SIGCONT)
    await two.all_answer()


async def test_an_answer_is_not_repeated_even_when_it_says_unavailable(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    async with house.runtime(TOY, working=False) as runtime:
        server = RpcServer([runtime], "127.0.0.1", 0)
        await server.start()
        one = Instances(house, tmp_path / "notes", [server.port])
        stub = one.peers.stub("toy", ToyStub)
        with pytest.raises(DependencyAway):
            await one.peers.call("toy", stub.Look, StringValue(value="away"), school=None)
        assert one.noted() == {"away": 1}
        await one.peers.close()
        await server.stop(0)


@dataclass
class Refuser:
    """A server that ends every call without an answer, as a broken connection would, and counts them."""

    port: int
    attempts: Counter[str]


@pytest.fixture
async def refuser() -> AsyncIterator[Refuser]:
    attempts: Counter[str] = Counter()

    class Ends(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation, details):
            async def end(request: object, context: grpc.aio.ServicerContext) -> None:
                attempts[details.method.rpartition("/")[2]] += 1
                await context.abort(grpc.StatusCode.UNAVAILABLE)

            if details.method.startswith(f"/{NAME}"):
                return grpc.unary_unary_rpc_method_handler(end)
            return await continuation(details)

    server = grpc.aio.server(interceptors=(Ends(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield Refuser(port, attempts)
    await server.stop(None)


async def test_repetitions_are_few_and_have_a_budget(house: House, refuser: Refuser) -> None:
    signer = ServiceSigner("toy", house.keys.signing_keys / "service-toy.json", SystemClock())
    peers = Peers({"toy": f"127.0.0.1:{refuser.port}"}, signer)
    stub = peers.stub("toy", ToyStub)

    async def call(method: object) -> None:
        with pytest.raises(DependencyAway):
            await peers.call("toy", method, StringValue(), school=None, deadline=10)  # type: ignore[arg-type]

    await call(stub.Note)
    await call(stub.Look)
    assert refuser.attempts == {"Note": 1, "Look": 3}
    for _ in range(100):
        await call(stub.Look)
    assert refuser.attempts["Look"] < 210, "once the budget is spent, each call is sent once"
    await peers.close()


def test_what_may_be_repeated_is_what_the_proto_says() -> None:
    def harmless(kind: object) -> set[str]:
        (methods,) = service_config(kind)["methodConfig"]  # type: ignore[arg-type,misc]
        return {name["method"] for name in methods["name"]}  # type: ignore[index]

    assert harmless(ToyStub) == {"Look"}
    assert harmless(IdentityServiceStub) == {"WatchChanges", "Snapshot", "Contacts", "GetSchool"}
    assert harmless(ContentOwnerServiceStub) == {"CanRead", "ListReaders", "Fetch", "StoreTranslation"}


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("identity:8001", "identity:8001"),
        ("10.0.0.1:8001", "10.0.0.1:8001"),
        ("10.0.0.1:8001, 10.0.0.2:8001", "ipv4:10.0.0.1:8001,10.0.0.2:8001"),
        ("[::1]:8001,[::2]:8001", "ipv6:[::1]:8001,[::2]:8001"),
        ("dns:///identity-headless:8001", "dns:///identity-headless:8001"),
        ("ipv4:10.0.0.1:8001,10.0.0.2:8001", "ipv4:10.0.0.1:8001,10.0.0.2:8001"),
    ],
)
def test_an_operator_writes_one_address_or_many(address: str, target: str) -> None:
    assert target_of(address) == target


@pytest.mark.parametrize(
    "address", ["identity", "identity:", ":8001", "a:1,b:2", "10.0.0.1:8001,b:2", "a:0", "a:65536", "a:1,"]
)
def test_an_address_that_is_none_is_refused_by_the_settings(house: House, address: str) -> None:
    with (
        pytest.raises(ValidationError, match="peers"),
        house.settings(BOOKBAG_PEERS=json.dumps({"identity": address})),
    ):
        pass
