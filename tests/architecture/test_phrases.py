"""What is said of mistakes and settings is said in every language of the product's pages, and nothing is left over."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from bookbag.school.policy.document import Policy
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.parse import checked, parse
from bookbag.school.policy.phrases import PHRASES, phrase, said
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.preview.say import CATALOGUES
from bookbag.school.policy.reading import read
from bookbag.school.policy.shape import choices, fields_of, is_list, is_mapping, is_section, optional, plain
from bookbag.school.policy.versions import difference

pytestmark = pytest.mark.req("POL-2", "TR-6")

PLACES = (Path("bookbag/school/policy"), Path("services/identity/policy"))
every_language = pytest.mark.parametrize("language", PHRASES)


def in_code() -> set[str]:
    """The words of every call of `phrase` that writes them out."""
    files = [file for place in PLACES for file in place.rglob("*.py") if "tests" not in file.parts]
    return {
        node.args[0].value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "phrase"
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def of_settings(kind: Any = Policy) -> Iterator[str]:
    """What every setting says of itself."""
    kind = optional(kind) or kind
    pair = choices(kind)
    kind = plain(pair[1] if pair else kind)
    if is_section(kind):
        for field in fields_of(kind):
            yield field.text
            yield from of_settings(field.kind)
    elif is_list(kind) or is_mapping(kind):
        yield from of_settings(get_args(kind)[0 if is_list(kind) else 1])


EVERYTHING = in_code() | set(of_settings())


def filled(template: str) -> set[tuple[str | None, str | None, str | None]]:
    return {(name, form, shape) for _, name, form, shape in Formatter().parse(template) if name is not None}


def test_the_languages_are_those_in_which_the_rules_are_said() -> None:
    assert {"en", *PHRASES} == set(CATALOGUES)
    assert len(EVERYTHING) > 300


@every_language
def test_every_phrase_is_there_once_and_none_is_left_over(language: str) -> None:
    assert (EVERYTHING - set(PHRASES[language]), set(PHRASES[language]) - EVERYTHING) == (set(), set())


@every_language
def test_what_is_filled_in_is_the_same_and_the_words_are_others(language: str) -> None:
    differ = {english for english, words in PHRASES[language].items() if filled(words) != filled(english)}
    alike = {
        english for english, words in PHRASES[language].items() if words == english and any(map(str.isalpha, english))
    }
    assert (differ, alike - {"no"}) == (set(), set())


@every_language
def test_sentences_end_as_sentences_do(language: str) -> None:
    for english, words in PHRASES[language].items():
        assert words.strip()
        assert words.startswith("{meant}") is english.startswith("{meant}")
        if english.endswith("."):
            assert words.rstrip("\u200f").endswith((".", "۔")), english


def test_a_phrase_is_said_in_a_language_with_the_phrases_in_it() -> None:
    monday = phrase("{hours} of {weekday}", hours="09:00–10:00", weekday=phrase("Monday"))
    mistake = phrase("lessons at {when} are outside staff hours", when=monday)
    assert mistake == "lessons at 09:00–10:00 of Monday are outside staff hours"
    assert said(mistake, "en") == said(mistake, "fr") == mistake
    assert said(mistake, "es") == "hay clases (lunes, 09:00–10:00) fuera del horario del personal"


def test_what_somebody_wrote_is_never_translated() -> None:
    """A term may be called like a setting."""
    mistake = phrase("{one} overlaps {other}", one="points", other="text")
    assert said(mistake, "es") == "points se solapa con text"
    assert said("points", "es") == "points"


@every_language
def test_mistakes_of_a_document_are_said_in_a_language(language: str) -> None:
    data = read(preset_text("b")).data
    data["staff"]["hours"]["monday"] = []
    data["points"]["shown_days"] = "ten"
    del data["review"]
    with pytest.raises(PolicyRefused) as refused:
        checked(data)
    faults = refused.value.faults
    assert {fault.path for fault in faults} >= {"lessons.hours.monday[0]", "points.shown_days", "review"}
    for fault in faults:
        for words in (fault.problem, fault.right):
            assert said(words, language) != words, words


@every_language
def test_changes_are_said_in_a_language(language: str) -> None:
    before = parse(preset_text("b"))
    data = read(preset_text("b")).data
    data["pupils"]["sign_in"] = False
    data["pupils"]["area"] = []
    found = {change.path: change for change in difference(before, checked(data))}
    sign_in = found["pupils.sign_in"]
    assert (sign_in.before, sign_in.after) == ("yes", "no")
    assert said(sign_in.about, language) == PHRASES[language]["whether pupils sign in"]
