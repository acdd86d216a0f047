"""Copies of who is who while an update rolls: an older release passes over facts that it does not know, and the newer one has them all."""

import asyncio

import asyncpg
import pytest

from bookbag.directory.projector import UNDERSTOOD, Projector
from bookbag.local.testing import TestServers
from tests.support.house import House
from tests.support.whole import Whole

pytestmark = pytest.mark.req("OPS-2", "OPS-4")


def test_what_an_older_release_could_not_keep_is_loaded_by_the_next(whole: Whole, servers: TestServers) -> None:
    """A kind of fact that it did not know at all, and a field of one that it kept."""
    whole.end("work")
    holders = whole.rows("messaging", "select count(*) as n from known_seat_holder")[0]["n"]
    assert holders
    older = sorted(one for one in UNDERSTOOD if not one.startswith("seat_holder.") and one != "school.name")
    asyncio.run(
        as_superuser(
            servers.postgres.url(whole.house.databases.databases["messaging"]),
            "delete from known_seat_holder; update known_school set name = '';"
            f" update feed_state set understood = '{{{','.join(older)}}}'",
        )
    )
    assert not whole.rows("messaging", "select 1 from known_seat_holder")

    whole.begin("work")

    whole.wait(lambda: whole.rows("messaging", "select count(*) as n from known_seat_holder")[0]["n"] == holders)
    whole.wait(lambda: not whole.rows("messaging", "select 1 from known_school where name = ''"))
    whole.wait(lambda: set(whole.rows("messaging", "select understood from feed_state")[0]["understood"]) == UNDERSTOOD)


async def as_superuser(url: str, sql: str) -> None:
    """Past the policies of rows, which bind the owner of the tables too."""
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


async def test_an_older_release_goes_on_from_a_newer_ones_copy_and_says_so(fresh_house: House) -> None:
    async with fresh_house.runtime("messaging") as runtime:
        projector = Projector(runtime, {})
        await projector.leases.renew()
        await runtime.database.execute(
            "update feed_state set position = 7, understood = $1", sorted({*UNDERSTOOD, "kitchen.menu"})
        )

        assert await projector._position() == 7

        assert set(await runtime.database.fetchval("select understood from feed_state")) == UNDERSTOOD
