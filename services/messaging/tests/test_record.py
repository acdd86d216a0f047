"""Whoever is alerted to what was said about a child's safety and reads it is on the school's record, which leaders read (PRV-4)."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from bookbag.chassis.audit.anchors import AnchorKeys, anchor_heads
from bookbag.chassis.audit.verification import Verification
from services.messaging.tests.builders import Oak, Somebody
from services.messaging.tests.hours import Hours, school_at
from tests.support.house import House, eventually

pytestmark = pytest.mark.req("PRV-4", "MSG-15")


@dataclass
class Raised:
    """A school in which Rosa has written about Emma's safety. The head teacher and the safeguarding lead are alerted."""

    hours: Hours
    lead: Somebody
    head: Somebody

    @property
    def oak(self) -> Oak:
        return self.hours.oak

    async def entries(self) -> list[tuple[str, str, str]]:
        """Who read about whom in which role, the first one first; asked by the head, whose asking is left out."""
        items = (await self.head.get("/audit", act="safety-read")).json()["items"]
        return [(one["by"]["name"], one["role"], *[who["name"] for who in one["whom"]]) for one in reversed(items)]


@pytest.fixture
async def raised(house: House) -> AsyncIterator[Raised]:
    async with school_at(house, "2026-11-23 10:00", "b", safety__alerts=["safeguarding", "leader"]) as hours:
        lead = await hours.oak.person("Lea Ford", "safeguarding")
        head = await hours.oak.person("Lena Rowe", "leader")
        await hours.writes(hours.oak.rosa, "She is afraid", about_safety=True)
        yield Raised(hours, lead, head)


READINGS: dict[str, tuple[str, dict[str, int]]] = {
    "the list": ("/safety", {}),
    "the conversation": ("/threads/{thread}", {}),
    "its messages": ("/threads/{thread}/messages", {}),
    "its later messages": ("/threads/{thread}/messages", {"after": 0}),
}


@pytest.mark.parametrize(("path", "params"), READINGS.values(), ids=READINGS)
async def test_each_way_of_reading_it_says_who_read_about_whom(
    raised: Raised, path: str, params: dict[str, int]
) -> None:
    answer = await raised.lead.get(path.format(thread=raised.oak.thread), **params)
    assert "She is afraid" in answer.text
    assert await raised.entries() == [("Lea Ford", "safeguarding", "Emma Vega")]


async def test_a_reading_counts_for_a_quarter_of_an_hour_for_each_reader_and_child(raised: Raised) -> None:
    oak = raised.oak
    tom = await oak.pupil("Tom Roe", oak.class_id)
    nina = await oak.guardian("Nina Roe", tom)
    thread = await nina.opens(tom.id, oak.seat_id)
    for path in ("/safety", f"/threads/{oak.thread}", f"/threads/{oak.thread}/messages"):
        await raised.lead.get(path)
    assert await raised.entries() == [("Lea Ford", "safeguarding", "Emma Vega")]
    await nina.says(thread, "He came home with a bruise", about_safety=True)
    await raised.lead.get("/safety")
    await raised.head.get(f"/threads/{thread}/messages")
    assert (await raised.entries())[1:] == [
        ("Lea Ford", "safeguarding", "Tom Roe"), ("Lena Rowe", "leader", "Tom Roe"),
    ]  # fmt: skip
    await raised.hours.is_at("2026-11-23 10:14")
    await raised.lead.get(f"/threads/{oak.thread}")
    assert len(await raised.entries()) == 3
    await raised.hours.is_at("2026-11-23 10:15")
    await raised.lead.get(f"/threads/{oak.thread}")
    assert (await raised.entries())[3:] == [("Lea Ford", "safeguarding", "Emma Vega")]


