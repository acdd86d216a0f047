"""Checks that take long run beside a suite that leaves them time; what each says stays together."""

import sys
from pathlib import Path

import pytest

from tools import unchanged
from tools.suites import Suite
from tools.test import run

WAITS_FOR = """
import sys
from pathlib import Path

from bookbag.local.process import wait_until

print("begins", flush=True)
assert wait_until(Path(sys.argv[1]).exists, 60), "it runs alone"
print("ends", flush=True)
"""
MAKES = "import sys, pathlib; print('beside'); pathlib.Path(sys.argv[1]).touch(); sys.exit(int(sys.argv[2]))"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where suites look for each other, and where it is kept what passed."""
    monkeypatch.setattr(unchanged, "PASSED", tmp_path / "passed")
    return tmp_path


def suite(name: str, program: str, *words: str, **more: bool) -> Suite:
    return Suite(name, name, lambda _: [[sys.executable, "-c", program, *words]], **more)


def test_what_takes_long_runs_beside_what_waits_and_is_told_after_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mark = str(folder / "mark")
    suites = [
        suite("long", MAKES, mark, "1", beside=True),
        suite("quick", "print('quick')"),
        suite("busy", f"import os; assert not os.path.exists({mark!r})", shown=True),
        suite("waiting", WAITS_FOR, mark, shown=True, waits=True),
    ]
    outcomes = list(run(suites, [], anew=True, strict=False))
    assert [(each.suite.name, each.holds) for each in outcomes] == [
        ("quick", True), ("busy", True), ("waiting", True), ("long", False)
    ]  # fmt: skip
    assert outcomes[-1].output == "beside\n"
    assert capfd.readouterr().out.endswith("── waiting: waiting\nbegins\nends\n")


def test_what_takes_long_runs_at_once_where_nothing_waits(folder: Path) -> None:
    suites = [suite("busy", "", shown=True), suite("long", MAKES, str(folder / "mark"), "0", beside=True)]
    outcomes = list(run(suites, [], anew=True, strict=False))
    assert [(each.suite.name, each.holds) for each in outcomes] == [("long", True), ("busy", True)]
