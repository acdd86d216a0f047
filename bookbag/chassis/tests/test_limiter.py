"""Limits count exactly, and each does what it declared when Redis is away."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.limiter import Limit, WhenAway
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.problems import Problem
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House

TOY = Service(name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),))
NOWHERE = "redis://127.0.0.1:1/0"


def limit(when_away: WhenAway) -> Limit:
    return Limit(f"test-{uuid4()}", 3, timedelta(minutes=5), when_away)


@pytest.mark.req("ID-1")
@pytest.mark.parametrize("redis", ["there", "away"])
async def test_a_closed_limit_counts_whether_redis_is_there_or_not(house: House, redis: str) -> None:
    closed = limit(WhenAway.COUNT_IN_DATABASE)
    changed = {} if redis == "there" else {"BOOKBAG_REDIS_URL": NOWHERE}
    clock = MovableClock(datetime(2026, 11, 25, 12, 1, tzinfo=UTC))  # inside a window: its end starts the counting anew
    async with house.runtime(TOY, working=False, clock=clock, **changed) as runtime:
        for _ in range(3):
            await runtime.limiter.take(closed, "somebody")
        with pytest.raises(Problem, match="too-many-requests") as refused:
            await runtime.limiter.take(closed, "somebody")
        assert refused.value.retry_after is not None
        assert 0 < refused.value.retry_after <= 300
        await runtime.limiter.take(closed, "somebody else")
        await runtime.limiter.forget(closed, "somebody")
        await runtime.limiter.take(closed, "somebody")


async def test_an_open_limit_lets_everybody_through_while_redis_is_away(house: House) -> None:
    open_ = limit(WhenAway.OPEN)
    async with house.runtime(TOY, working=False, BOOKBAG_REDIS_URL=NOWHERE) as runtime:
        for _ in range(10):
            await runtime.limiter.take(open_, "somebody")