async def test_no_more_is_noted_than_was_shown(raised: Raised) -> None:
    """A page is one longer when it is fetched, to know whether there is another."""
    oak = raised.oak
    tom = await oak.pupil("Tom Roe", oak.class_id)
    nina = await oak.guardian("Nina Roe", tom)
    await raised.hours.is_at("2026-11-23 10:05")
    await nina.says(await nina.opens(tom.id, oak.seat_id), "He is hurt", about_safety=True)
    await raised.lead.get("/safety", limit=1)
    assert await raised.entries() == [("Lea Ford", "safeguarding", "Tom Roe")]


async def test_who_reads_their_own_conversation_or_is_shown_nothing_leaves_no_mark(raised: Raised) -> None:
    oak = raised.oak
    await oak.teacher.reads(oak.thread)
    await oak.rosa.reads(oak.thread)
    office = await oak.person("Olive Office", "office")
    assert (await office.get("/safety")).json()["items"] == []
    assert (await office.get(f"/threads/{oak.thread}")).status_code == 404
    assert (await oak.rosa.get("/safety")).status_code == 403
    assert await raised.entries() == []


async def test_nothing_is_shown_before_the_entry_is_there_and_both_go_together(house: House, raised: Raised) -> None:
    """The entry is written in the transaction of the reading: somebody else's act keeps the end of the record meanwhile."""
    oak = raised.oak
    await raised.head.get("/safety")
    other = await asyncpg.connect(house.databases.urls["messaging"].owner)

    async def is_waited_for() -> bool:
        return await other.fetchval(
            "select exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)))"
        )

    try:
        async with other.transaction():
            await other.execute("select set_config('bookbag.school', $1, true)", str(oak.id))
            await other.execute("select from audit_head where school_id = $1 for update", oak.id)
            broken_off = asyncio.create_task(raised.lead.get("/safety"))
            await eventually(is_waited_for)
            broken_off.cancel()
            await asyncio.wait([broken_off])
            reading = asyncio.create_task(raised.lead.get(f"/threads/{oak.thread}/messages"))
            await eventually(is_waited_for)
            assert not reading.done()
        assert "She is afraid" in (await reading).text
    finally:
        await other.close()
    assert await raised.entries() == [
        ("Lena Rowe", "leader", "Emma Vega"), ("Lea Ford", "safeguarding", "Emma Vega"),
    ], "a reading that was broken off has neither happened nor counts"  # fmt: skip


async def test_leaders_and_safeguarding_read_this_part_of_the_record_and_keep_it_as_a_table(raised: Raised) -> None:
    await raised.lead.get("/safety")
    table = await raised.head.get("/audit/export", person=str(raised.oak.emma.id), act="safety-read")
    assert table.headers["content-disposition"].startswith('attachment; filename="record-messaging-')
    (row,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline=""))
    assert (row["service"], row["by"], row["act"], row["whom"]) == ("messaging", "Lea Ford", "safety-read", "Emma Vega")
    acts = [one["act"] for one in (await raised.lead.get("/audit")).json()["items"]]
    assert acts == ["record-exported", "safety-read"]
    for who in (raised.oak.teacher, raised.oak.rosa, raised.oak.emma):
        for path in ("/audit", "/audit/state", "/audit/export"):
            assert (await who.get(path)).json()["code"] == "forbidden"


async def test_it_is_anchored_and_a_change_of_it_is_found(house: House, raised: Raised) -> None:
    runtime, school = raised.oak.runtime, raised.oak.id
    await raised.lead.get("/safety")
    await anchor_heads(runtime)
    proof = Verification("messaging", runtime.record, runtime.objects, AnchorKeys.read(house.keys.audit_keys))
    whole = await proof.judge(school)
    assert (whole.fault, whole.entries, whole.anchored) == (None, 1, 1)
    state = (await raised.head.get("/audit/state")).json()
    assert (state["entries"], state["anchored"]) == (1, 1)
    await house.owner(
        "messaging",
        f"select set_config('bookbag.school', '{school}', false);"
        f" update audit_entry set role = 'leader' where school_id = '{school}' and seq = 1",
    )
    changed = await proof.judge(school)
    assert changed.fault is not None
    assert (changed.fault.seq, "was changed" in changed.fault.what) == (1, True)
