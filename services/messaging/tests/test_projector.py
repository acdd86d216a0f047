"""A projector that was frozen past its lease and wakes: it applies nothing and does not say that its copy is fresh."""

from uuid import uuid4

import asyncpg
import pytest

from bookbag.directory.projector import NotOurs, Projector
from bookbag.identity.v1.access_pb2 import AccessChange, School
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-3", "OPS-4")

LEASE = "projector/feed"


def a_school(position: int) -> AccessChange:
    school = School(code="OAKS", name="Oak School", country="GB", zone="Europe/London", language="en")
    return AccessChange(school_id=str(uuid4()), position=position, revision=1, school=school)


async def test_a_projector_whose_lease_is_anothers_changes_nothing(fresh_house: House) -> None:
    async with fresh_house.runtime("messaging") as runtime:
        across = runtime.across_schools
        projector = Projector(runtime, {})
        await projector.leases.renew()
        await projector.apply([a_school(1)], 1)
        await across.execute("update lease set expires_at = '-infinity' where name = $1", LEASE)
        await across.fetch("select * from take_leases($1, 'the next', 60)", [LEASE])
        before = await runtime.database.fetchrow("select position, heard_at from feed_state")

        assert projector.leases.held_of("feed") is not None, "it does not know yet that it slept"
        with pytest.raises(NotOurs):
            await projector.apply([a_school(2)], 2)
        with pytest.raises(NotOurs):
            await projector._note("heard_at = clock_timestamp()")

        assert await runtime.database.fetchrow("select position, heard_at from feed_state") == before
        assert len(await _schools(fresh_house)) == 1


async def _schools(house: House) -> list[str]:
    connection = await asyncpg.connect(house.databases.urls["messaging"].backup)
    try:
        return [str(row["school_id"]) for row in await connection.fetch("select school_id from known_school")]
    finally:
        await connection.close()
