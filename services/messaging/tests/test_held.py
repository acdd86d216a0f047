"""Messages outside the hours of the school: held until the window opens, refused, or taken back; and said before one writes."""

import asyncio
from datetime import timedelta

import pytest

from bookbag.chassis.problems import DependencyAway
from bookbag.messaging.v1.events_pb2 import MessageSent
from services.messaging.tests.hours import Hours, london, school_at, shown
from tests.support.house import House
from tests.support.policy import document

FRIDAY_EVENING = "2026-11-27 18:00"
MONDAY_MORNING = "2026-11-30 08:00"


@pytest.mark.req("MSG-5", "POL-5")
async def test_a_message_of_friday_evening_is_seen_on_monday_and_answered_by_tuesday(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        rosa, teacher = school.oak.rosa, school.oak.teacher
        composing = await school.composing(rosa)
        assert (composing["state"], composing["visible_at"]) == ("held", shown(MONDAY_MORNING))
        assert composing["answer_by"] == shown("2026-12-01 08:00")

        sent = await school.writes(rosa, "¿Habrá piscina el lunes?")
        assert (sent["state"], sent["seq"], sent["visible_at"]) == ("held", 0, shown(MONDAY_MORNING))
        assert sent["answer_by"] == shown("2026-12-01 08:00")
        assert "held_until" in sent["reasons"]
        assert await school.seen_by(teacher) == []
        assert (await teacher.get("/unread")).json() == {"threads": 0, "messages": 0}
        assert [one["text"] for one in await rosa.held(thread=school.oak.thread)] == ["¿Habrá piscina el lunes?"]
        assert await teacher.held() == []

        assert await school.is_at("2026-11-30 07:59") == 0
        assert await school.is_at(MONDAY_MORNING) == 1
        (read,) = await teacher.messages(school.oak.thread)
        assert (read["id"], read["seq"], read["sent_at"]) == (sent["id"], 1, shown(MONDAY_MORNING))
        assert read["answer_by"] == shown("2026-12-01 08:00")
        assert (await teacher.get("/unread")).json() == {"threads": 1, "messages": 1}
        assert await rosa.held() == []


@pytest.mark.req("MSG-18")
async def test_a_held_message_has_one_answer_under_its_key_and_becomes_one_message(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        rosa, oak = school.oak.rosa, school.oak
        first = await school.writes(rosa, "Una vez", key="key-of-a-held-one")
        answers = await asyncio.gather(*(school.writes(rosa, "Una vez", key="key-of-a-held-one") for _ in range(5)))
        assert all(answer == first for answer in answers)
        other = await rosa.post(f"/threads/{oak.thread}/messages", {"text": "Otra"}, key="key-of-a-held-one")
        assert (other.status_code, other.json()["code"]) == (409, "key-reused")
        await school.is_at(MONDAY_MORNING)
        later = await school.writes(rosa, "Una vez", key="key-of-a-held-one")
        assert (later["id"], later["state"], later["seq"]) == (first["id"], "sent", 1)
        assert await school.seen_by(oak.teacher) == ["Una vez"]
        assert await _events(school) == [(first["id"], 1)]


async def test_what_waited_comes_in_the_order_in_which_it_was_written_and_before_what_comes_after(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        for number in range(4):
            await school.writes(school.oak.rosa if number % 2 else school.oak.teacher, f"{number}")
            school.clock.move(timedelta(hours=1))
        school.clock.instant = london("2026-11-30 08:30")
        behind = await school.writes(school.oak.rosa, "after the weekend")
        assert behind["state"] == "held", "those that wait are released first"
        assert await school.releases() == 5
        assert await school.seen_by(school.oak.rosa) == ["0", "1", "2", "3", "after the weekend"]
        assert (await school.writes(school.oak.rosa, "now"))["state"] == "sent"


@pytest.mark.req("MSG-15")
async def test_what_is_about_safety_does_not_go_behind_those_that_are_due(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        await school.writes(school.oak.rosa, "on Friday")
        school.clock.instant = london("2026-11-30 08:30")
        raised = await school.writes(school.oak.rosa, "Emma llegó con un golpe", about_safety=True)
        assert raised["state"] == "sent"
        assert await school.seen_by(school.oak.teacher) == ["Emma llegó con un golpe"]
        assert await school.releases() == 1
        assert await school.seen_by(school.oak.teacher) == ["Emma llegó con un golpe", "on Friday"]


async def test_a_release_that_dies_half_way_releases_nothing_and_the_next_one_all_of_it_once(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        for number in range(3):
            await school.writes(school.oak.rosa, f"{number}")
        await house.owner(
            "messaging",
            "create function dies() returns trigger language plpgsql as $$ begin if new.seq = 2 then raise exception 'killed'; end if;"
            " return new; end $$; create trigger dies after insert on message for each row execute function dies()",
        )
        try:
            with pytest.raises(ExceptionGroup):
                await school.is_at(MONDAY_MORNING)
            assert await school.seen_by(school.oak.teacher) == []
        finally:
            await house.owner("messaging", "drop trigger dies on message; drop function dies()")
        await asyncio.gather(*(school.releases() for _ in range(4)))
        assert await school.seen_by(school.oak.teacher) == ["0", "1", "2"]
        assert [number for _, number in await _events(school)] == [1, 2, 3]


@pytest.mark.req("POL-2")
async def test_a_change_of_the_hours_releases_what_waits(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        await school.writes(school.oak.rosa, "¿Hay clase?")
        assert await school.is_at("2026-11-28 10:00") == 0
        await school.oak.obeys(document("b", messages__families__hours="always"))
        assert await school.is_at("2026-11-28 10:01") == 1


async def test_a_change_that_counts_later_releases_or_holds_on_from_its_instant(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        await school.writes(school.oak.rosa, "¿Hay clase?")
        later = document("b", staff__hours=_week("08:30", "17:00"))
        await school.oak.obeys(later, counts_from=london("2026-11-29 12:00"))
        assert await school.is_at("2026-11-28 10:00") == 0
        (waits,) = await school.oak.rosa.held()
        assert waits["visible_at"] == shown(MONDAY_MORNING)
        assert await school.is_at("2026-11-29 12:00") == 0
        (waits,) = await school.oak.rosa.held()
        assert (waits["visible_at"], waits["answer_by"]) == (shown("2026-11-30 08:30"), shown("2026-12-01 08:30"))
        assert await school.is_at(MONDAY_MORNING) == 0
        assert await school.is_at("2026-11-30 08:30") == 1


async def test_a_message_written_after_a_change_was_announced_is_looked_at_when_it_counts(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        opening = document("b", messages__families__hours="always")
        await school.oak.obeys(opening, counts_from=london("2026-11-28 12:00"))
        await school.writes(school.oak.rosa, "¿Hay clase?")
        assert await school.is_at("2026-11-28 11:59") == 0
        assert await school.is_at("2026-11-28 12:00") == 1


@pytest.mark.parametrize("lost", ["link", "suspended"])
@pytest.mark.req("MSG-5", "ID-11")
async def test_what_somebody_without_the_right_left_waiting_never_leaves_and_they_are_told(
    house: House, lost: str
) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        oak = school.oak
        await school.writes(oak.rosa, "No debe llegar")
        if lost == "link":
            await oak.ends_link(oak.rosa)
        else:
            await oak.stands(oak.rosa, "suspended")
        assert await school.is_at(MONDAY_MORNING) == 0
        assert await school.seen_by(oak.teacher) == []
        assert await _events(school) == []
        if lost == "suspended":
            await oak.stands(oak.rosa, "active")
        (told,) = await oak.rosa.held(state="stopped")
        assert (told["state"], told["text"]) == ("stopped", "No debe llegar")
        assert await oak.rosa.held(state="held") == []
        assert await school.is_at("2026-12-01 08:00") == 0, "nor later"
        assert await oak.teacher.withdraws(told["id"]) == 404
        assert await oak.rosa.withdraws(told["id"]) == 204, "its author puts it away"
        assert await oak.rosa.held() == []
        assert await oak.asks("select text from held_message where school_id = $1") == ""


async def test_a_copy_of_who_is_who_that_is_too_old_releases_nothing(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        await school.writes(school.oak.rosa, "¿Hay clase?")
        school.clock.instant = london(MONDAY_MORNING)
        await school.oak.heard(timedelta(seconds=31))
        with pytest.raises(DependencyAway):
            await school.releases()
        await school.oak.heard()
        assert await school.releases() == 1


@pytest.mark.req("MSG-5")
async def test_its_author_takes_a_waiting_message_back_and_nobody_else_can(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        oak = school.oak
        sent = await school.writes(oak.rosa, "Lo pensé mejor", key="key-taken-back")
        assert await oak.teacher.withdraws(sent["id"]) == 404
        other = await oak.guardian("Iván Vega", oak.emma)
        assert await other.withdraws(sent["id"]) == 404
        assert await oak.rosa.withdraws(sent["id"]) == 204
        assert await oak.rosa.withdraws(sent["id"]) == 204, "safe to repeat"
        assert await oak.rosa.held() == []
        assert (await school.writes(oak.rosa, "Lo pensé mejor", key="key-taken-back"))["state"] == "withdrawn"
        assert await school.is_at(MONDAY_MORNING) == 0
        assert await oak.asks("select text from held_message where school_id = $1") == ""


async def test_a_message_that_was_released_cannot_be_taken_back(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        sent = await school.writes(school.oak.rosa, "¿Hay clase?")
        await school.is_at(MONDAY_MORNING)
        assert await school.oak.rosa.withdraws(sent["id"]) == 409
        assert await school.seen_by(school.oak.teacher) == ["¿Hay clase?"]


async def test_taking_back_and_releasing_at_once_end_in_one_of_the_two(house: House) -> None:
    async with school_at(house, FRIDAY_EVENING, "b") as school:
        for number in range(8):
            school.clock.instant = london(FRIDAY_EVENING)
            sent = await school.writes(school.oak.rosa, f"{number}")
            school.clock.instant = london(MONDAY_MORNING)
            status, released = await asyncio.gather(school.oak.rosa.withdraws(sent["id"]), school.releases())
            assert (status, released) in {(204, 0), (409, 1)}


@pytest.mark.req("POL-5")
async def test_a_school_that_refuses_says_when_it_opens_and_keeps_nothing(house: House) -> None:
    async with school_at(house, "2026-11-23 16:30", "e") as school:
        rosa, oak = school.oak.rosa, school.oak
        composing = await school.composing(rosa)
        assert (composing["state"], composing["opens"]) == ("refused", shown("2026-11-24 08:30"))
        for who in (rosa, oak.teacher):
            refused = await school.refused(who, "Good evening")
            assert (refused["code"], refused["opens"]) == ("quiet-hours", shown("2026-11-24 08:30"))
        assert await rosa.held() == []
        assert await oak.asks("select count(*) from held_message where school_id = $1") == 0
        stranger = await oak.guardian("Nina Roe", await oak.pupil("Tom Roe", oak.class_id))
        answer = await stranger.post(f"/threads/{oak.thread}/messages", {"text": "Hello"})
        assert answer.status_code == 404, "whose thread it is not learns no hours"
        await school.is_at("2026-11-24 08:30")
        assert (await school.writes(rosa, "Good morning"))["state"] == "sent"


@pytest.mark.parametrize(
    ("night", "opens"),
    [
        ("2026-10-23 23:30", "2026-11-02 08:00"),
        ("2027-03-25 17:30", "2027-04-12 08:00"),
        ("2026-12-18 17:30", "2027-01-04 08:00"),
    ],
    ids=[
        "autumn half-term over the end of summer time",
        "Easter over the beginning of summer time",
        "two weeks of Christmas",
    ],
)
async def test_holidays_and_both_changes_of_the_clock_lie_between_writing_and_being_seen(
    house: House, night: str, opens: str
) -> None:
    async with school_at(house, night, "b") as school:
        sent = await school.writes(school.oak.rosa, "Felices fiestas")
        assert (sent["state"], sent["visible_at"]) == ("held", shown(opens))
        school.clock.instant = london(opens) - timedelta(seconds=1)
        assert await school.releases() == 0
        assert await school.is_at(opens) == 1
        assert await school.seen_by(school.oak.teacher) == ["Felices fiestas"]


@pytest.mark.req("MSG-15", "POL-5")
@pytest.mark.parametrize(("preset", "at"), [("b", FRIDAY_EVENING), ("e", "2026-11-28 23:00")])
async def test_a_message_about_a_childs_safety_is_never_held_or_refused(house: House, preset: str, at: str) -> None:
    async with school_at(house, at, preset) as school:
        oak = school.oak
        lead = await oak.person("Lea Ford", "safeguarding")
        await school.writes(oak.rosa, "Emma llegó con un golpe", about_safety=True)
        assert await school.seen_by(oak.teacher) == ["Emma llegó con un golpe"]
        assert await school.seen_by(lead) == ["Emma llegó con un golpe"]
        safety = (await school.composing(oak.rosa))["safety"]
        assert safety["number"]
        assert "999" in safety["words"] or safety["number"] == "999"


@pytest.mark.req("MSG-15")
async def test_safeguarding_reads_what_is_about_safety_and_nothing_else_of_the_thread(house: House) -> None:
    async with school_at(house, "2026-11-23 10:00", "b") as school:
        oak = school.oak
        lead = await oak.person("Lea Ford", "safeguarding")
        office = await oak.person("Olu Bay", "office")
        await school.writes(oak.rosa, "Before")
        assert (await lead.get(f"/threads/{oak.thread}")).status_code == 404
        raised = await school.writes(oak.rosa, "She is afraid to go home", about_safety=True)
        await school.writes(oak.rosa, "After")
        seen = await lead.sees(oak.thread)
        assert (seen["last"]["text"], seen["composing"], seen["unread"]) == ("She is afraid to go home", None, 0)
        assert await school.seen_by(lead) == ["She is afraid to go home"]
        assert await lead.reads(oak.thread, after=0) == ["She is afraid to go home"]
        assert (await lead.post(f"/threads/{oak.thread}/messages", {"text": "Hello"})).status_code == 404
        assert (await lead.put(f"/threads/{oak.thread}/read", {"seq": 2})).status_code == 204
        assert await oak.asks("select count(*) from receipt where school_id = $1 and person_id = $2", lead.id) == 0
        assert (await office.get(f"/threads/{oak.thread}")).status_code == 404
        assert raised["about_safety"]


async def _events(school: Hours) -> list[tuple[str, int]]:
    async with school.oak.runtime.across_schools.transaction() as worker:
        rows = await worker.fetch(
            "select payload, sequence from outbox where school_id = $1 and type = 'bookbag.messaging.v1.MessageSent'"
            " order by sequence",
            school.oak.id,
        )
    return [(MessageSent.FromString(row["payload"]).message_id, row["sequence"]) for row in rows]


def _week(begin: str, end: str) -> dict[str, object]:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    return {"days": "school_days"} | {day: [{"from": begin, "to": end}] for day in days}
