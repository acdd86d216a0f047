"""A process dies at every named point, and PostgreSQL and Valkey die too, while people write: nothing acknowledged is lost, doubled or
out of order, and nobody had to help."""

import random
from pathlib import Path

import pytest

from bookbag.chassis import faults
from tests.chaos.campaign import Campaign, at_point, struck
from tests.chaos.orders import Orders
from tests.support.product import running

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = 20261123

TROUBLES = (
    at_point(faults.BEFORE_INSERT, "kill", "messaging app", part="api"),
    at_point(faults.AFTER_PUBLISH, "kill", "messaging", part="relay"),
    at_point(faults.AFTER_EFFECT, "kill", "notify", part="consumer"),
    struck("postgres", part="postgresql"),
    at_point(faults.BEFORE_COMMIT, "kill", "notify app", part="consumer"),
    at_point(faults.AFTER_COMMIT, "kill", "messaging app", part="api"),
    at_point(faults.AFTER_HAND_OVER, "kill", "notify", part="mail"),
    struck("valkey", part="valkey"),
)
"""Where processes die: in a send and between its commit and its answer; the relay, the consumer in its effect and after, a mail round."""


@pytest.mark.req("MSG-18", "OPS-4", "NTF-3", "NTF-4")
async def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    orders = Orders(tmp_path / "orders")
    with running(tmp_path / "data", BOOKBAG_FAULTS=str(orders.folder)) as product:
        campaign = Campaign(product, orders, random.Random(SEED))
        verdict = await campaign.run(TROUBLES)
    assert verdict.retried > 5, "the faults must have been felt for this to prove anything"
    assert {name: found[:5] for name, found in verdict.wrong.items() if found} == {}
