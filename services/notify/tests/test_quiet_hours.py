"""Staff are not rung outside their hours; what they are told in the app is there at once."""

import json
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from bookbag.content.v1.service_pb2 import Reader
from services.notify.tests.conftest import Town
from tests.support.policy import document

ADA, MARTA, LEA = "ada@example.org", "marta@example.org", "lea@example.org"
LONDON = ZoneInfo("Europe/London")


async def is_at(town: Town, text: str) -> None:
    """It becomes this time in London, and the rounds that are due are made."""
    town.clock.instant = datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)
    await town.rounds()


async def a_guardian_writes(town: Town, at: str, **more: bool) -> None:
    town.clock.instant = datetime.fromisoformat(at).replace(tzinfo=LONDON).astimezone(UTC)
    await town.message(author=town.guardian, **more)
    await town.after(seconds=30)


@pytest.mark.req("POL-5", "NTF-2")
async def test_a_teacher_is_not_rung_in_the_evening_and_is_when_the_hours_open(town: Town) -> None:
    await town.obeys(document("b", messages__families__hours="always"))
    await a_guardian_writes(town, "2026-11-27 18:00")

    assert town.post.to(ADA) == []
    assert (await town.deliveries())[town.teacher] == ("waiting", "quiet-hours")
    assert await town.count("notification", town.teacher) == 1
    assert await town.count("stream_event", town.teacher) == 1

    await is_at(town, "2026-11-30 07:59")
    assert town.post.to(ADA) == []
    await is_at(town, "2026-11-30 08:00")
    assert len(town.post.to(ADA)) == 1
    assert (await town.deliveries())[town.teacher] == ("sent", None)


@pytest.mark.req("POL-5")
async def test_a_teacher_is_not_rung_in_lessons(town: Town) -> None:
    await town.obeys(document("b"))
    await a_guardian_writes(town, "2026-11-24 10:00")
    assert (await town.deliveries())[town.teacher] == ("waiting", "quiet-hours")
    await is_at(town, "2026-11-24 15:14")
    assert town.post.to(ADA) == []
    await is_at(town, "2026-11-24 15:15")
    assert len(town.post.to(ADA)) == 1


async def test_families_are_told_at_any_hour(town: Town) -> None:
    await town.obeys(document("b"))
    town.clock.instant = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
    await town.message()
    await town.after(seconds=30)
    assert len(town.post.to(MARTA)) == 1


async def test_what_was_read_in_the_app_meanwhile_sends_no_mail_in_the_morning(town: Town) -> None:
    await town.obeys(document("b"))
    await a_guardian_writes(town, "2026-11-27 18:00")
    await town.reads(town.teacher, 1)
    await is_at(town, "2026-11-30 08:00")
    assert town.post.to(ADA) == []


@pytest.mark.req("POL-2")
async def test_a_change_of_the_hours_rings_at_once(town: Town) -> None:
    await town.obeys(document("b"))
    await a_guardian_writes(town, "2026-11-27 18:00")
    await town.obeys(document("b", staff__notifications__hours="always", staff__notifications__in_lessons="ring"))
    await town.after(seconds=2)
    assert len(town.post.to(ADA)) == 1


async def test_a_change_that_counts_later_rings_from_its_instant(town: Town) -> None:
    await town.obeys(document("b"))
    noon = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
    await town.obeys(document("b", staff__notifications__hours="always"), counts_from=noon)
    await a_guardian_writes(town, "2026-11-27 18:00")
    await is_at(town, "2026-11-28 11:59")
    assert town.post.to(ADA) == []
    await is_at(town, "2026-11-28 12:00")
    assert len(town.post.to(ADA)) == 1


def from_nine(*days: str) -> str:
    """Own hours on these days only, from nine in the morning."""
    return json.dumps({"days": "school_days", **{day: [{"from": "09:00", "to": "17:00"}] for day in days}})


@pytest.mark.req("POL-3", "NTF-2")
async def test_own_hours_that_begin_later_ring_later(town: Town) -> None:
    await town.obeys(document("b", lessons__hours="never"))
    await a_guardian_writes(town, "2026-11-27 18:00")
    await town.keeps_own_hours(town.teacher, from_nine("tuesday"))
    await is_at(town, "2026-11-30 08:00")
    assert town.post.to(ADA) == []
    await is_at(town, "2026-12-01 09:00")
    assert len(town.post.to(ADA)) == 1


@pytest.mark.req("POL-3", "NTF-2")
async def test_own_hours_given_up_ring_as_early_as_the_schools(town: Town) -> None:
    await town.obeys(document("b", lessons__hours="never"))
    await town.keeps_own_hours(town.teacher, from_nine("tuesday"))
    await a_guardian_writes(town, "2026-11-27 18:00")
    await town.keeps_own_hours(town.teacher, "")
    await town.after(seconds=3)
    assert town.post.to(ADA) == []
    await is_at(town, "2026-11-30 08:00")
    assert len(town.post.to(ADA)) == 1


@pytest.mark.req("MSG-15")
async def test_a_childs_safety_rings_those_who_are_alerted_at_once_and_the_teacher_in_the_morning(town: Town) -> None:
    await town.obeys(document("b"))
    lea = UUID(int=town.teacher.int ^ 1)
    await town.knows(lea, "safeguarding", "Lea Ford", "en", address=LEA)
    town.owner.readers.append(Reader(person_id=str(lea), language="en", role="safeguarding"))
    town.clock.instant = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
    await town.message(author=town.guardian, about_safety=True)
    await town.rounds()
    assert len(town.post.to(LEA)) == 1, "not even after the grace"
    await town.after(seconds=30)
    assert (await town.deliveries())[town.teacher] == ("waiting", "quiet-hours")


async def test_a_weekend_of_waiting_does_not_count_as_a_day_of_failing(town: Town) -> None:
    await town.obeys(document("b"))
    await a_guardian_writes(town, "2026-11-27 18:00")
    town.post.moods[ADA] = "busy"
    await is_at(town, "2026-11-30 08:00")
    assert (await town.deliveries())[town.teacher] == ("failed", "server-busy")
    town.post.moods.clear()
    await town.after(seconds=60)
    assert len(town.post.to(ADA)) == 1
