"""Suspensions of guardians: why, by whom, until when; they end by themselves or by a leader's hand, and leaders see them all."""

from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role
from services.identity.roster import actions as people
from services.identity.roster import store as roster
from services.identity.roster.model import OPERATOR, Standing
from services.identity.suspensions import actions
from services.identity.tests.conftest import Browser, Small, small_school
from tests.support.house import House

pytestmark = pytest.mark.req("ID-11")


class Leader:
    """A leader of a small school at the office's screen."""

    def __init__(self, house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock) -> None:
        self._house, self._client, self._school, self._clock = house, client, school, clock

    async def ask(self, method: str, path: str, **more: object) -> httpx2.Response:
        headers = self._house.bearer(self._school.id, self._school.leader, "leader", clock=self._clock)
        return await self._client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]

    async def suspend(self, person: UUID, **body: object) -> httpx2.Response:
        return await self.ask("POST", f"/v1/people/{person}/suspension", json={"reason": "threats at the gate"} | body)

    async def listed(self) -> list[dict[str, object]]:
        return (await self.ask("GET", "/v1/suspensions")).json()["items"]


@pytest.fixture
async def leader(house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock) -> Leader:
    return Leader(house, client, school, clock)


async def test_a_suspension_ends_by_itself_at_its_end_and_not_before(
    leader: Leader, browser: Browser, identity: Runtime, school: Small, clock: MovableClock
):
    await browser.sign_in(school.email)
    until = clock.now() + timedelta(days=3)
    assert (await leader.suspend(school.guardian, until=until.isoformat())).status_code == 204
    clock.move(timedelta(days=3) - timedelta(seconds=1))
    assert await actions.end_due(identity) == 0
    assert (await browser.take_token(school.guardian)).json()["code"] == "suspended"
    clock.move(timedelta(seconds=1))
    assert await actions.end_due(identity) == 1
    assert (await browser.take_token(school.guardian)).status_code == 200
    assert await actions.end_due(identity) == 0
    ended = (await leader.listed())[0]
    assert (ended["ended_by"], ended["ended_at"] is not None) == (None, True)


async def test_one_without_an_end_waits_for_a_leader(
    leader: Leader, browser: Browser, identity: Runtime, school: Small, clock: MovableClock
):
    await leader.suspend(school.guardian)
    clock.move(timedelta(days=400))
    assert await actions.end_due(identity) == 0
    assert (await leader.ask("DELETE", f"/v1/people/{school.guardian}/suspension")).status_code == 204
    assert (await leader.listed())[0]["ended_by"] == str(school.leader)


async def test_leaders_see_who_is_suspended_why_by_whom_and_until_when(
    leader: Leader, school: Small, clock: MovableClock
):
    until = clock.now() + timedelta(days=7)
    await leader.suspend(school.guardian, until=until.isoformat())
    (one,) = await leader.listed()
    assert (one["person"], one["name"], one["reason"]) == (str(school.guardian), "Carmen Reed", "threats at the gate")
    assert (one["author"], one["author_name"], one["ended_at"]) == (str(school.leader), "Mx leader", None)
    assert str(one["ends_at"])[:19] == until.isoformat()[:19]


async def test_suspending_again_changes_reason_and_end_and_is_recorded(
    leader: Leader, house: House, identity: Runtime, school: Small, clock: MovableClock
):
    await leader.suspend(school.guardian)
    later = (clock.now() + timedelta(days=30)).isoformat()
    for _ in range(2):
        assert (await leader.suspend(school.guardian, reason="and again", until=later)).status_code == 204
    (one,) = await leader.listed()
    assert (one["reason"], one["ends_at"] is not None) == ("and again", True)
    async with identity.database.tenant(school.id) as tx:
        assert await tx.fetchval("select count(*) from suspension where school_id = $1", tx.school) == 1


@pytest.mark.parametrize("days", [-1, 0, 800])
async def test_an_end_that_is_over_or_out_of_sight_is_refused(
    leader: Leader, school: Small, clock: MovableClock, days: int
):
    answer = await leader.suspend(school.guardian, until=(clock.now() + timedelta(days=days)).isoformat())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert "until" in answer.json()["detail"]
    assert await leader.listed() == []


async def test_an_end_without_a_zone_is_refused(leader: Leader, school: Small):
    assert (await leader.suspend(school.guardian, until="2027-01-01T08:00:00")).status_code == 422


async def test_somebody_who_left_meanwhile_does_not_come_back_with_the_end_of_a_suspension(
    leader: Leader, identity: Runtime, school: Small, clock: MovableClock
):
    await leader.suspend(school.guardian, until=(clock.now() + timedelta(days=1)).isoformat())
    async with identity.database.tenant(school.id) as tx:
        await people.end_membership(tx, school.guardian, Role.GUARDIAN, author=OPERATOR, reason="moved away")
    clock.move(timedelta(days=2))
    await actions.end_due(identity)
    async with identity.database.tenant(school.id) as tx:
        standings = [held.standing for held in await roster.memberships(tx, school.guardian)]
    assert standings == [Standing.ENDED]


async def test_guardians_are_found_by_their_name_or_a_childs_in_the_own_school_only(
    leader: Leader, identity: Runtime, school: Small
):
    await small_school(identity)
    for text, found in (("carmen", 1), ("MAYA", 1), ("nobody", 0), ("", 1), ("%", 0)):
        items = (await leader.ask("GET", "/v1/guardians", params={"text": text})).json()["items"]
        assert len(items) == found, text
    assert items == []
    (one,) = (await leader.ask("GET", "/v1/guardians")).json()["items"]
    assert one == {"person": str(school.guardian), "name": "Carmen Reed", "children": ["Maya"], "suspended": False}


@pytest.mark.parametrize("path", ["/v1/suspensions", "/v1/guardians"])
@pytest.mark.parametrize("role", ["teacher", "office", "guardian"])
async def test_the_lists_are_for_leaders_alone(
    house: House, client: httpx2.AsyncClient, school: Small, path: str, role: str
):
    who = {"teacher": school.teacher, "office": school.office, "guardian": school.guardian}[role]
    answer = await client.get(path, headers=house.bearer(school.id, who, role))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
