"""Whoever reads what a command prints may stop reading, as `head` does: the command ends as it would have, and says nothing of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.req("OPS-6")

BOOKBAG = (sys.executable, "-m", "bookbag")


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    file = tmp_path / "wrong.yaml"
    file.write_text("a: 1")
    return str(file)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("words", "code"), [("policy preset b", 0), ("policy check {wrong}", 1), ("routes --json", 0)])
def test_a_command_ends_as_if_it_had_been_read(wrong: str, words: str, code: int, unbuffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*BOOKBAG, *words.format(wrong=wrong).split()], stdout=write, stderr=subprocess.PIPE, text=True, check=False,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (code, "")


def test_following_logs_ends_when_nobody_reads_on(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("first\n")
    one = {"name": "one", "service": "one", "pid": 0, "log": str(log)}
    (tmp_path / "stack.json").write_text(json.dumps({"address": "", "supervisor": 0, "processes": [one]}))
    following = subprocess.Popen(
        [*BOOKBAG, "stack", "logs", "--data", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert following.stdout is not None
    assert following.stderr is not None
    assert following.stdout.readline() == "one  first\n"
    following.stdout.close()
    with log.open("a") as more:
        more.write("second\n")
    assert following.wait(60) == 0
    assert following.stderr.read() == ""
    following.stderr.close()
