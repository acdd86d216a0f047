"""Children start whatever else runs in their parent, and a wish to stop is never lost."""

import subprocess
import sys
import threading

import pytest

from bookbag.local.environment import REPOSITORY
from bookbag.local.process import Account
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
