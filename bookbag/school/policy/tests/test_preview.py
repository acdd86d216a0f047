"""What people read of a policy: sentences from the rules themselves, the drawn week, and explained decisions."""

import string

import pytest

from bookbag.school.languages import UI_LANGUAGES
from bookbag.school.policy.preview import describe, drawn_week, explain, say, summary
from bookbag.school.policy.preview.catalogue import Catalogue
from bookbag.school.policy.preview.english import ENGLISH
from bookbag.school.policy.preview.say import CATALOGUES
from bookbag.school.policy.rules import Outcome, Reason, ReasonCode, may_send
from bookbag.school.policy.tests.builders import LONDON, every_weekday, london, preset, rules
from bookbag.school.roles import Role


def said(letter: str) -> list[str]:
    return [text for _, text in describe(preset(letter), "en")]


@pytest.mark.req("POL-2", "POL-5")
def test_the_preview_says_what_the_rules_do() -> None:
    b = said("b")
    assert "Families may write at any time. Outside Monday to Friday 08:00–17:00 a message waits." in b
    assert "A message sent on Friday 18:00 is seen on Monday 08:00 and answered by Tuesday 08:00." in b
    assert "The class teacher's phone stays silent until Monday 08:00." in b
    assert "Staff may come in only Monday to Friday 08:00–16:00." in said("a")
    assert "Somebody who writes on Friday 18:00 is told to write on Monday 08:30." in said("e")
    assert "Answers are given Monday to Friday 08:00–08:30 and 15:30–16:00." in said("d")


def test_a_changed_setting_changes_its_sentence_and_the_example() -> None:
    open_always = [text for _, text in describe(rules({"messages.families.hours": "always"}), "en")]
    assert "Families may write at any time." in open_always
    assert not [text for text in open_always if text.startswith("A message sent on")]
    longer = rules({"staff.hours": every_weekday(("08:00", "20:00")), "messages.families.hours": "staff"})
    assert not [text for _, text in describe(longer, "en") if text.startswith("A message sent on")]


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("letter", "abcde")
def test_every_preset_reads_without_a_gap(letter: str, language: str) -> None:
    text = summary(preset(letter), language)
    assert "{" not in text
    assert "…" not in text
    assert "_" not in text
    assert text.startswith(f"{CATALOGUES[language].sections['hours']}\n")


def test_a_language_without_words_is_read_in_english() -> None:
    assert describe(preset("a"), "fr") == describe(preset("a"), "en")


def gaps(text: str) -> set[str]:
    """The names that are filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_reason_has_words() -> None:
    assert set(ENGLISH.reasons) == set(ReasonCode)
    assert all(name.isidentifier() for text in ENGLISH.reasons.values() for name in gaps(text))


def test_the_product_speaks_of_rules_in_every_language_that_it_serves() -> None:
    assert set(CATALOGUES) == set(UI_LANGUAGES)


@pytest.mark.req("POL-2")
@pytest.mark.parametrize("words", CATALOGUES.values(), ids=CATALOGUES)
def test_no_language_leaves_out_a_sentence_or_what_is_filled_into_it(words: Catalogue) -> None:
    for part in ("reasons", "sections", "sentences", "names"):
        own, english = getattr(words, part), getattr(ENGLISH, part)
        assert {key: gaps(text) for key, text in own.items()} == {key: gaps(text) for key, text in english.items()}
    assert gaps(words.from_to) == {"first", "last"}


def test_the_example_is_said_as_people_of_the_language_say_it() -> None:
    said = [text for _, text in describe(preset("b"), "es")]
    assert (
        "Un mensaje enviado el viernes a las 18:00 se ve el lunes a las 08:00 y se responde, a más tardar, el martes a las 08:00."
        in said
    )


def test_a_reason_is_said_as_people_say_dates() -> None:
    now = london("2026-11-27 18:00")
    held = may_send(preset("b").person(Role.GUARDIAN), now).reasons[0]
    assert say(held, "en", zone=LONDON, now=now) == "It is kept and will be seen Monday 08:00."
    monday = london("2026-11-30 06:00")
    assert say(held, "en", zone=LONDON, now=monday) == "It is kept and will be seen 08:00."
    assert say(held, "en", zone=LONDON, now=london("2026-11-20 06:00")).endswith("seen Monday 30 November, 08:00.")
    assert say(Reason(ReasonCode.ON_DUTY, {}), "en", zone=LONDON, now=now) == "At work until …."


@pytest.mark.req("POL-5")
def test_the_week_is_drawn_in_bands() -> None:
    monday, *_, sunday = drawn_week(preset("d"))
    assert monday.staff == ((480, 960),)
    assert monday.answers == ((480, 510), (930, 960))
    assert monday.lessons == ((510, 930),)
    assert monday.rings == ((480, 510), (930, 960))
    assert monday.families == ((0, 480, Outcome.HELD), (480, 960, Outcome.NOW), (960, 1440, Outcome.HELD))
    assert sunday.staff == sunday.answers == sunday.lessons == ()
    assert sunday.families == ((0, 1440, Outcome.HELD),)
    assert drawn_week(preset("e"))[6].families == ((0, 1440, Outcome.REFUSED),)


def test_lessons_that_hold_or_refuse_are_drawn_too() -> None:
    changes = {"messages.families": {"hours": "staff", "outside": "refuse", "in_lessons": "hold"}}
    becomes = [outcome for _, _, outcome in drawn_week(rules(changes))[0].families]
    assert becomes == [
        Outcome.REFUSED, Outcome.NOW, Outcome.HELD, Outcome.NOW, Outcome.HELD, Outcome.NOW, Outcome.REFUSED,
    ]  # fmt: skip


def test_an_explanation_is_made_of_the_decisions_themselves() -> None:
    found = {one.question: one for one in explain(preset("a").person(Role.TEACHER), london("2026-11-27 16:01"), "en")}
    assert found["may_enter"].answer == "no"
    assert found["may_enter"].words.endswith("Closed to staff. It opens Monday 08:00.")
    assert found["may_send"].answer == "refused"
    assert found["may_send_about_safety"].answer == "now"
    family = [one.question for one in explain(preset("b").person(Role.GUARDIAN), london("2026-11-27 12:00"), "en")]
    assert family == ["may_enter", "may_send"]
