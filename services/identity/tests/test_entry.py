"""Staff access (POL-4): who is let in at which hour and from where, at the token and at every request; and the way in for a reason."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.problems import Problem
from bookbag.chassis.runtime import Runtime
from bookbag.directory.entry import prove_entry
from bookbag.directory.policy import person_at, say_changed
from bookbag.school.policy.parse import as_data, parse
from bookbag.school.policy.presets import preset_text
from bookbag.school.roles import Role
from services.identity.accounts import actions as accounts
from services.identity.accounts.api import COOKIE
from services.identity.accounts.store import within
from services.identity.policy import store
from services.identity.tests.conftest import Small, small_school
from services.identity.tests.test_roster import record_of
from tests.support.house import House, eventually

OPEN, CLOSED = datetime(2026, 11, 25, 10, tzinfo=UTC), datetime(2026, 11, 25, 16, 1, tzinfo=UTC)
"""Two instants of a Wednesday under preset A, whose hours are 08:00 to 16:00."""

SATURDAY, CHRISTMAS = datetime(2026, 11, 28, 10, tzinfo=UTC), datetime(2026, 12, 22, 10, tzinfo=UTC)
"""At the hour of a working day, in term and after it."""

SCHOOL, HOME = ip_address("203.0.113.7"), ip_address("192.0.2.10")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(OPEN)


@pytest.fixture
async def strict(identity: Runtime) -> Small:
    """A school under preset A, which lets staff in from anywhere so that hours are all that counts."""
    made = await small_school(identity)
    await under_preset_a(identity, made, places="anywhere")
    return made


async def under_preset_a(runtime: Runtime, school: Small, **access: object) -> None:
    document = as_data(parse(preset_text("a")))
    document["staff"]["access"] |= access
    async with runtime.database.tenant(school.id) as tx:
        await store.lock_versions(tx)
        await store.insert_version(
            tx, author=None, author_role="operator", document=json.dumps(document), data=json.dumps(document), reason="For a test.",
            counts_from=tx.now,
        )  # fmt: skip


async def me(house: House, client: httpx2.AsyncClient, school: Small, person: object, role: str, clock: MovableClock):
    return await client.get("/v1/me", headers=house.bearer(school.id, person, role, clock=clock))


async def left_out(client: httpx2.AsyncClient, house: House, school: Small, clock: MovableClock) -> dict[str, object]:
    """What a teacher is told once they are refused; the rules that counted before may be remembered for a second."""

    async def refused() -> bool:
        return (await me(house, client, school, school.teacher, "teacher", clock)).status_code == 403

    await eventually(refused, seconds=5)
    return (await me(house, client, school, school.teacher, "teacher", clock)).json()


@pytest.mark.req("POL-4")
async def test_outside_the_hours_a_teacher_is_refused_with_the_time_at_which_they_begin_again(
    house: House, client: httpx2.AsyncClient, strict: Small, clock: MovableClock
):
    assert (await me(house, client, strict, strict.teacher, "teacher", clock)).status_code == 200
    clock.instant = CLOSED
    told = await left_out(client, house, strict, clock)
    assert (told["code"], told["opens"]) == ("outside-hours", "2026-11-26T08:00:00+00:00")
    assert "break_glass_minutes" not in told
    assert (await me(house, client, strict, strict.guardian, "guardian", clock)).status_code == 200
    clock.instant = OPEN + timedelta(days=1)
    assert (await me(house, client, strict, strict.teacher, "teacher", clock)).status_code == 200
    for day_off, opens in ((SATURDAY, "2026-11-30T08:00:00+00:00"), (CHRISTMAS, "2027-01-04T08:00:00+00:00")):
        clock.instant = day_off
        told = (await me(house, client, strict, strict.teacher, "teacher", clock)).json()
        assert (told["code"], told["opens"]) == ("outside-hours", opens)
        assert (await me(house, client, strict, strict.leader, "leader", clock)).status_code == 200


@pytest.mark.req("POL-4")
async def test_only_the_schools_networks_count_where_the_policy_says_so(identity: Runtime, clock: MovableClock):
    school = await small_school(identity)
    await under_preset_a(identity, school)
    teacher = await person_at(identity, school.id, school.teacher, Role.TEACHER, OPEN)
    family = await person_at(identity, school.id, school.guardian, Role.GUARDIAN, OPEN)
    await prove_entry(identity, school.id, school.teacher, teacher, OPEN, SCHOOL)
    await prove_entry(identity, school.id, school.guardian, family, OPEN, HOME)
    for address in (HOME, None):
        with pytest.raises(Problem) as refused:
            await prove_entry(identity, school.id, school.teacher, teacher, OPEN, address)
        assert refused.value.kind.code == "outside-network"


@pytest.mark.req("POL-4", "PRV-4")
async def test_a_leader_comes_in_for_a_reason_which_goes_on_the_record(
    house: House, client: httpx2.AsyncClient, identity: Runtime, clock: MovableClock
):
    school = await small_school(identity)
    await under_preset_a(identity, school, places="anywhere", exempt_from_hours=[])
    clock.instant = CLOSED
    cookie = await _signed_in(identity, school, school.leader)
    who = {"person": str(school.leader), "role": "leader"}
    reason = {"reason": "A child has not come home."}

    async def refused() -> bool:
        return (await client.post("/v1/tokens", json=who, headers=cookie)).status_code == 403

    await eventually(refused, seconds=5)
    told = (await client.post("/v1/tokens", json=who, headers=cookie)).json()
    assert (told["code"], told["break_glass_minutes"]) == ("outside-hours", 30)
    broken = await client.post("/v1/break-glass", json=who | reason, headers=cookie)
    assert broken.json() == {"until": (CLOSED + timedelta(minutes=30)).isoformat().replace("+00:00", "Z")}

    async def let_in() -> bool:
        return (await me(house, client, school, school.leader, "leader", clock)).status_code == 200

    await eventually(let_in, seconds=5)
    teacher = {"person": str(school.teacher), "role": "teacher"}
    assert (await client.post("/v1/break-glass", json=teacher | reason, headers=cookie)).status_code == 404
    clock.move(timedelta(minutes=31))
    assert (await me(house, client, school, school.leader, "leader", clock)).status_code == 403
    assert (await record_of(house, school.id))[-1] == (
        school.leader, "leader", "glass-broken", school.leader, "A child has not come home.",
    )  # fmt: skip


async def door(client: httpx2.AsyncClient, cookie: dict[str, str], **asked: object) -> httpx2.Response:
    return await client.get("/v1/entry", params={"role": "teacher"} | asked, headers=cookie, timeout=60)


@pytest.mark.req("POL-4")
async def test_at_the_closed_door_one_is_told_why_in_codes_and_words_and_the_cookie_stays_good(
    client: httpx2.AsyncClient, identity: Runtime, strict: Small, clock: MovableClock
):
    cookie = await _signed_in(identity, strict, strict.teacher)

    async def is_open(expected: bool) -> dict[str, object]:
        async def so() -> bool:
            return (await door(client, cookie, person=strict.teacher)).json()["open"] is expected

        await eventually(so, seconds=5)
        return (await door(client, cookie, person=strict.teacher)).json()

    assert (await is_open(True))["code"] is None
    clock.instant = CLOSED
    told = await is_open(False)
    assert (told["code"], told["opens"], told["break_glass_minutes"]) == ("outside-hours", "2026-11-26T08:00:00Z", None)
    why = {one["question"]: one for one in told["why"]}  # type: ignore[attr-defined]
    assert why["may_enter"]["answer"] == "no"
    assert why["may_enter"]["reasons"] == [
        {"code": "access_closed", "at": "2026-11-26T08:00:00Z", "roles": [], "network": None}
    ]
    assert (await door(client, cookie, person=strict.guardian)).status_code == 404
    assert (await door(client, {}, person=strict.teacher)).status_code == 401


@pytest.mark.req("POL-2", "POL-4")
async def test_whoever_waits_at_the_door_is_let_in_as_soon_as_the_rules_say_so(
    client: httpx2.AsyncClient, identity: Runtime, strict: Small, clock: MovableClock
):
    clock.instant = CLOSED
    cookie = await _signed_in(identity, strict, strict.teacher)

    async def closed() -> bool:
        return not (await door(client, cookie, person=strict.teacher)).json()["open"]

    await eventually(closed, seconds=5)
    seen = (await door(client, cookie, person=strict.teacher)).json()["mark"]
    waiting = asyncio.create_task(door(client, cookie, person=strict.teacher, seen=seen))
    for _ in range(3):  # whoever asks anew is answered meanwhile
        assert not (await door(client, cookie, person=strict.teacher, seen="another")).json()["open"]
    assert not waiting.done()
    await under_preset_a(identity, strict, places="anywhere", hours="always")
    say_changed(identity, strict.id)
    answer = (await waiting).json()
    assert (answer["open"], answer["mark"] == seen) == (True, False)


@pytest.mark.req("OPS-4")
async def test_a_stopping_process_keeps_nobody_waiting_at_the_door(
    client: httpx2.AsyncClient, identity: Runtime, strict: Small
):
    cookie = await _signed_in(identity, strict, strict.teacher)
    seen = (await door(client, cookie, person=strict.teacher)).json()["mark"]
    waiting = asyncio.create_task(door(client, cookie, person=strict.teacher, seen=seen))

    async def waits() -> bool:
        return bool(identity.wake._sleepers)

    await eventually(waits)
    identity.wake.say_stopping()
    assert (await asyncio.wait_for(waiting, 10)).json()["mark"] == seen


@pytest.mark.req("POL-3")
async def test_own_hours_may_be_narrower_and_never_wider(
    house: House, client: httpx2.AsyncClient, strict: Small, clock: MovableClock
):
    headers = house.bearer(strict.id, strict.teacher, "teacher", clock=clock)
    before = await client.get("/v1/me/hours", headers=headers)
    told = before.json()
    assert (told["week"], told["version"], told["may_narrow"]) == (None, 0, True)
    assert told["school"]["wednesday"] == [{"from": "08:00", "to": "16:00"}]
    narrow = {"wednesday": [{"from": "08:00", "to": "12:00"}]}
    wide = {"wednesday": [{"from": "07:00", "to": "12:00"}]}
    refused = await client.put("/v1/me/hours", json={"week": wide}, headers=headers | {"if-match": '"0"'})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")
    assert "wednesday" in refused.json()["detail"]
    kept = await client.put("/v1/me/hours", json={"week": narrow}, headers=headers | {"if-match": '"0"'})
    assert kept.status_code == 200
    again = await client.put("/v1/me/hours", json={"week": None}, headers=headers | {"if-match": '"0"'})
    assert (again.status_code, again.json()["code"]) == (412, "edit-conflict")
    assert (await client.get("/v1/me/hours", headers=headers)).json()["week"]["wednesday"] == narrow["wednesday"]


async def _signed_in(runtime: Runtime, school: Small, person: UUID) -> dict[str, str]:
    async with runtime.database.tenant(school.id) as tx:
        account = await accounts.add_account(tx, person, email=None, password_hash=None)
        begun = await accounts.begin_session(runtime, within(tx), account, "a test")
    return {"cookie": f"{COOKIE}={begun.refresh}"}
