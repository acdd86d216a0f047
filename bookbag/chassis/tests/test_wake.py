"""Wake-ups reach sleepers of other processes, many at once, and nobody waits for them or for an absent Redis."""

import asyncio
from urllib.parse import urlsplit

import pytest

from bookbag.chassis.wake import AT_ONCE, Wake
from tests.chaos.tcp_proxy import between
from tests.support.house import House, eventually

WITHIN = 10.0


@pytest.fixture
async def pair(house: House):
    here, there = (Wake(house.databases.redis_url, "live", "bus") for _ in range(2))
    for one in (here, there):
        await one.start()
    with there.sleeper("bus") as sleeper:  # until the other one listens, signals have nobody to reach

        async def listens() -> bool:
            here.signal("bus")
            return await sleeper.wait(0.1)

        await eventually(listens)
    yield here, there
    for one in (here, there):
        await one.close()


async def test_a_signal_wakes_here_and_in_another_process(pair):
    here, there = pair
    with here.sleeper("live:a") as near, there.sleeper("live:a") as far, there.sleeper("live:b") as other:
        here.signal("live:a")
        assert await near.wait(WITHIN)
        assert await far.wait(WITHIN)
        assert not await other.wait(0.05)


async def test_one_sleeper_waits_for_several_channels_and_can_ask_without_waiting(pair):
    here, _ = pair
    with here.sleeper("live:a", "live:policy") as sleeper:
        assert not sleeper.was_rung()
        for channel in ("live:a", "live:policy"):
            here.ring(channel)
            assert sleeper.was_rung()
            assert not sleeper.was_rung()
        here.ring("live:policy")
        assert await sleeper.wait(WITHIN)
    here.ring("live:a")
    assert not sleeper.was_rung()


async def test_many_channels_are_woken_by_few_messages(pair, monkeypatch):
    here, there = pair
    sent = []
    publish = here.redis.publish

    async def counted(family, named):
        sent.append(len(named.split("\n")))
        return await publish(family, named)

    monkeypatch.setattr(here.redis, "publish", counted)
    channels = [f"live:{number}" for number in range(AT_ONCE * 2 + 1)]
    sleepers = [there.sleeper(channel) for channel in channels]
    for sleeper in sleepers:
        sleeper.__enter__()
    for channel in channels:
        here.signal(channel)
    assert all([await sleeper.wait(WITHIN) for sleeper in sleepers])
    assert sum(sent) == len(channels)
    assert len(sent) == 3
    for sleeper in sleepers:
        sleeper.__exit__()


async def test_a_family_nobody_asked_for_is_not_heard(pair):
    here, there = pair
    with there.sleeper("messaging:outbox") as sleeper:
        here.signal("messaging:outbox")
        assert not await sleeper.wait(0.1)


async def test_without_redis_only_this_process_is_woken():
    wake = Wake("redis://127.0.0.1:1/0", "live")
    await wake.start()
    with wake.sleeper("live:a") as sleeper:
        wake.signal("live:a")
        assert await sleeper.wait(WITHIN)
    await wake.close()


@pytest.mark.slow
@pytest.mark.req("OPS-4")
async def test_a_listener_whose_line_went_silent_leaves_it_and_hears_again(house: House):
    url = urlsplit(house.databases.redis_url)
    with between(url.port or 6379) as proxy:
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{proxy.port}")).geturl()
        here, there = Wake(house.databases.redis_url), Wake(through, "live")
        await there.start()
        with there.sleeper("live:a") as sleeper:

            async def heard() -> bool:
                here.signal("live:a")
                return await sleeper.wait(0.1)

            await eventually(heard)
            proxy.freeze()
            proxy.thaw()  # new lines pass; the one it listens on stays silent for ever
            while await sleeper.wait(0.1):
                """What was still on its way."""
            assert not await heard()
            await eventually(heard, seconds=60)
        await here.close()
        await there.close()


class FailsAtTheEnd:
    """A subscription whose connection fails just when it is given back."""

    def __init__(self) -> None:
        self.waits = asyncio.Event()

    async def __aenter__(self) -> "FailsAtTheEnd":
        return self

    async def __aexit__(self, *_: object) -> None:
        raise TimeoutError

    async def subscribe(self, *_: str) -> None:
        """As asked."""

    async def get_message(self, **_: float) -> None:
        self.waits.set()
        await asyncio.sleep(WITHIN)


async def test_it_closes_also_when_its_connection_fails_just_then(house: House, monkeypatch):
    wake, subscription = Wake(house.databases.redis_url, "bus"), FailsAtTheEnd()
    monkeypatch.setattr(wake._listening, "pubsub", lambda: subscription)
    await wake.start()
    await asyncio.wait_for(subscription.waits.wait(), WITHIN)
    closing = asyncio.create_task(wake.close())
    assert (await asyncio.wait({closing}, timeout=WITHIN))[0] == {closing}
