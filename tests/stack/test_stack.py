"""The stack as whoever runs it meets it: what it consists of, what each process knows, what happens when one dies, and what is left."""

import contextlib
import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bookbag.cli.services import NAMES
from bookbag.local import kafka, ports, seaweed
from bookbag.local.environment import settings_of_running
from bookbag.local.measure import memory_report
from bookbag.local.process import is_running, wait_until
from bookbag.local.stack_state import Standing, state_of
from tests.e2e.letters import said, thread_about
from tests.support.heard import Heard
from tests.support.policy import demo_rules
from tests.support.product import Product

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.req("OPS-4"),
    *(pytest.mark.skipif(reason is not None, reason=reason or "") for reason in (kafka.why_not(), seaweed.why_not())),
]


@dataclass
class Stack:
    """One `bookbag stack up`, as a person has it in a terminal."""

    heard: Heard

    @classmethod
    def start(cls, folder: Path, *options: str) -> "Stack":
        command = [sys.executable, "-m", "bookbag", "stack", "up", f"--data={folder}", f"--port={ports.choose_one()}"]
        heard = Heard.start([*command, *options], folder, demo_rules(folder))
        heard.ready("Ctrl-C stops everything", within=200)
        return cls(heard)

    @property
    def folder(self) -> Path:
        return self.heard.folder

    @property
    def process(self) -> subprocess.Popen[str]:
        return self.heard.process

    @property
    def text(self) -> str:
        return self.heard.text

    @property
    def product(self) -> Product:
        return Product(self.address, self.folder, self.process)

    @property
    def address(self) -> str:
        found = re.search(r"https://127\.0\.0\.1:\d+", self.text)
        assert found is not None
        return found[0]

    def standing(self) -> dict[str, Standing]:
        found = state_of(self.folder)
        assert found is not None
        return {each.name: each for each in found.processes}

    def everybody(self) -> list[int]:
        return [memory.pid for memory in memory_report([self.process.pid])]


def asked(*words: str) -> subprocess.CompletedProcess[str]:
    """What a command of operators answers in another terminal."""
    return subprocess.run(
        [sys.executable, "-m", "bookbag", *words], capture_output=True, text=True, timeout=60, check=False
    )


def soon(fact: Callable[[], object], *, within: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within
    while not fact():
        assert time.monotonic() < end, f"not within {within} s"
        time.sleep(0.1)  # may thread-sleep: looks again at other processes, with a deadline


def opened_by(pid: int) -> Iterator[str]:
    """What a process has open; files and processes may go while one looks."""
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())


def consumers_of(stack: Stack) -> dict[str, int]:
    """How far each consumer is behind on messages, as `status` tells it; looked up by the workers every few seconds."""
    told = json.loads(asked("stack", "status", f"--data={stack.folder}", "--json").stdout)["consumers"]
    assert {row["topic"] for row in told} <= {"bookbag.messaging.v1"}
    return {row["consumer"]: row["behind"] for row in told}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, list[int]]:
    """A stack that ran once and was stopped, and the processes it had."""
    stack = Stack.start(tmp_path_factory.mktemp("stack") / "data")
    everybody = stack.everybody()
    try:
        assert len(asked("stack", "logs", f"--data={stack.folder}", "--no-follow").stdout.splitlines()) > 5
        code = stack.heard.end(within=90)
    finally:
        stack.process.kill()
    assert code == 0
    return stack, everybody


@pytest.fixture(scope="module")
def stack(stopped: tuple[Stack, list[int]]) -> Iterator[Stack]:
    """The same stack, started again with two instances of identity."""
    again = Stack.start(stopped[0].folder, "--instances", "identity=2")
    yield again
    if again.process.poll() is None:
        again.heard.end(within=90)


def test_stopping_leaves_nothing_running(stopped: tuple[Stack, list[int]]) -> None:
    stack, everybody = stopped
    assert len(everybody) >= len(NAMES) * 2 + 6
    assert [pid for pid in everybody if is_running(pid)] == []
    assert "Bookbag has stopped." in stack.text
    assert state_of(stack.folder) is None
    assert settings_of_running(stack.folder) is None
    told = asked("stack", "status", f"--data={stack.folder}")
    assert (told.returncode, told.stdout) == (1, "")
    assert "No stack runs on" in told.stderr


