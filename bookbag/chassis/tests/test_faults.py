"""Fault points: nothing without orders, one order for one process once, and never in a cluster."""

import time

import pytest

from bookbag.chassis import faults
from tests.chaos.orders import Orders
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-4")


@pytest.fixture
def orders(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "reached", faults.reached)  # what is switched on here is off afterwards
    faults.switch_on(tmp_path / "faults")
    return Orders(tmp_path / "faults")


async def test_an_order_is_carried_out_once_and_by_whom_it_is_for(orders):
    await faults.reached(faults.BEFORE_COMMIT, "messaging app")
    name = orders.give(faults.BEFORE_COMMIT, "fail", whose="messaging app")
    await faults.reached(faults.BEFORE_COMMIT, "notify app")
    await faults.reached(faults.AFTER_COMMIT, "messaging app")
    assert orders.carried_out_by(name) is None
    with pytest.raises(faults.Ordered):
        await faults.reached(faults.BEFORE_COMMIT, "messaging app")
    assert orders.carried_out_by(name)
    await faults.reached(faults.BEFORE_COMMIT, "messaging app")


async def test_a_delay_waits_and_goes_on(orders):
    orders.give(faults.AFTER_EFFECT, "delay 0.2")
    began = time.monotonic()
    await faults.reached(faults.AFTER_EFFECT, "notify")
    assert time.monotonic() - began >= 0.2


async def test_an_order_nobody_knows_is_refused(orders):
    orders.give(faults.AFTER_EFFECT, "explode")
    with pytest.raises(ValueError, match="kill, freeze, fail, delay"):
        await faults.reached(faults.AFTER_EFFECT, "notify")


def test_a_cluster_refuses_to_start_with_orders(house: House, tmp_path):
    with house.settings(BOOKBAG_FAULTS=str(tmp_path)) as platform:
        assert platform.faults == tmp_path
    with (
        pytest.raises(ValueError, match="refused in a cluster"),
        house.settings(BOOKBAG_FAULTS=str(tmp_path), BOOKBAG_ENVIRONMENT="cluster"),
    ):
        pass
