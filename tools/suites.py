"""The suites that every change must pass: what each runs, what it needs, and how its results are counted."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bookbag.local import kafka, seaweed
from tools import cluster
from tools.bootstrap import cluster_tools, promtool

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
RESULTS = ROOT / "build" / "results"
NODE_TOOLS = ROOT / "tools" / "node" / "node_modules"


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests of a suite passed, failed and were skipped; a check without tests counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Add two counts up."""
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite: `missing` says why it cannot run here (or None), `report` is the file in which its tests say what became of them. Of
    what is `optional` continuous integration, too, says only why it was not run. `ignores` are pathspecs of what cannot spoil it.
    Those `beside` take long, on one core, and measure no time: they run while a suite is shown that mostly `waits`."""

    name: str
    what: str
    commands: Callable[[list[str]], list[list[str]]]
    missing: Callable[[], str | None] = lambda: None
    report: Path | None = None
    folder: Path = ROOT
    shown: bool = False
    waits: bool = False
    beside: bool = False
    optional: bool = False
    ignores: tuple[str, ...] = ()


def _tool(name: str) -> str:
    return str(BIN / name)


def _web_missing() -> str | None:
    if not (ROOT / "web" / "package.json").exists():
        return "there is no web client in this checkout"
    return (
        None if (ROOT / "web" / "node_modules" / ".package-lock.json").exists() else "npm's packages are not installed"
    )


def _buf_missing() -> str | None:
    return None if (NODE_TOOLS / ".bin" / "buf").exists() else "buf is not installed (npm's registry out of reach?)"


def _buf(_: list[str]) -> list[list[str]]:
    buf = str(NODE_TOOLS / ".bin" / "buf")
    commands = [[buf, "lint"], [buf, "format", "--diff", "--exit-code"]]
    base = _main_with_protos()
    if base:
        commands.append([buf, "breaking", "--against", f".git#ref={base},subdir=."])
    return commands


def _main_with_protos() -> str | None:
    """Find the commit of main to compare with; a fresh clone has it as origin/main, a shallow one may have none."""
    for ref in ("origin/main", "main"):
        found = subprocess.run(
            ["git", "rev-parse", "--verify", "-q", f"{ref}^{{commit}}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode == 0:
            commit = found.stdout.strip()
            tree = subprocess.run(
                ["git", "cat-file", "-e", f"{commit}:proto"], cwd=ROOT, capture_output=True, check=False
            )
            return commit if tree.returncode == 0 else None
    return None


def _promtool_missing() -> str | None:
    return None if promtool.found() else "promtool is not there (apt out of reach, or BOOKBAG_APT=no?)"


def _promtool(_: list[str]) -> list[list[str]]:
    folder, tool = ROOT / "deploy" / "observability", str(promtool.found())
    return [
        [tool, "check", "rules", str(folder / "rules.yaml")],
        [tool, "check", "config", str(folder / "prometheus.yaml")],
        [tool, "test", "rules", str(folder / "rules.test.yaml")],
    ]


def _tests(
    name: str,
    what: str,
    *selection: str,
    at_once: int = 1,
    together: str = "worksteal",
    missing: Callable[[], str | None] = lambda: None,
    ignores: tuple[str, ...] = (),
    waits: bool = False,
) -> Suite:
    """A suite of pytest's. `at_once` is how many processes share its tests (more than there are cores where tests mostly wait), and
    `together` by which rule of xdist."""
    report = RESULTS / f"{name}.xml"
    spread = ("-n", str(at_once), "--dist", together) if at_once > 1 else ()
    command = [_tool("python"), "-m", "pytest", f"--junit-xml={report}", *spread, *selection]
    return Suite(
        name,
        what,
        lambda extra: [[*command, *extra]],
        missing=missing,
        report=report,
        shown=True,
        waits=waits,
        ignores=ignores,
    )


def counted(report: Path) -> Count:
    """Count what a report of JUnit's or of Vitest's form holds; a missing one is a failure of its own."""
    if not report.exists():
        return Count(failed=1)
    if report.suffix == ".json":
        said = json.loads(report.read_bytes())
        return Count(
            said["numPassedTests"], said["numFailedTests"] + said.get("numFailedTestSuites", 0), said["numPendingTests"]
        )
    total = Count()
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - our own file, just written
        tests, skipped = int(suite.get("tests", "0")), int(suite.get("skipped", "0"))
        failed = int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        total += Count(max(tests - skipped - failed, 0), failed, skipped)
    return total


def _e2e_missing() -> str | None:
    if not any((ROOT / "tests" / "e2e").glob("test_*.py")):
        return "there are no end-to-end tests yet"
    if not shutil.which("chromium"):
        return "Chromium is not installed (sudo apt-get install chromium)"
    if not (ROOT / "web" / "dist" / "index.html").exists():
        return "the web client is not built"
    return None


def _stack_missing() -> str | None:
    return _e2e_missing() or kafka.why_not() or seaweed.why_not()


def _npm(*words: str) -> Callable[[list[str]], list[list[str]]]:
    return lambda _: [[_tool("npm"), "--silent", *words]]


APART = tuple(f"--ignore=tests/{folder}" for folder in ("e2e", "stack", "chart", "cluster"))
"""What has suites of its own."""

ASIDE = (":!docs", ":!deploy/observability", ":!**/tests/test_*.py")
"""What no journey and no campaign of faults reads: pages, alerts, and the tests of others."""

WEB = ROOT / "web"
VITEST_REPORT = RESULTS / "vitest.json"
VITEST = ("--reporter=default", "--reporter=json", f"--outputFile.json={VITEST_REPORT}")

SUITES = (
    Suite("lint", "ruff: mistakes, names, security", lambda _: [[_tool("ruff"), "check", "."]]),
    Suite("format", "ruff: form", lambda _: [[_tool("ruff"), "format", "--check", "."]]),
    Suite("walls", "import-linter: who may import whom", lambda _: [[_tool("lint-imports"), "--no-logo"]]),
    Suite("buf", "protocol files: form, breaking changes", _buf, missing=_buf_missing),
    Suite("docs", "generated pages are fresh", lambda _: [[_tool("python"), "-m", "tools.docs", "--check"]]),
    Suite("alerts", "promtool: alert rules and their tests", _promtool, missing=_promtool_missing),
    Suite(
        "types",
        "basedpyright, strict",
        lambda _: [[_tool("basedpyright")], [_tool("basedpyright"), "-p", ".pyright-tests.json"]],
        beside=True,
    ),
    Suite(
        "web-check",
        "web: Biome and TypeScript",
        _npm("run", "check"),
        missing=_web_missing,
        folder=WEB,
        beside=True,
    ),
    Suite(
        "web-test",
        "web: Vitest",
        _npm("test", "--", *VITEST),
        missing=_web_missing,
        report=VITEST_REPORT,
        folder=WEB,
        beside=True,
    ),
    _tests(
        "pytest",
        "unit, component, contract, security, architecture",
        *(*APART, "-m", "not chaos and not e2e"),
        at_once=3,
    ),
    _tests(
        "chaos",
        "kills, frozen parts, broken networks, and the mutants that prove the judges",
        *(*APART, "-m", "chaos"),
        at_once=3,
        ignores=(*ASIDE, ":!web", ":!deploy", ":!tests/e2e"),
        waits=True,
    ),
    _tests(
        "chart",
        "the Helm chart: rendered, walked through, judged by others' programs",
        "tests/chart",
        missing=cluster_tools.why_not,
    ),
    _tests(
        "e2e",
        "journeys in Chromium against the whole product",
        *("tests/e2e", "--no-loadscope-reorder"),
        at_once=2,
        together="loadfile",
        missing=_e2e_missing,
        ignores=(*ASIDE, ":!deploy", ":!tests/chaos"),
    ),
    _tests(
        "e2e-stack",
        "the same journeys on the stack, and the stack itself",
        *("tests/stack", "tests/e2e", "--product=stack", "--deselect", "tests/e2e/test_from_nothing.py"),
        missing=_stack_missing,
        ignores=(*ASIDE, ":!deploy", ":!tests/chaos"),
    ),
    Suite(
        "cluster",
        "image and chart on a real cluster",
        lambda extra: [[_tool("python"), "-m", "tests.cluster", "--", *extra]],
        missing=cluster.why_not_in_ci,
        report=RESULTS / "cluster.xml",
        shown=True,
        optional=True,
    ),
)