def test_the_second_start_migrates_and_seeds_nothing(stopped: tuple[Stack, list[int]], stack: Stack) -> None:
    assert "Database migrations … done" in stopped[0].text
    assert "Database migrations" not in stack.text
    assert "Demo school …" not in stack.text


def test_status_tells_ports_memory_and_state_of_every_process(stack: Stack) -> None:
    told = asked("stack", "status", f"--data={stack.folder}", "--json")
    assert told.returncode == 0, told.stderr
    status = json.loads(told.stdout)
    rows: dict[str, dict[str, Any]] = {row["process"]: row for row in status["processes"]}
    kinds = {f"{name}-{kind}" for name in NAMES for kind in ("api", "worker")}
    servers = {"postgresql", "valkey", "kafka", "seaweedfs"}
    watching = rows.pop("supervisor")
    assert (watching["pid"], watching["state"]) == (stack.process.pid, "runs")
    assert set(rows) == kinds | servers | {"identity-api-2", "identity-worker-2", "web", "gateway"}
    assert {row["state"] for name, row in rows.items() if name not in servers} == {"ready"}
    assert {rows[name]["state"] for name in servers} == {"runs"}
    assert all(row["megabytes"] > 1 for row in rows.values())
    assert f"https={stack.address.rpartition(':')[2]}" in rows["gateway"]["ports"]
    assert [row["service"] for row in status["events"]] == list(NAMES)
    soon(lambda: len(consumers_of(stack)) == 2)
    for_people = asked("stack", "status", f"--data={stack.folder}").stdout
    assert "MB in all" in for_people


def test_logs_are_of_the_service_one_asks_for(stack: Stack) -> None:
    told = asked("stack", "logs", f"--data={stack.folder}", "--service=kafka", "--no-follow", "--lines=3")
    assert {line.split()[0] for line in told.stdout.splitlines()} == {"kafka"}
    wrong = asked("stack", "logs", f"--data={stack.folder}", "--service=nobody", "--no-follow")
    assert wrong.returncode == 1
    assert "There is no nobody in this stack; there are gateway, identity," in wrong.stderr


@pytest.mark.req("OPS-3")
def test_a_process_knows_no_secret_of_another(stack: Stack) -> None:
    for name, each in stack.standing().items():
        if each.service not in {*NAMES, "web"}:
            continue
        lines = Path(f"/proc/{each.pid}/environ").read_text().split("\0")
        told = dict(line.split("=", 1) for line in lines if line)
        urls = {
            variable
            for variable in told
            if variable.endswith(("_APP_URL", "_WORKER_URL", "_READER_URL", "_OWNER_URL", "_BACKUP_URL"))
        }
        if each.service == "web":
            assert urls == set()
            assert "BOOKBAG_REDIS_URL" not in told
            assert "BOOKBAG_SIGNING_KEYS" not in told
            continue
        own = f"BOOKBAG_{each.service.upper()}"
        assert urls == {f"{own}_APP_URL", f"{own}_{'WORKER' if '-worker' in name else 'READER'}_URL"}
        keys = {file.name for file in Path(told["BOOKBAG_SIGNING_KEYS"]).iterdir()}
        more = {f"audit-{each.service}.json"} if "-worker" in name else set()
        more |= {"users.json"} if name.startswith("identity-api") else set()
        assert keys == {f"service-{each.service}.json"} | more


def test_all_listen_on_loopback_alone(stack: Stack) -> None:
    inodes = {target[8:-1] for pid in stack.everybody() for target in opened_by(pid) if target.startswith("socket:")}
    listening = {
        fields[1].rpartition(":")[0]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[9] in inodes
    }
    assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert listening


@pytest.mark.chaos
def test_one_of_two_instances_may_die_without_anybody_noticing(stack: Stack) -> None:
    before = stack.standing()["identity-api-2"].pid
    with stack.product.http() as client:
        os.kill(before, signal.SIGKILL)
        answers = [client.get("/identity/v1/demo/people").status_code for _ in range(20)]
    assert answers == [200] * 20
    stack.heard.until("identity-api-2 is back.")
    soon(lambda: stack.standing()["identity-api-2"].pid not in (0, before))


