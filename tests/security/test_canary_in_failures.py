"""When something fails, its error quotes what people wrote; the place that failed is noted, and none of their words, anywhere."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc
import httpx2
import pytest

from bookbag.content.v1 import service_pb2 as pb
from bookbag.content.v1.service_pb2_grpc import ContentOwnerServiceStub
from bookbag.local import ports
from bookbag.local.environment import REPOSITORY
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.security.clumsy import SCHOOL, WORDS
from tests.support.collector import Collector, collecting
from tests.support.house import House, built

PARTS = ("QuizzicalOcelot", "Fern Lane", "ann.parent", "07700 900123", "people.example")


@dataclass
class Failed:
    """What was left after everything had failed once."""

    logs: str
    collector: Collector
    answers: list[httpx2.Response] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    rpc: str = ""

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.logs.splitlines()]


def until(fact: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.1)  # may thread-sleep: looks again at other processes, with a deadline


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", verify=False).status_code == 200
    except httpx2.TransportError:
        return False


async def dead_rows(house: House) -> list[str]:
    connection = await asyncpg.connect(house.databases.urls["toy"].backup)
    try:
        rows = await connection.fetch("select error, type, consumer from dead_letter")
        rows += await connection.fetch("select error, type, consumer from parked_record")
        return [str(dict(row)) for row in rows]
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def house_of_failures(
    servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with built(servers, keys, tmp_path_factory.mktemp("failures")) as house:
        yield house


@pytest.fixture(scope="module")
def failed(house_of_failures: House) -> Failed:
    """Run both processes of the clumsy service and ask for each of its failures."""
    house, log = house_of_failures, house_of_failures.folder / "clumsy.log"
    http, grpc_port, serve_admin, work_admin = ports.choose_lasting(4)
    shared = os.environ | house.environment | {"BOOKBAG_HTTP_PORT": str(http), "BOOKBAG_GRPC_PORT": str(grpc_port)}
    with collecting() as collector:
        shared["BOOKBAG_OTLP_ENDPOINT"] = collector.endpoint
        processes = {
            kind: _begin(kind, shared | {"BOOKBAG_ADMIN_PORT": str(port)}, log)
            for kind, port in (("serve", serve_admin), ("work", work_admin))
        }
        try:
            until(lambda: answers(http))
            found = Failed("", collector)
            _fail_at_everything(house, http, grpc_port, found)
            until(lambda: answers(work_admin) or processes["work"].poll() is not None)

            def ended() -> bool:
                found.metrics += [_metrics(port) for port in (serve_admin, work_admin)]
                return processes["work"].poll() is not None

            until(ended)
            assert processes["work"].returncode == 1
            found.rows = asyncio.run(dead_rows(house))
            processes["serve"].terminate()
            processes["serve"].wait(20)
        finally:
            for process in processes.values():
                if process.poll() is None:
                    process.kill()
                    process.wait(20)
        found.logs = log.read_text()
    return found


def _begin(kind: str, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.security.clumsy", kind],
            cwd=REPOSITORY,
            env=environment,
            stdout=file,
            stderr=file,
        )


def _metrics(port: int) -> str:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/metrics", verify=False).text
    except httpx2.TransportError:
        return ""


def _fail_at_everything(house: House, http: int, grpc_port: int, found: Failed) -> None:
    address = f"http://127.0.0.1:{http}/toy/v1"
    with httpx2.Client(
        base_url=address, verify=False, timeout=15, headers={"user-agent": WORDS, "connection": "close"}
    ) as client:
        found.answers += [
            client.get("/fails/QuizzicalOcelot", params={"q": WORDS}),
            client.post("/says", json={"text": [WORDS]}),
            client.post("/says", json={"text": "x", "nickname": WORDS}),
            client.post("/says", content=f'{{"text": "{WORDS}'.encode(), headers={"content-type": "application/json"}),
            *(client.get(f"/sql/{way}") for way in range(5)),
            client.get("/sql/QuizzicalOcelot"),
            client.get("/loses"),
            client.get("/QuizzicalOcelot"),
            client.request("QUIZZICALOCELOT", "/says"),
            client.get("/tells"),
        ]
    token = house.token(SCHOOL, uuid4(), "teacher")
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel, pytest.raises(grpc.RpcError) as refused:
        ContentOwnerServiceStub(channel).CanRead(
            pb.CanReadRequest(person_id="QuizzicalOcelot"),
            metadata=(("authorization", f"Bearer {token}"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")),
            timeout=10,
        )
    found.rpc = str(refused.value)


@pytest.mark.slow
@pytest.mark.req("OPS-3", "PRV-5")
def test_everything_failed_and_each_failure_was_noted(failed: Failed) -> None:
    said = {str(line["event"]) for line in failed.lines}
    assert said >= {
        "request failed", "rpc failed", "job failed", "event failed", "dead letter", "worker part ended", "library message",
        "ended unexpectedly", "said too much",
    }  # fmt: skip
    assert {str(line.get("kind")) for line in failed.lines if line["event"] == "ended unexpectedly"} == {
        "process", "thread", "clean-up",
    }  # fmt: skip
    assert {str(line.get("logger")) for line in failed.lines} >= {"some.library", "py.warnings", "asyncio"}
    assert all("clumsy.py" in str(line["where"]) for line in failed.lines if line["event"] == "request failed"
               and line["error"] == "Clumsy")  # fmt: skip
    assert [answer.status_code for answer in failed.answers].count(500) >= 6
    assert [row for row in failed.rows if "Clumsy" in row]


@pytest.mark.slow
@pytest.mark.req("OPS-3")
def test_a_failure_of_a_traced_request_or_event_names_its_trace(failed: Failed) -> None:
    for event in ("request failed", "event failed", "rpc failed"):
        ids = {str(line.get("trace_id")) for line in failed.lines if line["event"] == event}
        assert ids <= {span.trace for span in failed.collector.spans}, event


@pytest.mark.slow
@pytest.mark.req("OPS-3", "PRV-5")
@pytest.mark.parametrize("place", ["logs", "answers", "metrics", "rows", "rpc", "spans"])
def test_no_word_of_a_failure_is_found(failed: Failed, place: str) -> None:
    texts = {
        "logs": [failed.logs],
        "answers": [f"{answer.text} {answer.headers}" for answer in failed.answers],
        "metrics": failed.metrics,
        "rows": failed.rows,
        "rpc": [failed.rpc],
        "spans": [failed.collector.raw.decode("latin-1")],
    }[place]
    assert any(texts)
    for text in texts:
        assert [part for part in PARTS if part.lower() in text.lower()] == []
