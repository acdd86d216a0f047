"""Clauses of the five source policies as phones and open pages meet them: each check passes under its preset and fails once the rule is
switched off, through the real service (POL-12)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.tests.conftest import Town
from services.notify.tests.test_live import stream
from services.notify.tests.test_quiet_hours import ADA, LONDON, a_guardian_writes, is_at
from tests.support.policy import document_with

pytestmark = pytest.mark.req("POL-4", "POL-5", "POL-12")

Check = Callable[[Town], Awaitable[None]]


def silent_between(written: str, opens: str) -> Check:
    """A teacher's phone does not ring for what a family writes at the first instant, and rings at the second; times of London."""

    async def silent(town: Town) -> None:
        await a_guardian_writes(town, written)
        assert town.post.to(ADA) == []
        assert (await town.deliveries())[town.teacher] == ("waiting", "quiet-hours")
        await is_at(town, opens)
        assert len(town.post.to(ADA)) == 1

    return silent


async def the_page_of_a_teacher_is_told_when_the_school_closes(town: Town) -> None:
    town.clock.instant = datetime(2026, 11, 23, 15, 59, tzinfo=LONDON).astimezone(UTC)
    teacher = town.bearer(town.teacher, "teacher")
    async with stream(town, teacher) as live:
        await live.frame()
        town.clock.instant = datetime(2026, 11, 23, 16, 0, tzinfo=LONDON).astimezone(UTC)
        await town.message(author=town.guardian)
        assert await live.frame() == (None, "ended", {"code": "outside-hours"})
    async with stream(town, town.bearer(town.teacher, "teacher")) as again:
        assert again.status == 403


LESSON, EVENING = "2026-11-24 10:00", "2026-11-27 18:00"
ANYWHERE = {"staff.access.places": "anywhere"}
"""From where staff come in is identity's to show."""

CLAUSES: list[tuple[str, Check, list[dict[str, Any]]]] = [
    (
        "A1", the_page_of_a_teacher_is_told_when_the_school_closes,
        [{"staff.access.hours": "always"}, {"staff.access.exempt_from_hours": ["teacher"]}],
    ),
    (
        "A3", silent_between(LESSON, "2026-11-24 15:00"),
        [{"staff.notifications.in_lessons": "ring"}, {"lessons.hours": "never"}],
    ),
    (
        "B1", silent_between(EVENING, "2026-11-30 08:00"),
        [{"staff.notifications.hours": "always"}, {"staff.notifications.exempt": ["teacher"]}],
    ),
    (
        "C1", silent_between(LESSON, "2026-11-24 15:30"),
        [{"staff.notifications.in_lessons": "ring"}, {"lessons.hours": "never"}],
    ),
    (
        "C1", silent_between("2026-11-24 17:00", "2026-11-25 08:30"),
        [{"staff.notifications.hours": "always"}],
    ),
    (
        "D1", silent_between(LESSON, "2026-11-24 15:30"),
        [{"staff.notifications.in_lessons": "ring"}, {"lessons.hours": "never"}],
    ),
    (
        "D1", silent_between(EVENING, "2026-11-30 08:00"),
        [{"staff.notifications.hours": "always"}],
    ),
]  # fmt: skip
MUTANTS = [(clause, check, mutant) for clause, check, mutants in CLAUSES for mutant in mutants]


@pytest.mark.parametrize(("clause", "check"), [row[:2] for row in CLAUSES], ids=[row[0] for row in CLAUSES])
async def test_phones_and_pages_keep_the_clause(town: Town, clause: str, check: Check) -> None:
    await town.obeys(document_with(clause[0].lower(), ANYWHERE))
    await check(town)


@pytest.mark.parametrize(
    ("clause", "check", "mutant"), MUTANTS, ids=[f"{row[0]} {next(iter(row[2]))}" for row in MUTANTS]
)
async def test_with_the_rule_switched_off_phones_and_pages_break_the_clause(
    town: Town, clause: str, check: Check, mutant: dict[str, Any]
) -> None:
    await town.obeys(document_with(clause[0].lower(), ANYWHERE | mutant))
    with pytest.raises(AssertionError):
        await check(town)
