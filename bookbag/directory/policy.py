"""The rules of a school as they count at an instant, for every service: from its own copy, so that nobody asks a sibling (POL-2).

Rules are laid out once per version and kept in the process; which versions there are is looked at again when Redis says that something
changed, and after a second at the latest. So a change is obeyed everywhere within seconds, with the bus and Redis away too.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from bookbag.chassis.problems import ACCESS_UNKNOWN, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.wake import Sleeper
from bookbag.school.policy.document.fields import Week
from bookbag.school.policy.parse import checked
from bookbag.school.policy.rules import Person, SchoolRules
from bookbag.school.policy.values import build
from bookbag.school.policy.versions import Version, counting_at
from bookbag.school.roles import Role

LOOK_AGAIN_SECONDS = 1.0
"""How old the list of versions and own hours may be."""

KEPT_VERSIONS = 4
"""Versions of one school whose rules are kept laid out: the one that counts, and those asked about just now."""


Mark = tuple[int, str]
"""Stands for what the rules say to one person; only ever compared with another."""

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Known:
    """What this process has of one school's rules."""

    rung: Sleeper
    """Stays registered for as long as the process remembers the school."""
    stale: bool = False
    looked_at: float = float("-inf")
    versions: tuple[Version, ...] = ()
    weeks: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    glasses: Mapping[tuple[UUID, str], datetime] = field(default_factory=dict[tuple[UUID, str], datetime])
    rules: dict[int, SchoolRules] = field(default_factory=dict[int, SchoolRules])
    people: dict[tuple[int, UUID, Role, str], Person] = field(default_factory=dict[tuple[int, UUID, Role, str], Person])
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_fresh(self) -> bool:
        """Whether nobody said since the last look that something changed, and that look is not long ago."""
        if self.rung.was_rung():
            self.stale = True
        return not self.stale and time.monotonic() - self.looked_at < LOOK_AGAIN_SECONDS


class Policies:
    """The rules of every school that this process was asked about."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._schools: dict[UUID, _Known] = {}

    async def rules_at(self, school: UUID, at: datetime) -> SchoolRules:
        """See the function of this name."""
        known = await self._look(school)
        return await self._rules(school, known, self._number_at(known, at))

    async def person_at(self, school: UUID, person: UUID, role: Role, at: datetime) -> Person:
        """See the function of this name."""
        known = await self._look(school)
        number = self._number_at(known, at)
        rules = await self._rules(school, known, number)
        week = known.weeks.get(person, "")
        if not week:
            return rules.person(role)
        key = number, person, role, week
        if key not in known.people:
            known.people = {one: kept for one, kept in known.people.items() if one[0] in known.rules}
            own: Week = build(Week, json.loads(week))
            known.people[key] = rules.person(role, own)
        return known.people[key]

    async def mark_at(self, school: UUID, person: UUID, at: datetime) -> Mark:
        """See the function of this name."""
        known = await self._look(school)
        return self._number_at(known, at), known.weeks.get(person, "")

    async def glass_until(self, school: UUID, person: UUID, role: Role) -> datetime:
        """See the function of this name."""
        return (await self._look(school)).glasses.get((person, role), NEVER)

    def _number_at(self, known: _Known, at: datetime) -> int:
        version = counting_at(known.versions, at)
        if version is None and known.versions and at < known.versions[0].counts_from:
            version = known.versions[0]  # before the school was founded, or a clock that differs by a moment
        if version is None:
            raise Problem(ACCESS_UNKNOWN, retry_after=5)
        return version.number

    async def _look(self, school: UUID) -> _Known:
        known = self._schools.get(school)
        if known is None:
            rung = self._runtime.wake.sleeper(policy_channel(self._runtime, school))
            known = self._schools[school] = _Known(rung.__enter__())
        if known.is_fresh():
            return known
        async with known.looking:
            if known.is_fresh():
                return known
            known.stale, known.looked_at = (
                False,
                float("-inf"),
            )  # before: what is said while looking counts for the next
            began = time.monotonic()
            async with self._runtime.database.tenant(school) as tx:
                versions = await tx.fetch(
                    "select number, author_id, made_at, counts_from from known_policy where school_id = $1 order by number",
                    school,
                )
                weeks = await tx.fetch(
                    "select person_id, week from known_own_hours where school_id = $1 and week <> ''", school
                )
                glasses = await tx.fetch(
                    "select person_id, role, until from known_break_glass where school_id = $1 and until > $2",
                    school,
                    tx.now,
                )
            known.versions = tuple(
                Version(row["number"], row["author_id"], "", row["made_at"], row["counts_from"]) for row in versions
            )
            known.glasses = {(row["person_id"], row["role"]): row["until"] for row in glasses}
            known.weeks = {row["person_id"]: row["week"] for row in weeks}
            if versions:  # one that is not known yet is asked for again at once
                known.looked_at = began
            return known

    async def _rules(self, school: UUID, known: _Known, number: int) -> SchoolRules:
        found = known.rules.get(number)
        if found is None:
            async with self._runtime.database.tenant(school) as tx:
                document: str = await tx.fetchval(
                    "select document from known_policy where school_id = $1 and number = $2", school, number
                )
            found = SchoolRules(checked(json.loads(document)))
            while len(known.rules) >= KEPT_VERSIONS:
                known.rules.pop(next(iter(known.rules)))
            known.rules[number] = found
        return found


def policy_channel(runtime: Runtime, school: UUID) -> str:
    """The wake-up of whoever waits, in a process of this service, for other rules of a school."""
    return f"{runtime.name}:policy:{school}"


def say_changed(runtime: Runtime, school: UUID) -> None:
    """Wake whoever decides by a school's rules; after the commit, since they look at once."""
    runtime.wake.signal(policy_channel(runtime, school))


def _policies(runtime: Runtime) -> Policies:
    found = runtime.state.get("policies")
    if found is None:
        found = runtime.state["policies"] = Policies(runtime)
    return found


async def rules_at(runtime: Runtime, school: UUID, at: datetime) -> SchoolRules:
    """The rules that count, or counted, at an instant. Raises Problem `access-unknown` while no version is known here."""
    return await _policies(runtime).rules_at(school, at)


async def person_at(runtime: Runtime, school: UUID, person: UUID, role: Role, at: datetime) -> Person:
    """One person in one role under those rules, with the hours to which they narrowed the school's (POL-3)."""
    return await _policies(runtime).person_at(school, person, role, at)


async def glass_until(runtime: Runtime, school: UUID, person: UUID, role: Role) -> datetime:
    """Until when somebody who came in for a reason may stay; NEVER when nobody did (POL-4)."""
    return await _policies(runtime).glass_until(school, person, role)


async def mark_at(runtime: Runtime, school: UUID, person: UUID, at: datetime) -> Mark:
    """What differs once other rules count for somebody: another version, or other hours of their own."""
    return await _policies(runtime).mark_at(school, person, at)
