"""Leaders and safeguarding read their school's record: filtered, in pages, as a table, and not without leaving a mark on it."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.audit.anchors import anchor_heads
from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role
from services.identity.roster import actions as roster
from services.identity.roster.model import Author
from services.identity.tests.conftest import Small, small_school
from services.identity.tests.test_roster import record_of
from tests.support.house import House

pytestmark = pytest.mark.req("PRV-4")

LIMIT = "limit=100"


@pytest.fixture
async def lead(identity: Runtime, school: Small, clock: MovableClock) -> UUID:
    """The safeguarding lead of a school in which something has happened: a suspension, an hour later the end of it and of the link."""
    async with identity.database.tenant(school.id) as tx:
        lead = (await roster.add_person(tx, name="Sana Lead", first_name="Sana", language="en")).id
        await roster.add_membership(tx, lead, Role.SAFEGUARDING)
        leader = Author(school.leader, "leader")
        await roster.suspend_guardian(tx, school.guardian, author=leader, reason="=threats")
    clock.move(timedelta(hours=1))
    async with identity.database.tenant(school.id) as tx:
        await roster.reinstate_guardian(tx, school.guardian, author=leader)
        await roster.end_guardianship(tx, school.link, author=Author(school.office, "office"), reason="court order")
    clock.move(timedelta(minutes=1))
    return lead


class Reader:
    """Somebody who asks for the record."""

    def __init__(
        self, client: httpx2.AsyncClient, house: House, school: Small, who: UUID, role: str, clock: MovableClock
    ) -> None:
        self._client, self._house, self._clock = client, house, clock
        self._who = (school.id, who, role)

    async def ask(self, path: str) -> httpx2.Response:
        headers = self._house.bearer(*self._who, clock=self._clock)
        return await self._client.get(f"/v1/audit{path}", headers=headers)

    async def acts(self, query: str = LIMIT) -> list[str]:
        answer = await self.ask(f"?{query}")
        assert answer.status_code == 200, answer.text
        return [item["act"] for item in answer.json()["items"]]


@pytest.fixture
def reader(client: httpx2.AsyncClient, house: House, school: Small, lead: UUID, clock: MovableClock) -> Reader:
    return Reader(client, house, school, lead, "safeguarding", clock)


async def test_an_entry_says_who_did_what_to_whom_in_which_role_when_and_why(reader: Reader, school: Small) -> None:
    items: list[dict[str, Any]] = (await reader.ask(f"?{LIMIT}")).json()["items"]
    ended, reinstated, suspended, *_ = items
    assert ended["by"] == {"id": str(school.office), "name": "Mx office"}
    assert (ended["role"], ended["act"], ended["reason"]) == ("office", "guardianship-ended", "court order")
    assert [one["name"] for one in ended["whom"]] == ["Carmen Reed", "Maya Reed"]
    assert (suspended["act"], suspended["reason"], suspended["by"]["name"]) == (
        "guardian-suspended",
        "=threats",
        "Mx leader",
    )
    assert suspended["whom"] == [{"id": str(school.guardian), "name": "Carmen Reed"}]
    assert suspended["at"] < reinstated["at"] == ended["at"]
    added = next(item for item in items if item["act"] == "membership-added")
    assert (added["by"], added["role"]) == (None, "operator")


async def test_pages_follow_each_other_without_gap_or_repetition(reader: Reader) -> None:
    whole = (await reader.ask(f"?{LIMIT}")).json()["items"]
    found: list[dict[str, Any]] = []
    query = "?limit=2"
    while True:
        page = (await reader.ask(query)).json()
        found += page["items"]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    # Looking once made an entry; looking again at the same made none.
    assert [item["seq"] for item in found] == list(range(found[0]["seq"], 0, -1))
    assert [item["act"] for item in found] == ["record-read", *(item["act"] for item in whole)]


async def test_the_record_is_filtered_by_act_person_and_time(
    reader: Reader, school: Small, clock: MovableClock
) -> None:
    assert await reader.acts("act=guardianship-ended") == ["guardianship-ended"]
    of_guardian = await reader.acts(f"person={school.guardian}")
    assert set(of_guardian) == {
        "guardian-suspended", "guardian-reinstated", "membership-added", "guardianship-linked", "guardianship-ended",
    }  # fmt: skip
    assert await reader.acts(f"person={school.pupil}") == ["guardianship-ended", "guardianship-linked"]
    assert await reader.acts(f"person={school.office}&act=guardianship-ended") == ["guardianship-ended"]
    before = (clock.now() - timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    late = await reader.acts(f"from={before}&act=guardian-reinstated")
    assert late == ["guardian-reinstated"]
    assert await reader.acts(f"to={before}&act=guardian-reinstated") == []
    assert await reader.acts(f"to={before}&act=guardian-suspended") == ["guardian-suspended"]


async def test_a_reading_is_recorded_and_counts_for_a_quarter_of_an_hour(
    house: House, reader: Reader, school: Small, lead: UUID, clock: MovableClock
) -> None:
    async def readings() -> list[tuple[UUID | None, str, str]]:
        return [
            (object_, reason, role)
            for who, role, act, object_, reason in await record_of(house, school.id)
            if act == "record-read" and who == lead
        ]

    await reader.acts()
    await reader.acts("limit=1")
    assert await readings() == [(None, "", "safeguarding")]
    await reader.acts(f"person={school.guardian}")
    assert (await readings())[1:] == [(school.guardian, "", "safeguarding")]
    await reader.acts("act=guardian-suspended")
    assert (await readings())[2:] == [(None, "act=guardian-suspended", "safeguarding")]
    clock.move(timedelta(minutes=9))
    await reader.acts()
    assert len(await readings()) == 3
    clock.move(timedelta(minutes=7))
    await reader.acts()
    assert (await readings())[3:] == [(None, "", "safeguarding")]


async def test_no_page_is_had_without_a_mark(house: House, reader: Reader, school: Small) -> None:
    """Whoever makes up a cursor has read all the same."""
    page = (await reader.ask("?limit=1&act=guardian-suspended")).json()
    assert (await reader.ask(f"?cursor={page['next'] or 'WzVd'}")).status_code == 200
    acts = [entry[2:] for entry in await record_of(house, school.id) if entry[2] == "record-read"]
    assert [reason for _, _, reason in acts] == ["act=guardian-suspended", ""]


async def test_the_table_has_every_entry_in_order_and_is_recorded(house: House, reader: Reader, school: Small) -> None:
    answer = await reader.ask("/export?act=guardian-suspended")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"].startswith('attachment; filename="record-identity-')
    read = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["by"], row["whom"], row["reason"]) for row in read] == [("Mx leader", "Carmen Reed", "'=threats")]
    assert (await record_of(house, school.id))[-1][2:] == ("record-exported", None, "act=guardian-suspended")
    everything = await reader.ask("/export")
    numbers = [int(row["number"]) for row in csv.DictReader(io.StringIO(everything.content.decode("utf-8-sig")))]
    assert numbers == list(range(len(numbers), 0, -1))
    assert len(numbers) == len(await record_of(house, school.id))


async def test_the_state_tells_how_far_the_record_is_anchored(reader: Reader, identity: Runtime) -> None:
    before = (await reader.ask("/state")).json()
    assert (before["anchored"], before["anchored_at"]) == (0, None)
    await anchor_heads(identity)
    after = (await reader.ask("/state")).json()
    assert after["entries"] == after["anchored"] == before["entries"] > 0
    assert after["anchored_at"] is not None


async def test_nobody_else_reads_the_record(
    client: httpx2.AsyncClient, house: House, school: Small, lead: UUID, clock: MovableClock
) -> None:
    for who, role in ((school.teacher, "teacher"), (school.office, "office")):
        other = Reader(client, house, school, who, role, clock)
        for path in ("", "/state", "/export"):
            answer = await other.ask(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (role, path)
    assert not [entry for entry in await record_of(house, school.id) if entry[2].startswith("record-")]


async def test_a_school_reads_its_own_record_alone(
    client: httpx2.AsyncClient, house: House, identity: Runtime, lead: UUID, clock: MovableClock
) -> None:
    other = await small_school(identity)
    theirs = Reader(client, house, other, other.leader, "leader", clock)
    answer = (await theirs.ask(f"?{LIMIT}")).json()["items"]
    assert "guardian-suspended" not in [item["act"] for item in answer]
    assert {item["by"] and item["by"]["id"] for item in answer} == {None}


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=2026-11-25T08:00:00", "to=0001-01-01T00:00:00%2B23:00", "person=me", "act=DROP", "limit=101",
              "cursor=nonsense", "cursor=WyJhIl0"],
)  # fmt: skip
async def test_a_filter_that_says_nothing_is_refused(reader: Reader, query: str) -> None:
    answer = await reader.ask(f"?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize("seq", [-(2**70), 2**70])
async def test_a_place_far_outside_the_record_is_none(reader: Reader, seq: int) -> None:
    from bookbag.chassis.pages import encode

    assert (await reader.ask(f"?cursor={encode([seq])}")).status_code == 200


async def test_an_installation_without_the_reading_role_says_that_a_part_is_away(
    reader: Reader, identity: Runtime
) -> None:
    identity.reader, kept = None, identity.reader
    answer = await reader.ask("")
    identity.reader = kept
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