@pytest.mark.chaos
def test_a_service_that_dies_is_refused_in_words_and_comes_back_by_itself(stack: Stack) -> None:
    before = stack.standing()["messaging-api"].pid
    with stack.product.client("Hughes", "teacher") as client:
        assert client.get("/messaging/v1/threads").status_code == 200
        os.kill(before, signal.SIGSTOP)
        os.kill(before, signal.SIGKILL)
        seen = {}

        def back() -> bool:
            answer = client.get("/messaging/v1/threads")
            seen[answer.status_code] = answer.headers.get("retry-after"), answer.text
            return answer.status_code == 200

        soon(back)
    assert set(seen) <= {200, 503}
    if 503 in seen:
        assert seen[503][0] == "1"
        assert json.loads(seen[503][1])["code"] == "unavailable"
    stack.heard.until("messaging-api is back.")


@pytest.mark.chaos
def test_a_killed_broker_comes_back_and_what_was_written_meanwhile_is_delivered(stack: Stack) -> None:
    with stack.product.client("Hughes", "teacher") as teacher:
        thread = thread_about(teacher, "Sami")
        os.kill(stack.standing()["kafka"].pid, signal.SIGKILL)
        said(teacher, thread, "Written while the broker was away.")
    with stack.product.client("Layla", "guardian") as guardian:

        def told() -> bool:
            items = guardian.get("/notify/v1/notifications").json()["items"]
            return any(item["thread"] == thread for item in items)

        soon(told, within=90)
    soon(lambda: consumers_of(stack) == {"translate": 0, "notify": 0}, within=90)


@pytest.mark.chaos
@pytest.mark.req("POL-2")
def test_other_rules_are_obeyed_and_told_on_open_screens_while_the_broker_hangs(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    product, broker = stack.product, stack.standing()["kafka"].pid
    with product.client("Rowe", "leader") as leader, product.client("Layla", "guardian") as guardian:
        thread = thread_about(guardian, "Sami")

        def would_become() -> str:
            return guardian.get(f"/messaging/v1/threads/{thread}").json()["composing"]["state"]

        found = leader.get("/identity/v1/policy")
        rules = found.json()["data"]
        before = copy.deepcopy(rules)
        assert would_become() == "now"
        rules["messages"]["conversations"]["families_with"]["teacher"] = "off"
        with guardian.stream("GET", "/notify/v1/stream", timeout=60) as screen:
            lines = screen.iter_lines()
            assert "event: ready" in next(line for line in lines if line.startswith("event:"))
            assert next(line for line in lines if line.startswith(":"))  # it has looked at the rules that count
            os.kill(broker, signal.SIGSTOP)
            try:
                began = time.monotonic()
                save_rules(leader, rules, found.headers["etag"])
                soon(lambda: would_become() == "refused")
                obeyed = time.monotonic() - began
                assert next(line for line in lines if line.startswith("event:")) == "event: rules"
                told = time.monotonic() - began
            finally:
                os.kill(broker, signal.SIGCONT)
        save_rules(leader, before, leader.get("/identity/v1/policy").headers["etag"])
        soon(lambda: would_become() == "now")
    record_property("rules_obeyed_seconds", round(obeyed, 2))
    record_property("rules_told_seconds", round(told, 2))
    print(f"with the broker hanging: other rules obeyed after {obeyed:.1f} s, told on the screen after {told:.1f} s")


def save_rules(leader: httpx2.Client, rules: dict[str, Any], etag: str) -> None:
    saved = leader.post(
        "/identity/v1/policy/versions", json={"data": rules, "reason": "For a test."}, headers={"if-match": etag}
    )
    assert saved.status_code == 201, saved.text


@pytest.mark.chaos
def test_the_death_of_the_supervisor_ends_all_of_them(stack: Stack) -> None:
    everybody = stack.everybody()
    stack.process.kill()
    assert wait_until(lambda: not any(is_running(pid) for pid in everybody), 60)
