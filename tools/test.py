"""Runs the suites in an order that fails early, says what it skips and why, and ends with counted results.

The quick checks run two at a time, then the suites of tests one after the other. While one of those leaves time, the checks that take
long run beside it, and are told when it has ended. A suite of tests that passed on exactly these files is not run again, unless it is
asked for by name or by continuous integration.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tools import unchanged
from tools.suites import BIN, RESULTS, SUITES, Count, Suite, counted

VERDICT = RESULTS / "verdict.txt"
"""The last line of the last run, which `.ci/run` repeats after whatever make says."""

UNCHANGED = "it passed on exactly these files; make test ONLY={} runs it all the same"

GENTLY = ("nice", "-n", "10")
"""How a check is run that may run beside tests: they come first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one suite."""

    suite: Suite
    count: Count
    seconds: float
    output: str = ""
    skipped_because: str | None = None
    kept: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether nothing failed."""
        return self.count.failed == 0


def main(args: list[str]) -> int:
    """Run the wanted suites; 0 when nothing failed and, under CI=true, nothing was skipped."""
    wanted, extra, everything = _wanted(args)
    RESULTS.mkdir(parents=True, exist_ok=True)
    strict = os.environ.get("CI") == "true"
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in run(wanted, extra, anew=strict or not everything, strict=strict):
        _tell(outcome)
        outcomes.append(outcome)
    return _close(outcomes, time.monotonic() - began, strict=strict)


def run(wanted: Sequence[Suite], extra: list[str], *, anew: bool, strict: bool) -> Iterator[Outcome]:
    """Run the suites and give what became of each, in words of one at a time. `anew` runs those that passed on these files too."""
    shown = [suite for suite in wanted if suite.shown]
    beside = [suite for suite in wanted if suite.beside] if any(suite.waits for suite in shown) else []
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield from pool.map(
            partial(_run, extra=[], strict=strict), [each for each in wanted if each not in (*shown, *beside)]
        )
    with ThreadPoolExecutor(max_workers=1) as pool:
        for suite in shown:
            others = [pool.submit(_run, each, [], strict=strict) for each in beside] if suite.waits else []
            beside = [] if others else beside
            print(f"\n── {suite.name}: {suite.what}", flush=True)
            if not anew and unchanged.passed(suite):
                yield Outcome(suite, Count(), 0.0, skipped_because=UNCHANGED.format(suite.name), kept=True)
            else:
                yield _remembered(suite, extra, strict=strict)
            for other in others:
                yield other.result()


def _remembered(suite: Suite, extra: list[str], *, strict: bool) -> Outcome:
    """Run a suite whole and keep in mind that it passed; a part of it says nothing of the rest."""
    state = unchanged.state_of(suite)
    unchanged.forget(suite)
    outcome = _run(suite, extra, strict=strict)
    if outcome.holds and not outcome.count.skipped and not outcome.skipped_because and not extra:
        unchanged.remember(suite, state)
    return outcome


def _wanted(args: list[str]) -> tuple[list[Suite], list[str], bool]:
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(prog="python -m tools.test", description=__doc__)
    parser.add_argument("--only", help=f"some of {','.join(names)}")
    parser.add_argument("extra", nargs="*", help="options for pytest, after --")
    parsed = parser.parse_args(args)
    only = parsed.only.split(",") if parsed.only else names
    unknown = sorted(set(only) - set(names))
    if unknown:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(names)}")
    everything = not parsed.only and not parsed.extra
    return [suite for suite in SUITES if suite.name in only], parsed.extra, everything


def _run(suite: Suite, extra: list[str], *, strict: bool) -> Outcome:
    reason = suite.missing()
    if reason is not None:
        count = Count(skipped=1) if not strict else Count() if suite.optional else Count(failed=1)
        return Outcome(suite, count, 0.0, skipped_because=reason)
    began = time.monotonic()
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONUNBUFFERED": "1"}
    if suite.report is not None:
        suite.report.unlink(missing_ok=True)
    output, code = "", 0
    for command in suite.commands(extra):
        done = subprocess.run(
            [*GENTLY, *command] if suite.beside else command,
            cwd=suite.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=None if suite.shown else subprocess.PIPE,
            stderr=None if suite.shown else subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        output, code = output + (done.stdout or ""), done.returncode
        if code:
            break
    seconds = time.monotonic() - began
    count = counted(suite.report) if suite.report else Count(passed=int(code == 0), failed=int(code != 0))
    if code and not count.failed:
        # The runner itself failed: a crash, a usage error, no test found. It must not look like success.
        count += Count(failed=1)
    return Outcome(suite, count, seconds, output)


def _tell(outcome: Outcome) -> None:
    mark = "–" if outcome.skipped_because else "✓" if outcome.holds else "✗"
    line = f"{mark} {outcome.suite.name:10} {outcome.suite.what:50} {outcome.seconds:6.1f} s"
    print(f"{line}  not run: {outcome.skipped_because}" if outcome.skipped_because else line, flush=True)
    if not outcome.holds and outcome.output:
        print("\n".join(f"    {text}" for text in outcome.output.rstrip().splitlines()[-200:]), flush=True)


def _close(outcomes: Iterable[Outcome], seconds: float, *, strict: bool) -> int:
    outcomes = list(outcomes)
    print("\n── all suites")
    total = Count()
    for outcome in outcomes:
        count = outcome.count
        total += count
        counted = f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped"
        reason = f" ({outcome.skipped_because})" if outcome.skipped_because else ""
        print(f"  {outcome.suite.name:10} {counted}{reason}, {outcome.seconds:.1f} s")
    print("  (a check without tests of its own counts as one)")
    if strict and total.skipped:
        print("  CI allows no skipped test: this run fails.")
    kept = ", ".join(outcome.suite.name for outcome in outcomes if outcome.kept)
    verdict = f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped in {seconds:.0f} s"
    verdict += f"; not run again: {kept}" if kept else ""
    VERDICT.write_text(f"{verdict}\n")
    print(verdict, flush=True)
    return 1 if total.failed or (strict and total.skipped) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
