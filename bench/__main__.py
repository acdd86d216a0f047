"""`python -m bench [--only P1,P6]`: measure, print, write build/results/bench.json."""

import argparse
import sys
from collections.abc import Callable, Sequence

from bench import latency, p1, p4, p6, policy
from bench.results import Result, show, write

MEASUREMENTS: dict[str, Callable[[], Sequence[Result]]] = {
    "P1": p1.measure,
    "P4": p4.measure,
    "P6": p6.measure,
    "E2E": latency.measure,
    "policy": policy.measure,
}


def main() -> int:
    """Run the measurements asked for. Exit code 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", default=",".join(MEASUREMENTS), help="ids, by comma")
    asked = parser.parse_args().only.split(",")
    missed = False
    for name in asked:
        if name not in MEASUREMENTS:
            parser.error(f"there is no {name}; there are: {', '.join(MEASUREMENTS)}")
        results = MEASUREMENTS[name]()
        write(results)
        for result in results:
            show(result)
            missed = missed or not result.holds
    return 1 if missed else 0


sys.exit(main())
