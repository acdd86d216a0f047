"""Children start whatever else runs in their parent, and a wish to stop is never lost."""

import subprocess
import sys
import threading

import pytest

from bookbag.local.environment import REPOSITORY
from bookbag.local.process import Account, exit_code
from bookbag.local.supervisor import StopRequested, Supervisor


def test_no_fork_handler_of_a_library_runs_between_us_and_the_child():
    program = """
import os
from pathlib import Path
from bookbag.local.process import spawn
os.register_at_fork(after_in_child=lambda: os._exit(3))
print(spawn(["true"], folder=Path("/"), environment={"PATH": os.environ["PATH"]}).wait())
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"


def test_why_a_child_could_not_be_started_stands_in_its_log(tmp_path):
    program = f"""
from pathlib import Path
from bookbag.local.process import spawn
log = Path({str(tmp_path / "log")!r})
print(spawn(["/no/such/program"], folder=Path("/"), environment={{}}, log=log).wait())
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1"
    assert "cannot start /no/such/program: [Errno 2] No such file or directory" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("account", "word"),
    [(Account(), "ourselves"), (Account(in_namespace=True), "namespace"), (Account(user=1, group=2), "1:2")],
)
def test_an_account_has_one_word_on_the_command_line(account, word):
    assert account.word == word


def test_a_wish_to_stop_that_python_dropped_is_still_obeyed():
    asked = threading.Event()
    asked.set()
    with pytest.raises(StopRequested):
        Supervisor([], tell=print, asked=asked).watch()


class Broken(BaseException):
    """What a signal raises wherever the main thread happens to be."""


def broken_at(step, act):
    """Do something and break into it before its so many-th instruction; whether it has so many."""

    def trace(frame, event, _):
        nonlocal step
        frame.f_trace_opcodes = True
        step -= event == "opcode"
        if step == 0:
            raise Broken
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except Broken:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.req("OPS-1")
def test_a_wish_to_stop_that_breaks_into_a_look_at_a_process_never_hangs_the_stop():
    step, broke = 0, True
    while broke:
        step += 1
        process = subprocess.Popen(["sleep", "600"])
        broke = broken_at(step, lambda looked=process: exit_code(looked))
        process.kill()
        assert process.wait(10) == -9, f"broken into before instruction {step}"
    assert step > 10
