"""Masking: what must stay untouched does, whatever people write, and an engine that breaks it is refused (TR-4)."""

import random
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.translate.masking import (
    MAX_CHARACTERS,
    MAX_PROTECTED,
    Form,
    Masked,
    PlaceholdersBrokenError,
    TextTooLongError,
    TooManyProtectedError,
    mask,
)

pytestmark = pytest.mark.req("TR-4")

NAMES = (
    "Maya Patel",
    "Siân O'Brien",
    "María de la Cruz",
    "Will Rose",
    "Łukasz Żak-Nowak",
    "مايا حسن",
    "李小龙",
    "Ana",
    "Anabel",
)
WORDS = ("Book Bag Club", "Oak", "Hafan Deg")
LOOK_ALIKES = ("{0}", "{1}", "{ 2 }", "{٣}", "{999999999999999999}", "QZX0", "qzx 1", "QZX", "{", "}", "{}", "{x}")
UNTOUCHED = (
    "https://example.org/trip?day=3&x=a_b#top",
    "www.oakhill.sch.uk",
    "oakhill.sch.uk/menu",
    "office@oakhill.sch.uk",
    "+44 (0)1792 555 123",
    "07700 900123",
    "15:30",
    "8:30–9:15",
    "10 a.m.",
    "3.15pm",
    "12/05/2027",
    "2027-05-12",
    "3 May 2027",
    "May 3rd",
    "£4.50",
    "€ 12,00",
    "50 %",
    "1,250",
    "4B",
    "SA1 8AA",
    "🎉",
    "👩🏽‍🏫",
    "🏴󠁧󠁢󠁷󠁬󠁳󠁿",
    "1️⃣",
    "©",
)

fragments = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(WORDS),
    st.sampled_from(LOOK_ALIKES),
    st.sampled_from(UNTOUCHED),
    st.sampled_from(NAMES).map(lambda name: name + "'s"),
    st.sampled_from(NAMES).map(str.upper),
    st.sampled_from(NAMES).map(lambda name: unicodedata.normalize("NFD", name)),
    st.sampled_from(["\u200f", "\u200e", "\u2067", "\u2069", "\u202e", " ", "\n", "\n\n", "\t", ", ", ". ", "’s "]),
    st.text(max_size=12),
)
texts = st.lists(fragments, max_size=40).map("".join).filter(lambda text: len(text) <= MAX_CHARACTERS)
spaced_texts = st.lists(fragments, max_size=40).map(" ".join).filter(lambda text: len(text) <= MAX_CHARACTERS)
forms = st.sampled_from(Form)


def masked_for(text: str, form: Form = Form.BRACES) -> Masked:
    return mask(text, language="en", names=NAMES, words=WORDS, form=form)


def placeholders(text: str, form: Form) -> list[str]:
    return [match[0] for match in form.pattern.finditer(text)]


@given(st.one_of(texts, spaced_texts), forms)
def test_what_was_masked_comes_back_exactly(text, form):
    masked = masked_for(text, form)
    assert masked.restore(masked.text) == text


@given(st.one_of(texts, spaced_texts), forms)
def test_each_piece_has_one_placeholder_and_none_looks_like_another(text, form):
    masked = masked_for(text, form)
    assert placeholders(masked.text, form) == [form.placeholder(number) for number in range(len(masked.pieces))]


@given(st.one_of(texts, spaced_texts), forms)
def test_no_digit_reaches_an_engine_outside_a_placeholder(text, form):
    assert not re.search(r"\d", masked_for(text, form).prose)


@given(st.one_of(texts, spaced_texts), st.randoms(use_true_random=False))
def test_placeholders_may_come_back_in_any_order(text, chance: random.Random):
    masked = masked_for(text)
    found = placeholders(masked.text, Form.BRACES)
    chance.shuffle(found)
    answer = " y ".join(found)
    restored = masked.restore(answer)
    assert sorted(restored.split(" y ")) == sorted(" y ".join(masked.pieces).split(" y "))


@given(st.one_of(texts, spaced_texts), forms, st.data())
def test_a_lost_placeholder_is_refused(text, form, data):
    masked = masked_for(f"{text} Maya", form)
    number = data.draw(st.integers(0, len(masked.pieces) - 1))
    with pytest.raises(PlaceholdersBrokenError) as refused:
        masked.restore(
            masked.text.replace(form.placeholder(number), "", 1) if number == 0 else _without(masked, number)
        )
    assert number in refused.value.lost


