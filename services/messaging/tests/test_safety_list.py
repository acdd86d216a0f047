"""The list of messages about a child's safety, for those whom the school alerts and for nobody else."""

import pytest

from services.messaging.tests.builders import Somebody
from services.messaging.tests.hours import school_at, shown
from tests.support.house import House

pytestmark = pytest.mark.req("MSG-15")


async def raised(who: Somebody) -> list[str]:
    answer = await who.get("/safety")
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["items"]]


async def test_safeguarding_finds_every_message_about_safety_newest_first_and_no_other(house: House) -> None:
    async with school_at(house, "2026-11-28 22:00", "b") as school:
        oak = school.oak
        lead = await oak.person("Lea Ford", "safeguarding")
        await school.writes(oak.rosa, "Something else")
        first = await school.writes(oak.rosa, "She is afraid", about_safety=True)
        await school.is_at("2026-11-28 22:30")
        await school.writes(oak.rosa, "She has a bruise", about_safety=True)
        assert await raised(lead) == ["She has a bruise", "She is afraid"]
        (_, shown_first) = (await lead.get("/safety")).json()["items"]
        assert (shown_first["id"], shown_first["thread"], shown_first["seq"]) == (first["id"], oak.thread, 1)
        assert (shown_first["pupil"]["name"], shown_first["author"]["name"]) == ("Emma Vega", "Rosa Vega")
        assert (shown_first["sent_at"], shown_first["author"]["side"]) == (shown("2026-11-28 22:00"), "family")


async def test_who_is_not_alerted_finds_nothing_and_families_have_no_such_list(house: House) -> None:
    async with school_at(house, "2026-11-23 10:00", "b", safety__alerts=["safeguarding"]) as school:
        oak = school.oak
        await school.writes(oak.rosa, "She is afraid", about_safety=True)
        for role in ("leader", "office", "assistant"):
            assert await raised(await oak.person(f"One {role}", role)) == []
        assert await raised(oak.teacher) == [], "it is in the teacher's own conversation"
        for who in (oak.rosa, oak.emma):
            assert (await who.get("/safety")).json()["code"] == "forbidden"


async def test_the_list_is_turned_page_by_page(house: House) -> None:
    async with school_at(house, "2026-11-23 10:00", "b") as school:
        oak = school.oak
        lead = await oak.person("Lea Ford", "safeguarding")
        for number in range(5):
            await school.writes(oak.rosa, f"{number}", about_safety=True)
        first = (await lead.get("/safety", limit=3)).json()
        second = (await lead.get("/safety", limit=3, cursor=first["next"])).json()
        texts = [one["text"] for page in (first, second) for one in page["items"]]
        assert (sorted(texts), second["next"]) == (["0", "1", "2", "3", "4"], None)


async def test_safeguarding_of_another_school_finds_none_of_it(house: House) -> None:
    async with school_at(house, "2026-11-23 10:00", "b") as school:
        await school.writes(school.oak.rosa, "She is afraid", about_safety=True)
        async with school_at(house, "2026-11-23 10:00", "b") as other:
            assert await raised(await other.oak.person("Other Lead", "safeguarding")) == []
