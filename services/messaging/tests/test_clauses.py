"""Clauses of the five source policies as people meet them in messages: each check passes under its preset and fails once the rule is
switched off, through the real service (POL-12)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.messaging.tests.hours import Hours, school_at, shown
from tests.support.house import House

pytestmark = pytest.mark.req("POL-5", "POL-12", "MSG-5")

Check = Callable[[Hours], Awaitable[None]]


async def staff_write_nothing_in_lessons_and_families_hear_of_the_end_of_the_day(school: Hours) -> None:
    refused = await school.oak.teacher.post(f"/threads/{school.oak.thread}/messages", {"text": "Now"})
    assert (refused.status_code, refused.json().get("opens")) == (403, shown("2026-11-23 15:00"))
    sent = await school.writes(school.oak.rosa, "Una pregunta")
    assert (sent["state"], sent["answer_by"]) == ("sent", shown("2026-11-23 15:00"))
    assert "lesson_time" in sent["reasons"]
    beside = (await school.composing(school.oak.rosa))["urgent"]
    assert beside == {"words": "For anything urgent please phone the office.", "number": "01632 960 118"}
    assert (await school.composing(school.oak.teacher))["urgent"] is None


async def a_message_of_the_evening_waits_until_the_morning(school: Hours) -> None:
    sent = await school.writes(school.oak.rosa, "Una pregunta")
    assert (sent["state"], sent["visible_at"]) == ("held", shown("2026-11-30 08:00"))
    assert "quiet_time" in sent["reasons"]
    assert await school.seen_by(school.oak.teacher) == []
    assert await school.is_at("2026-11-30 08:00") == 1


async def an_answer_within_24_hours_of_working_days_is_promised(school: Hours) -> None:
    assert (await school.composing(school.oak.rosa))["answer_by"] == shown("2026-11-30 10:00")
    assert (await school.writes(school.oak.rosa, "Una pregunta"))["answer_by"] == shown("2026-11-30 10:00")


async def messages_in_lessons_may_go_unseen_and_those_of_the_evening_wait(school: Hours) -> None:
    lesson = await school.composing(school.oak.rosa)
    assert (lesson["state"], lesson["visible_at"]) == ("now", shown("2026-11-27 10:00"))
    assert {"code": "lesson_time", "at": shown("2026-11-27 15:30")} in lesson["reasons"]
    await school.is_at("2026-11-27 17:00")
    assert (await school.writes(school.oak.rosa, "Una pregunta"))["visible_at"] == shown("2026-11-30 08:30")


async def staff_write_in_the_slots_before_and_after_lessons(school: Hours) -> None:
    taught = await school.writes(school.oak.teacher, "While teaching")
    assert (taught["state"], taught["visible_at"]) == ("held", shown("2026-11-27 15:30"))
    await school.is_at("2026-11-27 15:30")
    assert (await school.writes(school.oak.teacher, "In the slot"))["state"] == "sent"
    await school.is_at("2026-11-27 16:00")
    assert (await school.writes(school.oak.teacher, "Too late"))["visible_at"] == shown("2026-11-30 08:00")


async def nobody_writes_outside_the_day_nor_staff_in_lessons(school: Hours) -> None:
    assert (await school.refused(school.oak.teacher, "While teaching"))["code"] == "quiet-hours"
    await school.is_at("2026-11-27 16:30")
    for who in (school.oak.teacher, school.oak.rosa):
        assert (await school.refused(who, "Too late"))["opens"] == shown("2026-11-30 08:30")


async def an_answer_within_two_working_days_is_promised(school: Hours) -> None:
    assert (await school.writes(school.oak.rosa, "Una pregunta"))["answer_by"] == shown("2026-12-01 16:30")


FRIDAY = "2026-11-27 10:00"
ANYWHERE = {"staff.access.places": "anywhere"}
"""From where staff come in is identity's to show."""

IN_48_HOURS = {"answers.promise": {"kind": "hours_on_working_days", "hours": 48}}

