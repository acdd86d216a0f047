"""A school's rules from their founding to whoever asks for them, and how soon a change counts."""

from datetime import UTC, datetime, timedelta

import pytest

from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.problems import Problem
from bookbag.chassis.runtime import Runtime
from bookbag.directory.policy import person_at, rules_at
from bookbag.school.policy.parse import parse
from bookbag.school.policy.presets import PRESETS
from bookbag.school.policy.rules import on_duty
from bookbag.school.roles import Role
from services.identity.policy import actions, store
from services.identity.policy.model import data_of, founding_text
from services.identity.tests.conftest import Small
from tests.support.house import House, eventually

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.req("POL-1", "POL-12")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_school_is_founded_with_its_own_name_and_zone_in_the_preset(preset: str):
    policy = parse(founding_text(preset, name='St "Jo" # 1', zone="Asia/Karachi"))
    assert (policy.school.name, policy.calendar.zone) == ('St "Jo" # 1', "Asia/Karachi")


@pytest.mark.req("POL-2")
async def test_the_past_stays_answerable_and_a_waiting_version_counts_from_its_instant(
    identity: Runtime, school: Small, clock: MovableClock
):
    now = clock.now()
    later = now + timedelta(days=2)
    await _changed(identity, school, counts_from=later, per_child=3)
    assert (await rules_at(identity, school.id, now)).policy.guardians.per_child == 2
    assert (await rules_at(identity, school.id, later)).policy.guardians.per_child == 3
    assert (await rules_at(identity, school.id, later - timedelta(seconds=1))).policy.guardians.per_child == 2


@pytest.mark.req("POL-2")
async def test_a_change_is_obeyed_within_a_second_by_whoever_asked_before(
    identity: Runtime, school: Small, clock: MovableClock
):
    assert (await rules_at(identity, school.id, clock.now())).policy.guardians.per_child == 2
    await _changed(identity, school, counts_from=clock.now(), per_child=4)

    async def obeyed() -> bool:
        return (await rules_at(identity, school.id, clock.now())).policy.guardians.per_child == 4

    await eventually(obeyed, seconds=5)


@pytest.mark.req("POL-3")
async def test_own_hours_narrow_duty_for_their_owner_alone(identity: Runtime, school: Small):
    async with identity.database.tenant(school.id) as tx:
        await tx.execute(
            "insert into own_hours (school_id, person_id, week) values ($1, $2, $3)",
            school.id, school.teacher, '{"tuesday": [{"from": "09:00", "to": "12:00"}]}',
        )  # fmt: skip
    narrowed = await person_at(identity, school.id, school.teacher, Role.TEACHER, MONDAY)
    other = await person_at(identity, school.id, school.leader, Role.LEADER, MONDAY)
    assert not on_duty(narrowed, MONDAY).on
    assert on_duty(narrowed, MONDAY + timedelta(days=1)).on
    assert on_duty(other, MONDAY).on


async def test_a_school_whose_rules_are_not_known_is_not_guessed_about(identity: Runtime):
    with pytest.raises(Problem) as refused:
        await rules_at(identity, new_id(), MONDAY)
    assert refused.value.kind.code == "access-unknown"


async def test_a_school_from_before_policies_were_kept_gets_the_preset_of_its_founding(fresh_house: House):
    async with fresh_house.runtime("identity", working=True) as runtime:
        school = new_id()
        async with runtime.database.tenant(school) as tx:
            await tx.execute(
                "insert into school (school_id, code, name, country, zone, language, policy_preset, created_at)"
                " values ($1, 'OLDE', 'Old School', 'GB', 'Europe/London', 'en', 'answer-slots', now())", school,
            )  # fmt: skip
            await tx.execute("insert into school_code values ('OLDE', $1)", school)
        for _ in range(2):
            await actions.found_missing(runtime)
        async with runtime.database.tenant(school) as tx:
            (only,) = await store.versions(tx)
            assert await tx.fetchval("select count(*) from access_change") == 1
        assert "Old School" in only.document
        assert (await rules_at(runtime, school, datetime.now(UTC))).policy.school.name == "Old School"


async def _changed(runtime: Runtime, school: Small, *, counts_from: datetime, per_child: int) -> None:
    async with runtime.database.tenant(school.id) as tx:
        current = (await store.versions(tx))[-1]
        text = current.document.replace("per_child: 2", f"per_child: {per_child}")
        assert text != current.document
        await store.lock_versions(tx)
        await store.insert_version(
            tx, author=school.leader, author_role="leader", document=text, data=data_of(parse(text)), reason="More adults.",
            counts_from=counts_from,
        )  # fmt: skip
