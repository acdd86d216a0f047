"""The same request under the same key is done once and answered alike; another one under that key is refused."""

import asyncio
from uuid import uuid4

import pytest

from bookbag.chassis.idempotency import checked_key, fingerprint, once
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.problems import Problem
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House

TOY = Service(name="toy", settings=ServiceSettings, migrations=(("chassis", CHASSIS),))


@pytest.mark.req("MSG-18")
async def test_ten_requests_at_once_under_one_key_are_done_once(house: House) -> None:
    school, person, made = uuid4(), uuid4(), []

    async def make() -> dict[str, int]:
        made.append(1)
        return {"number": len(made)}

    async with house.runtime(TOY, working=False) as runtime:

        async def request() -> tuple[dict[str, int], bool]:
            async with runtime.database.tenant(school) as tx:
                return await once(tx, person, "a-key-of-mine", fingerprint("POST", "x"), make)

        answers = await asyncio.gather(*(request() for _ in range(10)))
        assert [answer for answer, _ in answers] == [{"number": 1}] * 10
        assert sorted(new for _, new in answers) == [False] * 9 + [True]
        async with runtime.database.tenant(school) as tx:
            with pytest.raises(Problem, match="key-reused"):
                await once(tx, person, "a-key-of-mine", fingerprint("POST", "y"), make)


async def test_a_request_that_failed_may_be_tried_again_under_its_key(house: House) -> None:
    school, person = uuid4(), uuid4()

    async def fail() -> dict[str, int]:
        raise ZeroDivisionError

    async def make() -> dict[str, int]:
        return {"number": 1}

    async with house.runtime(TOY, working=False) as runtime:
        with pytest.raises(ZeroDivisionError):
            async with runtime.database.tenant(school) as tx:
                await once(tx, person, "a-key-of-mine", b"", fail)
        async with runtime.database.tenant(school) as tx:
            assert await once(tx, person, "a-key-of-mine", b"", make) == ({"number": 1}, True)


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "key-missing"), ("short", "key-malformed"), ("ä" * 10, "key-malformed"), ("k" * 65, "key-malformed")],
)
def test_a_bad_key_is_refused_in_words(key: str | None, code: str) -> None:
    with pytest.raises(Problem, match=code):
        checked_key(key)
