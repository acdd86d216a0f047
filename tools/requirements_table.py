"""Tells which tests prove which requirement: pytest's markers and the titles of the web client's tests, by id."""

import contextlib
import io
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "build" / "results" / "requirements.json"
_LISTED = re.compile(r"^- ([A-Z]+-\d+): (.+)$", re.MULTILINE)
_IN_TITLE = re.compile(r"\b(?:it|test)(?:\.\w+)*\(\s*([\"'`])(?P<title>.*?)\1", re.DOTALL)
_ID = re.compile(r"\[((?:[A-Z]+-\d+(?:,\s*)?)+)\]")


class Collected:
    """A pytest plugin that notes the `req` markers of what was collected and runs nothing."""

    def __init__(self) -> None:
        """Begin with no test."""
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Note each test under each id; its parameters count as one test."""
        for item in items:
            for marker in item.iter_markers("req"):
                for requirement in marker.args:
                    self.tests[str(requirement)].add(item.nodeid.split("[")[0])


def listed(page: str) -> dict[str, str]:
    """Read ids and their one line from docs/requirements.md."""
    return dict(_LISTED.findall(page))


def titled(path: str, source: str) -> dict[str, set[str]]:
    """Find the ids in the titles of a web test file."""
    tests: dict[str, set[str]] = defaultdict(set)
    for match in _IN_TITLE.finditer(source):
        for ids in _ID.findall(match["title"]):
            for requirement in re.split(r",\s*", ids):
                tests[requirement].add(f"{path}::{match['title']}")
    return tests


def rows(wanted: Mapping[str, str], proven: Mapping[str, Iterable[str]]) -> list[dict[str, object]]:
    """Build one row per requirement in the form all results share."""
    return [
        {
            "id": requirement,
            "what": what,
            "value": len(tests := sorted(proven.get(requirement, ()))),
            "unit": "tests",
            "goal": "≥ 1",
            "holds": bool(tests),
            "raw": tests,
        }
        for requirement, what in wanted.items()
    ]


def main() -> int:
    """Print the table and write it; fails when a test names an id that is not listed, or cannot be collected."""
    wanted = listed((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    collected = Collected()
    quiet = ["--collect-only", "-qqq", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main([*quiet, *(str(ROOT / folder) for folder in ("tests", "services", "bookbag"))], [collected])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print("The tests could not be collected.")
        return 1
    proven = collected.tests
    for path in _web_tests():
        for requirement, tests in titled(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")).items():
            proven[requirement] |= tests
    table = rows(wanted, proven)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in table:
        if row["holds"]:
            print(f"  {row['id']:7} {row['value']:4} tests  {row['what']}")
    without = [str(row["id"]) for row in table if not row["holds"]]
    print(f"\n{len(table) - len(without)} of {len(table)} requirements have a test. Without one: {', '.join(without)}")
    unknown = sorted(set(proven) - set(wanted))
    if unknown:
        print(f"Tests name ids that docs/requirements.md does not list: {', '.join(unknown)}")
    return 1 if unknown else 0


def _web_tests() -> list[Path]:
    """List the web client's test files that git knows, or all outside node_modules where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "web"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    names = said.stdout.splitlines() if said.returncode == 0 else []
    paths = [ROOT / name for name in names] or list((ROOT / "web").glob("[st]*/**/*.ts*"))
    return [path for path in paths if re.search(r"\.(test|spec)\.tsx?$", path.name) and path.exists()]


if __name__ == "__main__":
    sys.exit(main())
