"""The other leaders are told when somebody came in for a reason outside hours or places."""

from datetime import timedelta
from uuid import UUID

import pytest

from bookbag.chassis.clock import new_id
from bookbag.identity.v1.access_pb2 import AccessChange, BreakGlass
from services.notify.tests.conftest import MONDAY, Town
from tests.support.policy import OPEN, document_with

pytestmark = pytest.mark.req("POL-4")

UNTIL = MONDAY + timedelta(minutes=30)


@pytest.fixture
async def leaders(town: Town) -> list[UUID]:
    """Two leaders who can be reached, and one whose membership ended."""
    found = [new_id(), new_id(), new_id()]
    for number, one in enumerate(found):
        standing = "ended" if number == 2 else "active"
        address = f"lea.{number}@example.org"
        await town.knows(one, "leader", f"Lea {number}", "es", address=address, standing=standing)
    return found


async def breaks_glass(town: Town, person: UUID, *, revision: int = 7, role: str = "leader", until=UNTIL) -> None:
    glass = BreakGlass(person_id=str(person), role=role)
    glass.until.FromDatetime(until)
    await town.learns(AccessChange(school_id=str(town.school), revision=revision, break_glass=glass))


async def test_each_other_leader_gets_a_mail_in_their_language_that_names_who_and_until_when(
    town: Town, leaders: list[UUID]
):
    await breaks_glass(town, leaders[0])
    await town.rounds()

    assert await town.deliveries() == {leaders[1]: ("sent", None)}
    (mail,) = town.post.mails
    assert mail["To"] == "lea.1@example.org"
    assert mail["Content-Language"] == "es"
    text = mail.get_body(("plain",)).get_content()
    assert "Lea 0" in text
    assert "15:30" in text
    assert "/record" in text


async def test_a_teacher_who_came_in_is_told_of_to_all_leaders_and_their_items_say_so(town: Town, leaders: list[UUID]):
    await breaks_glass(town, town.teacher, role="teacher")

    assert set(await town.deliveries()) == set(leaders[:2])
    async with town.house.client(town.runtime) as client:
        told, families = [
            (await client.get("/v1/notifications", headers=town.bearer(*who))).json()["items"]
            for who in ((leaders[1], "leader"), (town.guardian, "guardian"))
        ]
    (item,) = told
    assert (item["kind"], item["author_name"], item["thread"], item["message"]) == ("glass", "Ada Hill", None, None)
    assert item["until"] == UNTIL.isoformat().replace("+00:00", "Z")
    assert families == []


async def test_nobody_is_told_twice_and_a_copy_made_anew_tells_nothing_that_is_over(town: Town, leaders: list[UUID]):
    await breaks_glass(town, leaders[0])
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute("update known_break_glass set revision = 1")  # as a copy that has not heard it
    await breaks_glass(town, leaders[0])
    assert await town.count("notification", leaders[1]) == 1

    await breaks_glass(town, leaders[0], revision=8, until=MONDAY - timedelta(minutes=1))
    assert await town.count("notification", leaders[1]) == 1

    await breaks_glass(town, leaders[0], revision=9)
    assert await town.count("notification", leaders[1]) == 2


async def test_who_leads_no_more_when_the_mail_leaves_gets_none(town: Town, leaders: list[UUID]):
    await breaks_glass(town, leaders[0])
    await town.knows(leaders[1], "leader", "Lea 1", "es", standing="ended")
    await town.rounds()

    assert await town.deliveries() == {leaders[1]: ("cancelled", "no-right")}
    assert town.post.mails == []


async def test_the_mail_waits_for_the_hours_in_which_a_leader_may_be_rung(town: Town, leaders: list[UUID]):
    hours = {"staff.notifications.hours": "staff", "staff.notifications.exempt": []}
    await town.obeys(document_with("b", OPEN | hours))
    town.clock.instant = MONDAY.replace(hour=20)
    await breaks_glass(town, leaders[0], until=town.clock.now() + timedelta(minutes=30))
    await town.rounds()
    assert await town.deliveries() == {leaders[1]: ("waiting", "quiet-hours")}

    await town.after(hours=12)
    assert await town.deliveries() == {leaders[1]: ("sent", None)}
