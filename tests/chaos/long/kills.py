"""R1, R3, R5 and R7 on the stack: parts die and freeze one after the other while people write, and everything is judged at the end."""

import random
import tempfile
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from bench.results import Result
from bookbag.chassis import faults
from tests.chaos.campaign import Campaign, Recovery, Verdict, asked_to_stop, at_point, frozen, struck
from tests.chaos.orders import Orders
from tests.support.product import running

TROUBLES = (
    at_point(faults.BEFORE_INSERT, "kill", "messaging app", part="service"),
    at_point(faults.AFTER_PUBLISH, "kill", "messaging", part="relay"),
    at_point(faults.AFTER_EFFECT, "kill", "notify", part="consumer"),
    struck("postgres", part="postgresql"),
    struck("broker", part="broker"),
    at_point(faults.BEFORE_COMMIT, "kill", "notify app", part="consumer"),
    struck("valkey", part="redis"),
    at_point(faults.AFTER_COMMIT, "kill", "messaging app", part="service"),
    at_point(faults.AFTER_EFFECT, "freeze", "notify", part="consumer"),
    at_point(faults.AFTER_HAND_OVER, "kill", "notify", part="consumer"),
    frozen("broker", part="broker", seconds=8),
    struck("bookbag serve messaging", part="service"),
    asked_to_stop("bookbag work notify", part="consumer"),
    struck("bookbag work messaging", part="relay"),
    struck("bookbag work identity", part="feed"),
    frozen("bookbag work messaging", part="relay", seconds=8),
)
"""One round. Two workers of notify share its buckets, so that a frozen one is taken over from."""

SERVICE_SECONDS = 5.0
CONSUMER_SECONDS = 15.0
REFUSES = ("service", "postgresql")
"""Parts without which nothing is accepted: of these the time to the first acknowledged message counts."""


async def measure(cycles: int, seed: int) -> Sequence[Result]:
    """Run so many troubles."""
    with tempfile.TemporaryDirectory(prefix="bookbag-chaos-") as folder:
        orders = Orders(Path(folder) / "orders")
        with running(
            Path(folder) / "data", kind="stack", options=("--instances", "notify=2"), BOOKBAG_FAULTS=str(orders.folder)
        ) as product:
            campaign = Campaign(product, orders, random.Random(seed))
            verdict = await campaign.run(list(islice(cycle(TROUBLES), cycles)))
    return judged(verdict, campaign.recoveries)


def judged(verdict: Verdict, recoveries: Sequence[Recovery]) -> list[Result]:
    """The results, with every single run in `raw`."""
    raw = {"troubles": len(recoveries), "writes": verdict.writes, "retried": verdict.retried}
    wrong = {name: len(found) for name, found in verdict.wrong.items()}
    shown = {name: found[:20] for name, found in verdict.wrong.items() if found}
    cycles = len(recoveries)

    def none(name: str, what: str, *kinds: str) -> Result:
        count = sum(wrong[kind] for kind in kinds)
        found = {kind: shown[kind] for kind in kinds if kind in shown}
        return Result(name, what, count, "count", f"0 in {cycles} cycles", count == 0, raw | {"found": found})

    def slowest(name: str, what: str, goal: float, seconds: dict[str, list[float]]) -> Result:
        value = max((max(each) for each in seconds.values()), default=0.0)
        return Result(name, what, round(value, 1), "s", f"≤ {goal:g}", value <= goal, seconds)

    accepted: dict[str, list[float]] = {}
    told: dict[str, list[float]] = {}
    for each in recoveries:
        if each.part in REFUSES:
            accepted.setdefault(each.trouble, []).append(round(each.accepted, 2))
        else:
            told.setdefault(each.trouble, []).append(round(each.told, 2))
    return [
        none("R1", "acknowledged writes lost, or messages nobody sent", "R1 lost", "R1 invented"),
        none(
            "R2a",
            "messages, items or live events doubled, mails beyond those in hand at a kill",
            "R2 doubled",
            "R2 mails",
        ),
        none("R3", "inversions and gaps within a thread", "R3 order"),
        none("R5a", "events neither processed nor dead, readers not told", "R5 untold"),
        slowest("R7a", "a message is accepted again after a service or its database died", SERVICE_SECONDS, accepted),
        slowest("R7b", "a reader is told again after any other part died or froze", CONSUMER_SECONDS, told),
    ]
