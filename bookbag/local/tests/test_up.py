"""`bookbag up` from the first line to the last, over real servers and stand-ins for Bookbag's own processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from bookbag.local.environment import REPOSITORY, settings_of_running
from bookbag.local.measure import lines_of, memory_report
from bookbag.local.ports import choose_one
from bookbag.local.process import is_running, wait_until
from bookbag.local.steps import edition_of

STAND_INS = Path(__file__).with_name("stand_ins.py")


class Run:
    """One `bookbag up` in a process of its own, as a person has it in a terminal."""

    def __init__(self, data, *arguments, port=None):
        self.port = port or choose_one()
        self.data = data
        self.said = []
        self.process = subprocess.Popen(
            [sys.executable, STAND_INS, "up", f"--data={data}", f"--port={self.port}", *arguments],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, words):
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if words in line:
                return self
        raise AssertionError(f"never said {words!r}: {self.text}")

    def ready(self):
        return self.until("Ctrl-C stops everything")

    def to_the_end(self):
        overdue = threading.Timer(60, self.process.send_signal, [signal.SIGABRT])  # it says where it hangs
        overdue.start()
        self.said += self.process.stdout.read().splitlines()
        overdue.cancel()
        code = self.process.wait(20)
        assert code != -signal.SIGABRT, f"it does not end: {self.text}"
        return code

    def stop(self, with_signal=signal.SIGINT):
        self.process.send_signal(with_signal)
        return self.to_the_end()

    @property
    def text(self):
        return "\n".join(self.said)

    def child(self, name):
        return int((self.data / "logs" / f"{name}.pid").read_text().split()[0])

    def everybody(self):
        return [memory.pid for memory in memory_report([self.process.pid])]


@pytest.fixture(scope="module")
def made_before(tmp_path_factory):
    """A demo folder that was started once, so that only tests about the first start pay for one."""
    run = Run(tmp_path_factory.mktemp("before") / "data").ready()
    run.stop()
    run.process.stdout.close()
    return run.data


@pytest.fixture
def data(tmp_path, made_before):
    return shutil.copytree(made_before, tmp_path / "data")


@pytest.fixture
def up(tmp_path):
    runs = []

    def start(*arguments, **given):
        runs.append(Run(tmp_path / "data", *arguments, **given))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        run.process.stdout.close()
        run.process.wait()


@pytest.mark.req("OPS-1")
def test_it_prints_one_address_and_the_sign_ins_and_leaves_nothing_running(up):
    run = up().ready()
    assert f"http://127.0.0.1:{run.port}" in run.text
    assert "Oak School (demo)" in run.text
    assert "Ada Hill  teacher, en" in run.text
    assert urllib.request.urlopen(f"http://127.0.0.1:{run.port}/", timeout=5).status == 200
    everybody = run.everybody()
    assert len(everybody) >= 8
    assert "all" in lines_of(memory_report([run.process.pid]))[-1]
    assert run.stop() == 0
    assert [pid for pid in everybody if is_running(pid)] == []
    assert settings_of_running(run.data) is None


def test_the_second_start_migrates_and_seeds_nothing(up):
    first = up().ready()
    assert "Database migrations" in first.text
    assert "Demo school … made" in first.text
    first.stop(signal.SIGTERM)
    second = up().ready()
    assert "Database migrations" not in second.text
    assert "Demo school …" not in second.text


def test_a_new_migration_is_run_at_the_next_start(tmp_path):
    migrations = tmp_path / "service" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "one.sql").write_text("select 1")
    before = edition_of([tmp_path], ["identity"])
    (migrations / "__pycache__").mkdir()
    (migrations / "__pycache__" / "one.pyc").write_text("")
    assert edition_of([tmp_path], ["identity"]) == before
    (migrations / "two.sql").write_text("select 2")
    assert edition_of([tmp_path], ["identity"]) != before


def test_children_get_the_whole_configuration(up, data):
    run = up().ready()
    told = settings_of_running(run.data)
    environment = Path(f"/proc/{run.child('worker')}/environ").read_text().split("\0")
    child = dict(line.split("=", 1) for line in environment if line)
    assert child["BOOKBAG_ENVIRONMENT"] == "embedded"
    assert child["BOOKBAG_DEMO"] == "1"
    assert child["BOOKBAG_ADMIN_PORT"] != told["BOOKBAG_ADMIN_PORT"]
    assert set(json.loads(child["BOOKBAG_PEERS"])) == {"identity", "messaging", "translate", "notify"}
    for role in ("OWNER", "APP", "WORKER", "BACKUP"):
        assert child[f"BOOKBAG_MESSAGING_{role}_URL"].startswith(f"postgresql://bookbag_messaging_{role.lower()}:")


def test_without_a_demo_nothing_says_demo(up):
    run = up("--no-demo").ready()
    assert "BOOKBAG_DEMO" not in settings_of_running(run.data)
    assert "Demo" not in run.text
    assert "(demo)" not in run.text
    assert not (run.data / "demo").exists()
    run.stop()
    assert "made without a demo school" in up().ready().text
    assert not (run.data / "demo").exists()


def test_without_a_demo_a_restored_folder_of_one_is_given_no_school(up, data):
    (data / "postgres" / "seeded").unlink()
    assert "Demo school" not in up("--no-demo").ready().text


@pytest.mark.chaos
@pytest.mark.parametrize("victim", ["api", "worker"])
def test_a_process_that_dies_is_started_again_and_said_so(up, data, victim):
    run = up().ready()
    before = run.child(victim)
    os.kill(before, signal.SIGKILL)
    run.until("is back.")
    assert "was ended by SIGKILL; starting it again in 0.1 s." in run.text
    assert run.child(victim) != before
    assert urllib.request.urlopen(f"http://127.0.0.1:{run.port}/", timeout=5).status == 200


@pytest.mark.chaos
def test_a_killed_database_comes_back_on_the_same_port(up, data):
    run = up().ready()
    pid_file = run.data / "postgres" / "data" / "postmaster.pid"
    port = pid_file.read_text().split("\n")[3]
    os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)
    run.until("PostgreSQL 18 is back.")
    assert pid_file.read_text().split("\n")[3] == port


@pytest.mark.chaos
def test_killing_the_supervisor_leaves_nothing_running_and_the_next_start_works(up, data):
    run = up().ready()
    everybody = run.everybody()
    run.process.kill()
    assert wait_until(lambda: not any(is_running(pid) for pid in everybody), 15)
    up(port=run.port).ready()


@pytest.mark.chaos
@pytest.mark.slow
def test_a_process_that_outlives_a_killed_supervisor_is_ended_by_the_next_start(up, data):
    run = up("--as-worker=deaf").ready()
    deaf = run.child("worker")
    run.process.kill()
    run.process.wait()
    assert is_running(deaf)
    up().ready()
    assert not is_running(deaf)


def test_a_process_that_does_not_listen_is_ended_when_its_time_is_over(up, data):
    run = up("--as-worker=deaf").ready()
    everybody = run.everybody()
    assert run.stop() == 0
    assert [pid for pid in everybody if is_running(pid)] == []


def test_a_stop_in_the_middle_of_the_start_leaves_nothing_running(up, data):
    run = up().until("PostgreSQL 18")
    everybody = run.everybody()
    assert run.stop() == 0
    assert [pid for pid in everybody if is_running(pid)] == []


def test_a_port_in_use_is_one_clear_sentence_the_first_time_and_again(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = up(port=taken.getsockname()[1])
        assert run.to_the_end() == 1
        again = up(port=run.port)
        assert again.to_the_end() == 1
    for refused in (run, again):
        assert f"Port {run.port} is in use" in refused.said[-1], (
            "a refused start leaves nothing that the next one refuses"
        )
        assert not refused.data.exists()


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_number_that_is_no_port_is_one_clear_sentence(up, data, port):
    run = up(port=port)
    assert run.to_the_end() == 1
    assert f"{port} is no port" in run.said[-1]


def test_a_second_instance_is_one_clear_sentence_and_disturbs_nothing(up, data):
    first = up().ready()
    second = up()
    assert second.to_the_end() == 1
    [sentence] = second.said
    assert f"already running on {first.data} (by process {first.process.pid})" in sentence
    assert urllib.request.urlopen(f"http://127.0.0.1:{first.port}/", timeout=5).status == 200


def test_a_process_that_cannot_start_is_told_with_its_last_words(up, data):
    run = up("--as-api=broken")
    assert run.to_the_end() == 1
    assert "API ended while starting: the settings are wrong" in run.text
    assert "Traceback" not in run.text


def test_starting_over_asks_and_without_an_answer_removes_nothing(up, data):
    first = up().ready()
    first.stop()
    (first.data / "objects" / "kept").write_text("x")
    refused = up("--fresh")
    assert refused.to_the_end() == 1
    assert "Nothing was removed" in refused.text
    assert (first.data / "objects" / "kept").exists()
    fresh = up("--fresh", "--yes").ready()
    assert not (first.data / "objects" / "kept").exists()
    assert "Demo school … made" in fresh.text
