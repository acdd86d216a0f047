"""Which version of the rules counted when, and what differs between two."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookbag.school.policy.parse import checked
from bookbag.school.policy.tests.builders import every_weekday, small
from bookbag.school.policy.versions import (
    CannotCountInThePast,
    Version,
    counting_at,
    difference,
    effective_from,
    next_change,
)

FIRST = datetime(2026, 9, 1, 8, tzinfo=UTC)


def version(number: int, made: int, counts: int | None = None) -> Version:
    """Made, and counting, some days after the first."""
    made_at = FIRST + timedelta(days=made)
    return Version(number, None, "why", made_at, FIRST + timedelta(days=made if counts is None else counts))


@pytest.mark.req("POL-2")
def test_the_past_stays_answerable() -> None:
    versions = [version(1, 0), version(2, 10), version(3, 20, counts=40)]
    at = {day: counting_at(versions, FIRST + timedelta(days=day)) for day in (-1, 0, 9, 10, 39, 40)}
    assert {day: one and one.number for day, one in at.items()} == {-1: None, 0: 1, 9: 1, 10: 2, 39: 2, 40: 3}
    assert next_change(versions, FIRST + timedelta(days=15)) == FIRST + timedelta(days=40)
    assert next_change(versions, FIRST + timedelta(days=40)) is None


@pytest.mark.req("POL-2")
def test_a_later_version_replaces_one_that_still_waits() -> None:
    versions = [version(1, 0), version(2, 1, counts=30), version(3, 5)]
    found = counting_at(versions, FIRST + timedelta(days=31))
    assert found is not None
    assert found.number == 3
    assert next_change(versions, FIRST + timedelta(days=6)) is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8), st.integers(0, 60))
def test_no_new_version_changes_what_counted_before_it_was_made(steps: list[tuple[int, int]], day: int) -> None:
    made, versions = 0, [version(1, 0)]
    for wait, ahead in steps:
        made += wait
        known = list(versions)
        versions.append(version(len(versions) + 1, made, counts=made + ahead))
        before = FIRST + timedelta(days=min(day, made)) - timedelta(seconds=1)
        assert counting_at(versions, before) == counting_at(known, before)


@pytest.mark.req("POL-2")
def test_a_change_counts_from_now_or_later() -> None:
    assert effective_from(None, FIRST) == FIRST
    assert effective_from(FIRST + timedelta(days=1), FIRST) == FIRST + timedelta(days=1)
    with pytest.raises(CannotCountInThePast):
        effective_from(FIRST - timedelta(seconds=1), FIRST)


@pytest.mark.req("POL-2")
def test_what_differs_is_said_with_path_meaning_and_both_values() -> None:
    before = checked(small())
    after = checked(
        small(
            {
                "staff.hours": every_weekday(("08:00", "17:00")),
                "answers.promise": {"kind": "hours_on_working_days", "hours": 24},
                "points.negative": True,
                "messages.families.hours": every_weekday(("08:00", "17:00")),
            }
        )
    )
    found = {change.path: (change.before, change.after) for change in difference(before, after)}
    assert found["staff.hours.monday"] == ("08:00–16:30", "08:00–17:00")
    assert found["answers.promise.kind"] == ("none", "hours_on_working_days")
    assert found["answers.promise.hours"] == (None, "24")
    assert found["points.negative"] == ("no", "yes")
    assert found["messages.families.hours"][0] == "always"
    assert len(found) == 9
    assert {change.about for change in difference(before, after)} >= {"hours of a Monday"}
    assert "points.negative: no → yes" in [str(change) for change in difference(before, after)]


def test_equal_policies_do_not_differ_even_if_one_writes_its_defaults() -> None:
    assert difference(checked(small()), checked(small({"messages.families.outside": "hold"}))) == ()
