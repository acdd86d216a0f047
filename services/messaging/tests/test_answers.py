"""Answers that were promised: who waits for one, what ends the waiting, and who sees that somebody waits too long."""

import re
from typing import Any

import pytest

from services.messaging.tests.builders import Somebody
from services.messaging.tests.hours import Hours, school_at, shown
from tests.support.house import House

pytestmark = pytest.mark.req("MSG-16")

MONDAY_MORNING = "2026-11-30 10:00"
"""Under preset B an answer is promised within 24 hours of working days."""


async def overdue(leader: Somebody, **params: Any) -> list[dict[str, Any]]:
    answer = await leader.get("/overdue", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def owed(school: Hours) -> dict[str, Any] | None:
    return (await school.oak.teacher.sees(school.oak.thread))["owed"]


async def settles(who: Somebody, thread: str, seq: int) -> int:
    return (await who.put(f"/threads/{thread}/settled", {"seq": seq})).status_code


async def test_a_family_that_waits_longer_than_it_was_promised_shows_to_leaders(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        await school.writes(oak.rosa, "¿Puede llamarme?")
        await school.is_at("2026-12-01 09:59")
        await school.writes(oak.rosa, "¿Hola?")
        assert await overdue(leader) == []
        await school.is_at("2026-12-01 10:01")
        (late,) = await overdue(leader)
        assert (late["pupil"]["name"], late["class"]["name"]) == ("Emma Vega", "Oak")
        assert (late["seat"]["kind"], late["seat"]["holders"]) == ("class_teacher", ["Ada Hill"])
        assert (late["since"], late["answer_by"]) == (shown(MONDAY_MORNING), shown("2026-12-01 10:00"))
        assert late["messages"] == 2
        assert "llamarme" not in str(late), "who waits is shown, not what was written"
        await school.writes(oak.teacher, "I will ring at four.")
        assert await overdue(leader) == []


async def test_an_answer_that_waits_for_its_hour_is_none_yet(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        await school.writes(oak.rosa, "¿Puede llamarme?")
        await school.is_at("2026-12-01 18:00")
        assert (await school.writes(oak.teacher, "Tomorrow."))["state"] == "held"
        assert len(await overdue(leader)) == 1
        await school.is_at("2026-12-02 08:00")
        assert await overdue(leader) == []


async def test_the_staff_of_the_thread_see_what_was_promised_and_say_what_needs_no_answer(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        assert await owed(school) is None
        await school.writes(oak.rosa, "Gracias")
        await school.writes(oak.rosa, "Hasta mañana")
        assert await owed(school) == {
            "seq": 2, "since": shown(MONDAY_MORNING), "answer_by": shown("2026-12-01 10:00"), "messages": 2,
        }  # fmt: skip
        assert (await oak.rosa.sees(oak.thread))["owed"] is None, "what is owed is for those who owe it"
        await school.is_at("2026-12-02 10:00")
        assert len(await overdue(leader)) == 1
        assert await settles(oak.teacher, oak.thread, 1) == 204
        assert len(await overdue(leader)) == 1, "the second one still waits"
        assert await settles(oak.teacher, oak.thread, 99) == 204
        assert (await overdue(leader), await owed(school)) == ([], None)
        assert await settles(oak.teacher, oak.thread, 1) == 204
        assert await owed(school) is None, "never taken back"
        await school.writes(oak.rosa, "Una pregunta")
        assert (await owed(school) or {})["messages"] == 1, "what comes later waits anew"


async def test_only_the_staff_of_a_thread_end_the_waiting(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        lead = await oak.person("Lea Ford", "safeguarding")
        stranger = await oak.guardian("Nina Roe", await oak.pupil("Tom Roe", oak.class_id))
        await school.writes(oak.rosa, "Emma tiene miedo", about_safety=True)
        answers = [await settles(who, oak.thread, 1) for who in (oak.rosa, stranger, leader, lead)]
        assert answers == [403, 404, 404, 404]
        assert (await owed(school) or {})["messages"] == 1


async def test_nobody_else_sees_who_waits_too_long(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        others = [
            oak.rosa,
            oak.teacher,
            oak.emma,
            *[await oak.person(f"One {role}", role) for role in ("office", "safeguarding", "assistant", "specialist")],
        ]
        for who in others:
            assert (await who.get("/overdue")).json()["code"] == "forbidden"


async def test_a_school_that_promises_nothing_owes_nothing(house: House) -> None:
    async with school_at(
        house, MONDAY_MORNING, "b", lessons__hours="never", answers__promise={"kind": "none"}
    ) as school:
        leader = await school.oak.person("Lena Rowe", "leader")
        await school.writes(school.oak.rosa, "¿Puede llamarme?")
        await school.is_at("2026-12-11 10:00")
        assert (await overdue(leader), await owed(school)) == ([], None)


async def test_a_family_that_has_left_waits_for_nothing(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        await school.writes(oak.rosa, "¿Puede llamarme?")
        await school.is_at("2026-12-02 10:00")
        assert len(await overdue(leader)) == 1
        await oak.ends_link(oak.rosa)
        assert await overdue(leader) == []


async def test_the_list_is_turned_page_by_page_with_the_longest_waiting_first(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        leader = await oak.person("Lena Rowe", "leader")
        waiting = []
        for number in range(5):
            pupil = await oak.pupil(f"Pupil {number}", oak.class_id)
            guardian = await oak.guardian(f"Guardian {number}", pupil)
            thread = await guardian.opens(pupil.id, oak.seat_id)
            await school.is_at(f"2026-11-30 10:{10 + number // 2 * 10}")  # two at a time wait equally long
            await guardian.says(thread, "Could you ring me?")
            waiting.append(thread)
        await school.is_at("2026-12-02 10:00")
        seen, cursor = [], None
        while True:
            page = (await leader.get("/overdue", limit=2, **({"cursor": cursor} if cursor else {}))).json()
            seen += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(one["thread"] for one in seen) == sorted(waiting)
        assert [one["answer_by"] for one in seen] == sorted(one["answer_by"] for one in seen)


async def test_leaders_of_another_school_see_none_of_it(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        await school.writes(school.oak.rosa, "¿Puede llamarme?")
        async with school_at(house, "2026-12-02 10:00", "b") as other:
            leader = await other.oak.person("Other Leader", "leader")
            assert await overdue(leader) == []


async def test_however_long_a_thread_is_who_waits_is_found_at_its_end(house: House) -> None:
    async with school_at(house, MONDAY_MORNING, "b", lessons__hours="never") as school:
        oak = school.oak
        await oak.changes(
            "insert into message (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at,"
            " answer_by) select $1, gen_random_uuid(), $2::uuid, s, $3, 'family', 'guardian', 'en', 'words', $4::timestamptz, $4"
            " from generate_series(1, 500) s",
            oak.thread, oak.rosa.id, oak.runtime.clock.now(),
        )  # fmt: skip
        await oak.changes("update thread set head_seq = 500 where school_id = $1 and thread_id = $2::uuid", oak.thread)
        assert (await owed(school) or {})["messages"] == 500
        await school.writes(oak.teacher, "To all of it.")
        await school.writes(oak.rosa, "Gracias")
        assert (await owed(school) or {})["messages"] == 1
        async with oak.runtime.database.tenant(oak.id) as tx:
            await tx.execute("set local enable_seqscan = off")
            plan = await tx.fetchval(
                "explain (analyze, format json) select * from owed_in($1, $2::uuid)", oak.id, oak.thread
            )
        passed_over = [int(rows) for rows in re.findall(r'"Rows Removed by Filter": (\d+)', plan)]
        assert max(passed_over, default=0) <= 1
