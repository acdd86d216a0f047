"""The table of languages: complete, consistent, and forgiving about the tags that devices send."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from bookbag.school.languages import (
    LANGUAGES,
    UI_LANGUAGES,
    Direction,
    UnknownLanguageError,
    best_match,
    find,
    language,
    name_in,
    same_language,
)


@pytest.mark.req("TR-1")
def test_at_least_35_languages_can_be_chosen_right_to_left_ones_included():
    assert len(LANGUAGES) >= 40
    right_to_left = {known.tag for known in LANGUAGES if known.direction is Direction.RIGHT_TO_LEFT}
    assert {"ar", "ur", "fa", "he", "ps"} <= right_to_left


def test_every_language_is_listed_once_and_under_one_own_name():
    assert len({known.tag.lower() for known in LANGUAGES}) == len(LANGUAGES)
    assert len({known.english for known in LANGUAGES}) == len(LANGUAGES)
    assert len({known.autonym for known in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("known", LANGUAGES, ids=lambda known: known.tag)
def test_direction_agrees_with_the_common_locale_data(known):
    order = Locale.parse(known.tag, sep="-").character_order
    assert known.direction == (Direction.RIGHT_TO_LEFT if order == "right-to-left" else Direction.LEFT_TO_RIGHT)


@pytest.mark.parametrize("known", LANGUAGES, ids=lambda known: known.tag)
def test_every_language_has_a_name_in_every_language_of_the_client(known):
    for ui in UI_LANGUAGES:
        assert name_in(known, ui)
    assert best_match(known.tag) is known


def test_names_are_in_the_words_of_the_reader():
    assert name_in(language("es"), "cy") == "Sbaeneg"
    assert name_in(language("en"), "es") == "inglés"
    assert name_in(language("pl"), "ar") == "البولندية"
    assert name_in(language("zh-Hant"), "pl") == "chiński tradycyjny"


@pytest.mark.parametrize(
    ("asked", "given_tag"),
    [
        ("en-GB", "en"),
        ("es-419", "es"),
        ("es_MX.UTF-8", "es"),
        ("pt-BR", "pt-BR"),
        ("PT-pt", "pt"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh_Hant_HK", "zh-Hant"),
        ("no", "nb"),
        ("iw-IL", "he"),
        ("tl", "fil"),
        ("prs", "fa-AF"),
        ("cym", "cy"),
        (" cy ", "cy"),
    ],
)
def test_the_tag_of_a_device_finds_the_language_that_serves_its_owner(asked, given_tag):
    found = best_match(asked)
    assert found is not None
    assert found.tag == given_tag


@pytest.mark.parametrize("asked", ["", "-", "tlh", "x-private", "english"])
def test_an_unknown_tag_matches_nothing(asked):
    assert best_match(asked) is None


def test_lookup_is_exact_but_for_letter_case():
    assert find("PT-br") is language("pt-BR")
    assert find("en-GB") is None
    with pytest.raises(UnknownLanguageError, match="en-GB"):
        language("en-GB")


def test_readers_of_one_primary_language_need_no_translation():
    assert same_language("en-GB", "en")
    assert same_language("pt", "pt-BR")
    assert same_language("no", "nb")
    assert not same_language("en", "es")


@given(st.text(max_size=40))
def test_no_tag_however_odd_breaks_the_match(tag):
    found = best_match(tag)
    assert found is None or found in LANGUAGES
