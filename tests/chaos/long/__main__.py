"""`python -m tests.chaos.long [--only R1,R4] [--cycles 60] [--minutes 10]`: run, print, write build/results/chaos.json."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.results import Result, show, write
from tests.chaos.long import duplicates, kills, outage, suite

CHAOS = Path("build/results/chaos.json")

PARTS: dict[str, tuple[tuple[str, ...], Callable[[argparse.Namespace], Sequence[Result]]]] = {
    "kills": (("R1", "R3", "R5", "R7"), lambda asked: asyncio.run(kills.measure(asked.cycles, asked.seed))),
    "outage": (("R4",), lambda asked: asyncio.run(outage.measure(asked.minutes, asked.rate))),
    "duplicates": (("R2",), lambda asked: asyncio.run(duplicates.measure(asked.duplicates))),
    "suite": (("R5", "R6", "R7", "R9"), lambda _: suite.measure()),
}
"""Each part and the invariants it measures; some are measured by two."""


def main() -> int:
    """Run the parts asked for. Exit code 1 when an invariant does not hold."""
    asked = _asked()
    broken = False
    for name in asked.parts:
        results = PARTS[name][1](asked)
        write(results, CHAOS)
        for result in results:
            show(result)
            broken = broken or not result.holds
    return 1 if broken else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts or invariants, by comma")
    parser.add_argument("--cycles", type=int, default=60, help="troubles of the campaign of kills")
    parser.add_argument("--seed", type=int, default=20261125, help="what the people of the campaign do by chance")
    parser.add_argument("--minutes", type=float, default=10, help="how long the broker is away")
    parser.add_argument("--rate", type=float, default=50, help="writes a second while it is")
    parser.add_argument("--duplicates", type=int, default=10_000, help="events that come again")
    asked = parser.parse_args()
    wanted = asked.only.split(",")
    unknown = [each for each in wanted if each not in PARTS and not any(each in gives for gives, _ in PARTS.values())]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}, and R1 to R9 but R8")
    asked.parts = [name for name, (gives, _) in PARTS.items() if name in wanted or set(gives) & set(wanted)]
    return asked


sys.exit(main())
