"""While an installation is renewed, processes that know a kind of notification work beside others that do not yet: nobody stumbles."""

from collections.abc import AsyncIterator

import pytest

from bookbag.chassis.clock import new_id
from services.notify.tests.conftest import MONDAY, Town, town_in
from services.notify.tests.test_glass import breaks_glass
from services.notify.tests.test_live import guardian, stream
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-2", "OPS-4")


@pytest.fixture
async def newer(fresh_house: House) -> AsyncIterator[Town]:
    """A town in whose database a newer process has told of things that this one does not know, beside a message that it does."""
    await fresh_house.owner(
        "notify",
        "alter table notification drop constraint notification_kind_check;"
        " alter table stream_event drop constraint stream_event_kind_check",
    )
    async with town_in(fresh_house) as town:
        await town.message()
        await _tells_of_a_comet(town)
        yield town


async def _tells_of_a_comet(town: Town) -> None:
    event = new_id()
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute(
            "insert into notification (school_id, person_id, event_id, notification_id, kind, roles, author_id, created_at)"
            " values ($1, $2, $3, $4, 'comet', array['guardian'], $5, $6)",
            town.school, town.guardian, event, new_id(), town.teacher, MONDAY,
        )  # fmt: skip
        await tx.execute(
            "insert into delivery (school_id, person_id, event_id, channel, delivery_id, state, due_at, created_at, updated_at)"
            " values ($1, $2, $3, 'email', $4, 'waiting', $5, $5, $5)",
            town.school, town.guardian, event, new_id(), MONDAY,
        )  # fmt: skip
        await tx.execute(
            "update stream_head set number = number + 1 where school_id = $1 and person_id = $2",
            town.school,
            town.guardian,
        )
        await tx.execute(
            "insert into stream_event (school_id, person_id, number, event_id, kind, roles, thread_id, at)"
            " select $1, $2, number, $3, 'comet', array['guardian'], $4, $5 from stream_head where school_id = $1 and person_id = $2",
            town.school, town.guardian, event, town.thread, MONDAY,
        )  # fmt: skip


async def test_a_mail_of_a_kind_that_is_not_known_yet_waits_and_the_others_go(newer: Town) -> None:
    await newer.after(seconds=60)
    assert len(newer.post.to("marta@example.org")) == 1
    async with newer.runtime.database.tenant(newer.school) as tx:
        left = await tx.fetch(
            "select d.state, d.attempts, d.holder from delivery d join notification n using (school_id, person_id, event_id)"
            " where n.kind = 'comet'"
        )
    assert [tuple(row) for row in left] == [("waiting", 0, None)]


async def test_lists_leave_out_what_is_not_known_yet(newer: Town) -> None:
    async with newer.house.client(newer.runtime) as client:
        items = (await client.get("/v1/notifications", headers=guardian(newer))).json()["items"]
        deliveries = (await client.get("/v1/deliveries", headers=newer.bearer(newer.office, "office"))).json()["items"]
    assert [one["kind"] for one in items] == ["message"]
    assert {one["kind"] for one in deliveries} == {"message"}


async def test_a_live_stream_passes_over_what_is_not_known_yet(newer: Town) -> None:
    async with stream(newer, guardian(newer), after=0) as live:
        _, (number, event, _) = await live.frame(), await live.frame()
        await newer.message()
        later, again, _ = await live.frame()
    assert ((number, event), (later, again)) == ((1, "message"), (3, "message"))


@pytest.mark.req("POL-4")
async def test_code_before_a_kind_takes_mails_of_messages_alone(town: Town) -> None:
    """It names no kinds when it takes what is due."""
    leader = new_id()
    await town.knows(leader, "leader", "Lea Ford", "en", address="lea@example.org")
    await breaks_glass(town, town.teacher, role="teacher")
    await town.message()
    worker = town.runtime.across_schools
    taken = await worker.fetch(
        "select * from claim_due_deliveries($1, 1000, 'a process of before', 30)",
        MONDAY.replace(hour=15, minute=1),
    )
    async with town.runtime.database.tenant(town.school) as tx:
        rows = await tx.fetch(
            "select n.kind, d.holder from delivery d join notification n using (school_id, person_id, event_id)"
            " where d.school_id = $1",
            town.school,
        )
    held = {(row["kind"], row["holder"]) for row in rows}
    assert taken
    assert held == {("message", "a process of before"), ("glass", None)}
