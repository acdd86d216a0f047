"""What the roster accepts, who may change it from outside, and that schools do not see each other."""

from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role, SeatKind
from services.identity.roster import actions as roster
from services.identity.roster import store
from services.identity.roster.model import OPERATOR, Author, InvalidRosterValue, NotOnRoster, Standing
from services.identity.tests.conftest import Browser, Small, small_school
from tests.support.house import House

pytestmark = pytest.mark.req("ID-2")


async def record_of(house: House, school: UUID) -> list[tuple[UUID | None, str, str, UUID, str]]:
    """The school's audit entries, which the app itself cannot read."""
    record = Database(house.databases.urls["identity"].backup, "backup")
    rows = await record.fetch("select * from audit_entry where school_id = $1 order by seq", school)
    await record.close()
    return [(row["actor_id"], row["role"], row["act"], row["object_id"], row["reason"]) for row in rows]


@pytest.mark.req("POL-1")
@pytest.mark.parametrize(
    "wrong",
    [{"code": "brla"}, {"code": "B1"}, {"country": "UK "}, {"zone": "London"}, {"zone": "../etc"}, {"language": "xx"}],
)
async def test_a_school_that_nobody_could_find_or_tell_the_time_of_is_refused(identity: Runtime, wrong: dict[str, str]):
    good = {"code": "GOOD", "name": "Good Primary", "country": "GB", "zone": "Europe/London", "language": "en"}
    with pytest.raises(InvalidRosterValue):
        async with identity.database.tenant(new_id()) as tx:
            await roster.create_school(tx, **(good | wrong), policy_preset="quiet-evenings")


@pytest.mark.req("POL-1")
async def test_one_school_sees_nothing_of_another(identity: Runtime, school: Small):
    other = await small_school(identity)
    async with identity.database.tenant(school.id) as tx:
        everything = {type(thing): thing async for thing in store.everything(tx)}
        assert everything
        assert await store.person(tx, other.guardian) is None
        assert await store.contacts(tx, [other.guardian]) == []
        with pytest.raises(NotOnRoster):
            await roster.end_guardianship(tx, other.link, author=OPERATOR, reason="not mine")
    assert await identity.database.fetchval("select count(*) from person") == 0


async def test_a_seat_goes_only_to_somebody_with_its_role(identity: Runtime, school: Small):
    async with identity.database.tenant(school.id) as tx:
        office = await roster.open_seat(tx, SeatKind.OFFICE)
        with pytest.raises(InvalidRosterValue):
            await roster.seat_person(tx, office.id, school.teacher)
        assert not (await roster.seat_person(tx, office.id, school.office)).ended
        with pytest.raises(NotOnRoster):
            await roster.seat_person(tx, new_id(), school.office)


@pytest.mark.parametrize(
    ("kind", "in_class", "subject"),
    [
        (SeatKind.CLASS_TEACHER, False, ""),
        (SeatKind.SPECIALIST, True, ""),
        (SeatKind.OFFICE, True, ""),
        (SeatKind.OFFICE, False, "Art"),
    ],
)
async def test_a_seat_that_makes_no_sense_is_refused(
    identity: Runtime, school: Small, kind: SeatKind, in_class: bool, subject: str
):
    async with identity.database.tenant(school.id) as tx:
        with pytest.raises(InvalidRosterValue):
            await roster.open_seat(tx, kind, school_class=school.oak if in_class else None, subject=subject)


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org", "a@example.org\nBcc: x@example.org"])
async def test_a_contact_that_is_no_address_is_refused(identity: Runtime, school: Small, email: str):
    async with identity.database.tenant(school.id) as tx:
        with pytest.raises(InvalidRosterValue):
            await roster.add_person(tx, name="A B", first_name="A", language="en", email=email)


async def test_a_pair_is_linked_once_at_a_time_and_a_new_link_is_another(identity: Runtime, school: Small):
    async with identity.database.tenant(school.id) as tx:
        again = await roster.link_guardian(tx, school.pupil, school.guardian, "mother")
        assert again.id == school.link
        ended = await roster.end_guardianship(tx, school.link, author=OPERATOR, reason="moved")
        anew = await roster.link_guardian(tx, school.pupil, school.guardian, "mother")
    assert ended.ended
    assert anew.id != school.link


async def test_a_person_of_another_school_cannot_be_linked(identity: Runtime, school: Small):
    other = await small_school(identity)
    with pytest.raises(Exception, match="foreign key"):
        async with identity.database.tenant(school.id) as tx:
            await roster.link_guardian(tx, school.pupil, other.guardian, "mother")


