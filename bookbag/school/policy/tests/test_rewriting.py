"""A policy that was changed setting by setting keeps what people wrote into its document beside the settings."""

from collections.abc import Callable
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.parse import as_data, checked, parse
from bookbag.school.policy.presets import PRESETS, preset_text
from bookbag.school.policy.rewriting import rewritten
from bookbag.school.policy.writing import written

pytestmark = pytest.mark.req("POL-2")


def changed(name: str, change: Callable[[dict[str, Any]], None]) -> tuple[str, str]:
    """A preset, and its document after a change of its data."""
    text = preset_text(name)
    data = as_data(parse(text))
    change(data)
    policy = checked(data)
    after = rewritten(text, policy)
    assert parse(after) == policy
    return text, after


def differences(before: str, after: str) -> list[str]:
    """Lines that went and came."""
    return [
        line
        for line in unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_one_setting_changes_one_line_and_keeps_the_note_behind_it(name: str):
    def more_guardians(data: dict[str, Any]) -> None:
        data["guardians"]["per_child"] += 3

    went, came = differences(*changed(name, more_guardians))
    assert went.startswith("-  per_child: ")
    assert came.startswith("+  per_child: ")
    assert went.partition("#")[1:] == came.partition("#")[1:]


def test_times_dates_and_words_that_are_new_are_written_as_the_rest_is():
    def other(data: dict[str, Any]) -> None:
        data["staff"]["hours"]["monday"] = [{"from": "08:30", "to": "16:00"}]
        data["calendar"]["closed_days"].insert(1, {"date": "2026-11-30", "name": "Snow day", "staff_work": False})
        data["terms"]["guardians"]["text"]["en"] = "Two\nlines"
        data["terms"]["guardians"]["version"] = "2027-01"

    before, after = changed("b", other)
    assert '    monday: [{from: "08:30", to: "16:00"}]\n' in after
    assert 'date: "2026-11-30"' in after
    assert "{date: 2027-05-03, name: Early May bank holiday}" in after
    assert before.count("#") == after.count("#")


def test_taking_the_first_of_a_list_away_leaves_the_others_as_they_stand():
    def fewer(data: dict[str, Any]) -> None:
        del data["calendar"]["terms"][0]
        data["calendar"]["holidays"] = data["calendar"]["holidays"][1:]
        data["calendar"]["closed_days"] = data["calendar"]["closed_days"][1:]

    assert all(line.startswith("-    - {") for line in differences(*changed("b", fewer)))


def test_a_setting_that_was_left_out_is_added_and_notes_of_the_schools_own_stay():
    text = preset_text("b").replace("  may_narrow: true  ", "  # Mrs Rowe asked for this.\n  may_narrow: true  ", 1)
    data = as_data(parse(text))
    data["lessons"]["hours"] = "never"
    data["staff"]["may_narrow"] = False
    after = rewritten(text, checked(data))
    assert parse(after) == checked(data)
    assert "  # Mrs Rowe asked for this.\n  may_narrow: false" in after


def test_a_document_that_is_no_policy_any_more_is_written_anew():
    policy = parse(preset_text("b"))
    assert rewritten("format: 0\n", policy) == written(policy)
    assert rewritten("a: [", policy) == written(policy)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_whatever_is_taken_from_another_preset_the_document_says_exactly_that(data: st.DataObject):
    one, other = data.draw(st.sampled_from(list(PRESETS))), data.draw(st.sampled_from(list(PRESETS)))
    text = preset_text(one)
    mixed, source = as_data(parse(text)), as_data(parse(preset_text(other)))
    for section in data.draw(
        st.sets(st.sampled_from(["calendar", "guardians", "answers", "points", "review", "conduct"]))
    ):
        mixed[section] = source[section]
    try:
        policy = checked(mixed)
    except PolicyRefused:
        reject()  # these sections do not go together
    assert parse(rewritten(text, policy)) == policy