@given(st.one_of(texts, spaced_texts), forms, st.data())
def test_a_doubled_placeholder_is_refused(text, form, data):
    masked = masked_for(f"{text} Maya", form)
    number = data.draw(st.integers(0, len(masked.pieces) - 1))
    with pytest.raises(PlaceholdersBrokenError) as refused:
        masked.restore(f"{masked.text} {form.placeholder(number)}")
    assert refused.value.doubled == (number,)


@given(st.one_of(texts, spaced_texts), forms, st.integers(0, 10**30))
def test_an_invented_placeholder_is_refused(text, form, beyond):
    masked = masked_for(text, form)
    with pytest.raises(PlaceholdersBrokenError) as refused:
        masked.restore(f"{masked.text} {form.placeholder(len(masked.pieces) + beyond)}")
    assert refused.value.invented


@pytest.mark.parametrize("untouched", UNTOUCHED)
def test_links_addresses_times_amounts_and_emoji_are_one_piece(untouched):
    masked = masked_for(f"see {untouched} please")
    assert masked.pieces == (untouched,)
    assert masked.text == "see {0} please"


@pytest.mark.parametrize(
    ("text", "seen_by_the_engine"),
    [
        ("Maya's coat and Patel’s bag", "{0}'s coat and {1}’s bag"),
        ("MAYA is here, maya patel too", "{0} is here, {1} too"),
        ("Siân O’Brien", "{0}"),
        ("Ana and Anabel and Banana", "{0} and {1} and Banana"),
        ("Will will come, WILL said", "{0} will come, {1} said"),
        ("a rose for Rose", "a rose for {0}"),
        ("de la plaza a María", "de la plaza a {0}"),
        ("the Book  Bag\nClub meets under Oak", "the {0} meets under {1}"),
        ("ومايا هنا", "و{0} هنا"),
        ("我看见李小龙了", "我看见{0}了"),
        ("Żak‑Nowak", "{0}"),
        ("Visit https://a.example/x.", "Visit {0}."),
        ("(see www.a.example)", "(see {0})"),
        ("on 3 May at 15:30, £4.", "on {0} at {1}, {2}."),
        ("I may come", "I may come"),
        ("tomorrow.Please", "tomorrow.Please"),
        ("the {0} look-alike", "the {0} look-alike"),
    ],
)
def test_what_an_engine_sees(text, seen_by_the_engine):
    assert masked_for(text).text == seen_by_the_engine


@pytest.mark.parametrize(
    ("language", "date"),
    [("es", "3 de mayo de 2027"), ("cy", "3 Mai"), ("pl", "3 maja 2027"), ("ar", "3 مايو"), ("fr", "1er août")],
)
def test_dates_are_known_by_the_months_of_the_language_of_the_text(language, date):
    assert mask(f"x {date} x", language=language).pieces == (date,)


@pytest.mark.parametrize("answer", ["{ 0 } y {1}", "{1}, {0}", "｛0｝ {1 }", "{٠} {١}"])
def test_placeholders_as_engines_write_them_are_understood(answer):
    masked = masked_for("Maya and Ana")
    assert sorted(re.findall("Maya|Ana", masked.restore(answer))) == ["Ana", "Maya"]


@pytest.mark.parametrize(
    ("text", "has_words"), [("Maya 15:30 🎉", False), ("", False), ("Maya ok", True), ("{0}", False)]
)
def test_a_text_of_pieces_alone_has_nothing_to_translate(text, has_words):
    assert masked_for(text).has_words is has_words


def test_limits_are_refused_and_not_cut():
    assert mask("x" * MAX_CHARACTERS, language="en").text == "x" * MAX_CHARACTERS
    with pytest.raises(TextTooLongError):
        mask("x" * (MAX_CHARACTERS + 1), language="en")
    with pytest.raises(TooManyProtectedError):
        mask("x", language="en", words=["w"] * (MAX_PROTECTED + 1))


@pytest.mark.parametrize(
    "nasty",
    [
        "a" * 4000,
        "a." * 2000,
        "1" * 4000,
        "1 " * 2000,
        "@" * 4000,
        "{" * 4000,
        "\u200f" * 4000,
        "a@" * 2000,
        "http://" * 571,
        "{ " * 2000,
        "1." * 2000,
        "£ " * 2000,
        "May " * 1000,
    ],
)
@pytest.mark.timeout(5)
def test_no_text_makes_the_search_slow(nasty):
    masked = masked_for(nasty)
    assert masked.restore(masked.text) == nasty


def _without(masked: Masked, number: int) -> str:
    pattern = re.compile(re.escape(masked.form.placeholder(number)) + r"(?!\d)")
    return pattern.sub("", masked.text, count=1)
