"""A policy that is written out reads back as itself."""

import pytest
import yaml

from bookbag.school.policy.parse import as_data, checked, parse
from bookbag.school.policy.presets import PRESETS, preset_text
from bookbag.school.policy.writing import written

pytestmark = pytest.mark.req("POL-2")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_reads_back_as_it_was(name: str) -> None:
    policy = parse(preset_text(name))
    assert as_data(parse(written(policy))) == as_data(policy)


@pytest.mark.parametrize(
    "text",
    [
        "off",
        "16:00",
        "007",
        "1.5",
        "null",
        "~",
        "- dash",
        "a: b",
        "two\nlines",
        "  spaces  ",
        "# no comment",
        "Sŵn",
        "'\"",
        "&a",
        "*a",
    ],
)
def test_words_that_look_like_something_else_stay_words(text: str) -> None:
    data = as_data(parse(preset_text("b")))
    data["terms"]["guardians"]["text"]["en"] = text
    again = parse(written(checked(data)))
    assert again.terms.guardians.text["en"] == text


def test_times_and_dates_are_in_quotation_marks_and_sections_say_what_they_are_about() -> None:
    text = written(parse(preset_text("b")))
    assert 'from: "08:00"' in text
    assert 'first: "2026-09-02"' in text
    assert "# When school is.\ncalendar:" in text
    assert yaml.safe_load(text)["staff"]["hours"]["monday"] == [{"from": "08:00", "to": "17:00"}]
