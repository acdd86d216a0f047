"""Clauses of the five source policies as people meet them at the door and as leaders read them: each check passes under its preset and
fails once the rule is switched off, through the real service (POL-12)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.reading import read
from bookbag.school.roles import Role
from services.identity.policy import store
from services.identity.roster import actions as roster
from services.identity.tests.conftest import Small, small_school
from tests.support.house import House
from tests.support.policy import document_with

pytestmark = pytest.mark.req("POL-4", "POL-11", "POL-12")

LONDON = ZoneInfo("Europe/London")


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(london("2026-11-23 10:00"))


@dataclass(frozen=True)
class Door:
    """A school under rules of its own, and what its people are answered there."""

    house: House
    client: httpx2.AsyncClient
    school: Small
    clock: MovableClock

    async def asked(self, role: str, path: str = "/v1/me", **token: str) -> httpx2.Response:
        """What the one who has this role is answered; `terms=""`: they have accepted none yet."""
        headers = self.house.bearer(self.school.id, getattr(self.school, role), role, clock=self.clock, **token)
        return await self.client.get(path, headers=headers)

    async def is_in(self, role: str, at: str) -> bool:
        """Whether they are let in when it is this time in London."""
        self.clock.instant = london(at)
        answer = await self.asked(role)
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200

    async def terms(self, role: str) -> dict[str, Any]:
        """What somebody who has accepted nothing is shown, and that nothing else is open to them."""
        refused = await self.asked(role, terms="")
        assert (refused.status_code, refused.json().get("code")) == (403, "terms-not-accepted")
        return (await self.asked(role, "/v1/terms", terms="")).json()["due"]


Check = Callable[[Door], Awaitable[None]]


async def teachers_are_in_in_the_hours_of_staff_and_families_at_any(door: Door) -> None:
    for at, inside in (
        ("2026-11-23 15:59", True),
        ("2026-11-23 16:00", False),
        ("2026-11-24 07:59", False),
        ("2026-11-24 08:00", True),
        ("2026-11-28 10:00", False),
        ("2026-12-22 10:00", False),
        ("2027-02-16 10:00", False),
    ):
        assert await door.is_in("teacher", at) is inside, at
        assert await door.is_in("guardian", at), at


async def guardians_promise_that_children_stay_off_their_account(door: Door) -> None:
    assert "My children do not use my account" in (await door.terms("guardian"))["text"]


async def guardians_accept_every_rule_of_acceptable_use(door: Door) -> None:
    text = (await door.terms("guardian"))["text"]
    assert [words for words in ACCEPTABLE_USE if words not in text] == []


async def leaders_are_shown_the_review_every_two_years(door: Door) -> None:
    shown: list[str] = []
    for at in ("2028-05-31 12:00", "2028-06-15 12:00", "2028-07-02 12:00"):
        door.clock.instant = london(at)
        told = (await door.asked("leader", "/v1/policy")).json()
        shown.append(told["review"]["state"])
    assert (told["data"]["review"]["every_months"], shown) == (24, ["far", "near", "past"])


async def families_and_pupils_sign_with_name_and_date(door: Door) -> None:
    for role in ("guardian", "pupil"):
        assert (await door.terms(role))["agreement"] == "name_and_date"


async def all_accept_the_policy_in_full_and_leaders_are_shown_the_review_every_year(door: Door) -> None:
    for role in ("guardian", "teacher"):
        assert "accept the policy in full" in (await door.terms(role))["text"]
    door.clock.instant = london("2027-07-02 12:00")
    told = (await door.asked("leader", "/v1/policy")).json()
    assert (told["data"]["review"]["every_months"], told["review"]["state"]) == (12, "past")


ANYWHERE = {"staff.access.places": "anywhere"}
"""For checks that are not about places."""

ACCEPTABLE_USE = (
    "advertise", "send harmful files", "collect others' details", "pretend to be somebody else", "harass anybody",
    "copy what others have shared",
)  # fmt: skip
WORDS_OF_C = read(preset_text("c")).data["terms"]["guardians"]["text"]["en"]

CLAUSES: list[tuple[str, Check, list[dict[str, Any]]]] = [
    (
        "A1", teachers_are_in_in_the_hours_of_staff_and_families_at_any,
        [
            {"staff.access.hours": "always"},
            {"staff.access.exempt_from_hours": ["teacher", "leader", "safeguarding"]},
            {"staff.hours.days": "every_day", "staff.hours.saturday": [{"from": "08:00", "to": "16:00"}]},
            {"staff.hours.monday": [{"from": "08:00", "to": "17:00"}]},
            {"calendar.holidays": []},
        ],
    ),
    (
        "B13", all_accept_the_policy_in_full_and_leaders_are_shown_the_review_every_year,
        [
            {"terms.guardians.text": {"en": "I like the app."}},
            {"terms.staff.text": {"en": "I like the app."}},
            {"review.every_months": 24},
            {"review.next": "2029-07-01"},
        ],
    ),
    (
        "C7", guardians_promise_that_children_stay_off_their_account,
        [{"terms.guardians.text": {"en": "I am polite."}}],
    ),
    (
        "C8", guardians_accept_every_rule_of_acceptable_use,
        [{"terms.guardians.text": {"en": WORDS_OF_C.replace(words, "")}} for words in ACCEPTABLE_USE],
    ),
    (
        "C10", leaders_are_shown_the_review_every_two_years,
        [{"review.every_months": 12}, {"review.next": "2029-07-01"}, {"review.shown_days_before": 1}],
    ),
    (
        "D7", guardians_promise_that_children_stay_off_their_account,
        [{"terms.guardians.text": {"en": "I am polite."}}],
    ),
    (
        "E7", families_and_pupils_sign_with_name_and_date,
        [{"terms.guardians.agreement": "accept"}, {"terms.pupils.agreement": "accept"}],
    ),
]  # fmt: skip
MUTANTS = [(clause, check, mutant) for clause, check, mutants in CLAUSES for mutant in mutants]


async def door_of(
    house: House, client: httpx2.AsyncClient, identity: Runtime, clock: MovableClock, clause: str, **changed: Any
) -> Door:
    """A school under the preset of a clause, but for what is changed."""
    school = await small_school(identity)
    document = document_with(clause[0].lower(), ANYWHERE | changed)
    async with identity.database.tenant(school.id) as tx:
        await roster.add_membership(tx, school.pupil, Role.PUPIL)
        await store.lock_versions(tx)
        await store.insert_version(
            tx, author=None, author_role="operator", document=document, data=document, reason="For a test.",
            counts_from=tx.now,
        )  # fmt: skip
    return Door(house, client, school, clock)


@pytest.mark.parametrize(("clause", "check"), [row[:2] for row in CLAUSES], ids=[row[0] for row in CLAUSES])
async def test_the_door_keeps_the_clause(
    house: House, client: httpx2.AsyncClient, identity: Runtime, clock: MovableClock, clause: str, check: Check
) -> None:
    await check(await door_of(house, client, identity, clock, clause))


@pytest.mark.parametrize(
    ("clause", "check", "mutant"), MUTANTS, ids=[f"{row[0]} {next(iter(row[2]))}" for row in MUTANTS]
)
async def test_with_the_rule_switched_off_the_door_breaks_the_clause(
    house: House,
    client: httpx2.AsyncClient,
    identity: Runtime,
    clock: MovableClock,
    clause: str,
    check: Check,
    mutant: dict[str, Any],
) -> None:
    door = await door_of(house, client, identity, clock, clause, **mutant)
    with pytest.raises(AssertionError):
        await check(door)
