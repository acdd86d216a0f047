"""What the rules of a school do to a live stream that is open: they end it, or it says that they are other ones."""

from datetime import timedelta
from typing import Any

import pytest

from bookbag.directory.policy import mark_at
from bookbag.identity.v1.access_pb2 import AccessChange, OwnHours
from bookbag.school.policy.parse import as_data, parse
from bookbag.school.policy.presets import preset_text
from services.notify.tests.conftest import MONDAY, Town
from services.notify.tests.test_live import Stream, guardian, next_chunk, stream, wake
from tests.support.policy import OPEN, document_with


def closing_at_four(**access: Any) -> dict[str, Any]:
    """Rules by which staff are in from 08:00 to 16:00, from anywhere."""
    staff = as_data(parse(preset_text("a")))["staff"]
    return {"preset": "a", "number": 2, "staff": staff | {"access": staff["access"] | {"places": "anywhere"} | access}}


@pytest.mark.req("POL-4")
async def test_when_the_school_closes_the_stream_of_a_teacher_ends_and_says_so_and_a_familys_goes_on(town: Town):
    await town.has_rules(town.school, **closing_at_four())
    town.clock.instant = MONDAY.replace(hour=15, minute=55)
    teacher = town.bearer(town.teacher, "teacher")
    async with stream(town, teacher) as live, stream(town, guardian(town)) as family:
        await live.frame()
        await family.frame()
        town.clock.move(timedelta(minutes=6))

        assert await live.frame() == (None, "ended", {"code": "outside-hours"})
        assert await live.chunk() is None
        await town.message()
        assert (await family.frame())[1] == "message"
    async with stream(town, town.bearer(town.teacher, "teacher")) as again:
        assert again.status == 403


@pytest.mark.req("POL-2", "POL-4")
async def test_rules_that_change_close_a_stream_that_is_open(town: Town):
    async with stream(town, town.bearer(town.teacher, "teacher")) as live:
        await live.frame()
        await town.has_rules(town.school, **closing_at_four(places="networks"))

        assert await live.frame() == (None, "ended", {"code": "outside-network"})
        assert await live.chunk() is None


async def rules_are_told(live: Stream) -> None:
    assert await live.frame() == (None, "rules", {})


@pytest.mark.req("POL-2")
async def test_other_rules_are_told_on_open_streams_of_that_school_to_everybody_once(town: Town):
    async with stream(town, guardian(town)) as family, stream(town, town.bearer(town.teacher, "teacher")) as staff:
        await family.frame()
        await staff.frame()
        await next_chunk(town, family)  # it has looked
        await town.obeys(document_with("b", OPEN | {"messages.families.outside": "refuse"}))

        await rules_are_told(family)
        await rules_are_told(staff)
        await town.message()
        assert (await family.frame())[1] == "message"
        assert family.nothing_more()


@pytest.mark.req("POL-2")
async def test_a_version_that_waits_is_told_when_it_begins_to_count(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        await next_chunk(town, live)
        await town.obeys(document_with("b", OPEN), counts_from=MONDAY + timedelta(minutes=5))
        await town.message()
        assert (await live.frame())[1] == "message"
        town.clock.move(timedelta(minutes=5))
        wake(town)

        await rules_are_told(live)


@pytest.mark.req("POL-3")
async def test_own_hours_are_told_to_whom_they_are_of(town: Town):
    async with stream(town, town.bearer(town.teacher, "teacher")) as own, stream(town, guardian(town)) as other:
        await own.frame()
        await other.frame()
        await next_chunk(town, other)
        hours = OwnHours(person_id=str(town.teacher), week='{"monday": [{"from": "09:00", "to": "12:00"}]}')
        await town.learns(AccessChange(school_id=str(town.school), revision=1, own_hours=hours))

        await rules_are_told(own)
        await town.message()
        assert (await other.frame())[1] == "message"


@pytest.mark.req("POL-2")
async def test_what_the_feed_brings_is_obeyed_at_once_and_not_when_the_memory_of_the_rules_is_old(town: Town):
    """Whoever is woken by the change asks a memory that is a moment old, and must not be told the rules before."""
    before = await mark_at(town.runtime, town.school, town.guardian, MONDAY)
    await town.learns(town.version_of(document_with("b", OPEN)))

    assert await mark_at(town.runtime, town.school, town.guardian, MONDAY) != before
