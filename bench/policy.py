"""policy: what one decision of a school's rules costs, at random instants of a school year, for each preset.

Processor time of one thread, the days of the year laid out beforehand as they are in a process that has run for a while; the
first question about each day is counted apart. Nothing is started: the rules are pure.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from bench.results import Result
from bookbag.school.policy.parse import parse
from bookbag.school.policy.presets import PRESETS, preset_text
from bookbag.school.policy.rules import SchoolRules, may_enter, may_ring, may_send, on_duty
from bookbag.school.roles import Role

GOAL = 20.0
INSTANTS = 5_000
ROUNDS = 5
_FIRST = datetime(2026, 9, 1, tzinfo=UTC)
_ADDRESS = ip_address("203.0.113.20")

Decide = Callable[[datetime], object]


def measure() -> Sequence[Result]:
    """The slowest decision of the slowest preset, and all single ones."""
    chosen = random.Random(20261125)
    instants = [_FIRST + timedelta(seconds=chosen.random() * 330 * 86_400) for _ in range(INSTANTS)]
    runs: dict[str, list[float]] = {}
    first: list[float] = []
    compiling: list[float] = []
    for letter in PRESETS.values():
        policy = parse(preset_text(letter))
        begun = time.process_time()
        rules = SchoolRules(policy)
        compiling.append((time.process_time() - begun) * 1e6)
        for name, decide in _decisions(rules).items():
            first.append(_microseconds(decide, instants))
            runs[f"{letter} {name}"] = [_microseconds(decide, instants) for _ in range(ROUNDS)]
    medians = {name: statistics.median(values) for name, values in runs.items()}
    slowest = max(medians, key=lambda name: medians[name])
    for name, value in sorted(medians.items()):
        print(f"policy: {name}: {value:.1f} µs")
    print(
        f"policy: making the rules {max(compiling):.0f} µs; a decision with no day known yet {max(first):.1f} µs on average"
    )
    what = f"processor time of one decision, the slowest of all presets ({slowest})"
    value = round(medians[slowest], 1)
    return [
        Result("policy", what, value, "µs", f"≤ {GOAL:g} µs", value <= GOAL, {**runs, "making the rules": compiling})
    ]


def _decisions(rules: SchoolRules) -> dict[str, Decide]:
    guardian, teacher = rules.person(Role.GUARDIAN), rules.person(Role.TEACHER)
    return {
        "a family writes": lambda at: may_send(guardian, at),
        "a teacher writes": lambda at: may_send(teacher, at),
        "on duty": lambda at: on_duty(teacher, at),
        "may ring": lambda at: may_ring(teacher, at),
        "may enter": lambda at: may_enter(teacher, at, _ADDRESS),
    }


def _microseconds(decide: Decide, instants: Sequence[datetime]) -> float:
    begun = time.process_time()
    for at in instants:
        decide(at)
    return (time.process_time() - begun) / len(instants) * 1e6