CLAUSES: list[tuple[str, str, Check, list[dict[str, Any]]]] = [
    (
        "A3", "2026-11-23 10:00", staff_write_nothing_in_lessons_and_families_hear_of_the_end_of_the_day,
        [
            {"messages.staff.in_lessons": "send"},
            {"lessons.hours": "never"},
            {"answers.promise": {"kind": "none"}},
            {"answers.promise.time": "16:00"},
            {"signposting.matters.urgent.instead": "message"},
        ],
    ),
    (
        "B1", "2026-11-27 18:00", a_message_of_the_evening_waits_until_the_morning,
        [
            {"messages.families.outside": "send"},
            {"messages.families.outside": "refuse"},
            {"messages.families.hours": "always"},
            {"staff.hours.friday": [{"from": "08:00", "to": "19:00"}]},
            {"staff.hours.monday": [{"from": "07:00", "to": "17:00"}]},
        ],
    ),
    (
        "B2", FRIDAY, an_answer_within_24_hours_of_working_days_is_promised,
        [{"answers.promise": {"kind": "none"}}, IN_48_HOURS, {"answers.promise": {"kind": "working_days", "days": 1}}],
    ),
    (
        "C1", FRIDAY, messages_in_lessons_may_go_unseen_and_those_of_the_evening_wait,
        [{"messages.families.outside": "send"}, {"lessons.hours": "never"}],
    ),
    (
        "D1", FRIDAY, staff_write_in_the_slots_before_and_after_lessons,
        [{"messages.staff.in_lessons": "send"}, {"messages.staff.outside": "send"}],
    ),
    (
        "D2", FRIDAY, an_answer_within_24_hours_of_working_days_is_promised,
        [{"answers.promise": {"kind": "none"}}, {"answers.promise": {"kind": "working_days", "days": 2}}],
    ),
    (
        "E1", FRIDAY, nobody_writes_outside_the_day_nor_staff_in_lessons,
        [
            {"messages.staff.outside": "send"},
            {"messages.families.outside": "send"},
            {"messages.families.outside": "hold"},
            {"messages.families.hours": "always"},
            {"messages.staff.in_lessons": "send"},
            {"messages.staff.exempt": ["teacher"]},
        ],
    ),
    (
        "E2", FRIDAY, an_answer_within_two_working_days_is_promised,
        [{"answers.promise": {"kind": "none"}}, {"answers.promise": {"kind": "working_days", "days": 3}}, IN_48_HOURS],
    ),
]  # fmt: skip
MUTANTS = [(clause, at, check, mutant) for clause, at, check, mutants in CLAUSES for mutant in mutants]


@pytest.mark.parametrize(("clause", "at", "check"), [row[:3] for row in CLAUSES], ids=[row[0] for row in CLAUSES])
async def test_messages_keep_the_clause(house: House, clause: str, at: str, check: Check) -> None:
    async with school_at(house, at, clause[0].lower(), **ANYWHERE) as school:
        await check(school)


@pytest.mark.parametrize(
    ("clause", "at", "check", "mutant"), MUTANTS, ids=[f"{row[0]} {next(iter(row[3]))}" for row in MUTANTS]
)
async def test_with_the_rule_switched_off_messages_break_the_clause(
    house: House, clause: str, at: str, check: Check, mutant: dict[str, Any]
) -> None:
    async with school_at(house, at, clause[0].lower(), **ANYWHERE, **mutant) as school:
        with pytest.raises(AssertionError):
            await check(school)


async def a_pupil_has_no_messages(school: Hours, role: str) -> None:
    """Even one who holds the seat and is noted as their own guardian, coming with a token of this role."""
    oak = school.oak
    await oak.holds(oak.emma, oak.seat_id)
    await oak.link(oak.emma, oak.emma)
    pupil = oak.emma if role == "pupil" else await oak.person("", role, known_as=oak.emma.id)
    await school.writes(oak.rosa, "Una pregunta")
    for path in ("/threads", "/contacts", "/unread"):
        assert (await pupil.get(path)).status_code == 403, path
    messages = f"/threads/{oak.thread}/messages"
    assert (await pupil.get(messages)).status_code == 404
    assert (await pupil.post(messages, {"text": "From Emma"})).status_code == 404


PUPILS = pytest.mark.parametrize("preset", ["b", "c", "d"])
"""Of the clauses B5, C7 and D7."""


@PUPILS
@pytest.mark.req("MSG-11")
async def test_pupils_have_no_messages(house: House, preset: str) -> None:
    async with school_at(house, FRIDAY, preset, **ANYWHERE) as school:
        await a_pupil_has_no_messages(school, "pupil")


@PUPILS
@pytest.mark.req("MSG-11")
async def test_a_pupil_who_is_taken_for_a_guardian_breaks_the_clause(house: House, preset: str) -> None:
    async with school_at(house, FRIDAY, preset, **ANYWHERE) as school:
        with pytest.raises(AssertionError, match="/threads"):
            await a_pupil_has_no_messages(school, "guardian")