@pytest.mark.req("ID-11")
async def test_a_leader_suspends_a_guardian_and_lets_them_back(
    house: House, client: httpx2.AsyncClient, browser: Browser, identity: Runtime, school: Small
):
    await browser.sign_in(school.email)
    await browser.take_token(school.guardian)
    leader = house.bearer(school.id, school.leader, "leader")
    place = f"/v1/people/{school.guardian}/suspension"
    assert (await client.post(place, json={"reason": "abuse of staff"}, headers=leader)).status_code == 204
    refused = await browser.ask("GET", "/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
    refused = await browser.take_token(school.guardian)
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
    assert (await client.delete(place, headers=leader)).status_code == 204
    assert (await browser.ask("GET", "/v1/me")).status_code == 401  # the old token stays dead
    assert (await browser.take_token(school.guardian)).status_code == 200
    assert (await browser.ask("GET", "/v1/me")).status_code == 200
    acts = [entry for entry in await record_of(house, school.id) if "guardian-" in entry[2]]
    assert acts == [
        (school.leader, "leader", "guardian-suspended", school.guardian, "abuse of staff"),
        (school.leader, "leader", "guardian-reinstated", school.guardian, ""),
    ]


@pytest.mark.req("ID-11", "ID-10")
async def test_a_teacher_who_is_a_parent_teaches_on_while_suspended_as_a_parent(identity: Runtime, school: Small):
    async with identity.database.tenant(school.id) as tx:
        await roster.add_membership(tx, school.teacher, Role.GUARDIAN)
        await roster.suspend_guardian(tx, school.teacher, author=OPERATOR, reason="test")
        standings = {held.role: held.standing for held in await store.memberships(tx, school.teacher)}
    assert standings == {Role.TEACHER: Standing.ACTIVE, Role.GUARDIAN: Standing.SUSPENDED}


@pytest.mark.req("ID-9", "PRV-4")
@pytest.mark.parametrize("role", ["office", "leader"])
async def test_office_and_leaders_end_a_guardianship_and_it_is_recorded_once(
    house: House, client: httpx2.AsyncClient, identity: Runtime, school: Small, role: str
):
    who = school.office if role == "office" else school.leader
    headers, body = house.bearer(school.id, who, role), {"reason": "court order"}
    for _ in range(2):
        answer = await client.post(f"/v1/guardianships/{school.link}/end", json=body, headers=headers)
        assert answer.status_code == 204
    entries = [entry for entry in await record_of(house, school.id) if entry[2] == "guardianship-ended"]
    assert entries == [(who, role, "guardianship-ended", school.link, "court order")]


@pytest.mark.parametrize("role", ["guardian", "teacher"])
async def test_nobody_else_may_touch_the_roster(house: House, client: httpx2.AsyncClient, school: Small, role: str):
    who = school.guardian if role == "guardian" else school.teacher
    headers, reason = house.bearer(school.id, who, role), {"reason": "because"}
    answers = [
        await client.post(f"/v1/guardianships/{school.link}/end", json=reason, headers=headers),
        await client.post(f"/v1/people/{school.guardian}/suspension", json=reason, headers=headers),
        await client.delete(f"/v1/people/{school.guardian}/suspension", headers=headers),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "forbidden")] * 3


async def test_the_office_ends_links_and_suspends_nobody(house: House, client: httpx2.AsyncClient, school: Small):
    headers = house.bearer(school.id, school.office, "office")
    answer = await client.post(f"/v1/people/{school.guardian}/suspension", json={"reason": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_what_another_school_has_and_what_nobody_has_look_alike(
    house: House, client: httpx2.AsyncClient, identity: Runtime, school: Small
):
    other = await small_school(identity)
    headers, body = house.bearer(school.id, school.leader, "leader"), {"reason": "because"}
    for path, foreign in (("/v1/guardianships/{}/end", other.link), ("/v1/people/{}/suspension", other.guardian)):
        theirs = await client.post(path.format(foreign), json=body, headers=headers)
        nobodys = await client.post(path.format(new_id()), json=body, headers=headers)
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json() == nobodys.json()
    staff = await client.post(f"/v1/people/{school.teacher}/suspension", json=body, headers=headers)
    assert (staff.status_code, staff.json()) == (404, nobodys.json())


@pytest.mark.parametrize("wrong", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "until": "never"}])
async def test_a_reason_is_needed(house: House, client: httpx2.AsyncClient, school: Small, wrong: dict[str, str]):
    headers = house.bearer(school.id, school.leader, "leader")
    answer = await client.post(f"/v1/guardianships/{school.link}/end", json=wrong, headers=headers)
    assert (answer.status_code, answer.json()["field"] in {"reason", "until"}) == (422, True)


async def test_an_author_of_another_school_leaves_no_entry_there(identity: Runtime, school: Small):
    with pytest.raises(Exception, match="record of another school"):
        async with identity.database.tenant(school.id) as tx:
            await tx.execute("select append_audit($1, now(), null, 'operator', 'x', 'y', null, '')", new_id())
    assert Author(None, "operator") == OPERATOR
