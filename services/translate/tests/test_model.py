"""The decisions of translation: which languages, when to try again, when to stop."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookbag.school.content import ContentRef
from bookbag.school.languages import LANGUAGES, same_language
from services.translate.model import (
    GIVE_UP_AFTER,
    LONGEST_WAIT,
    MOST_REFUSALS,
    GiveUp,
    Reason,
    TranslationRequest,
    TryAgain,
    after_refusal,
    after_unavailable,
    target_languages,
    wait_before,
)

SCHOOL, MESSAGE = uuid4(), uuid4()
NOON = datetime(2027, 5, 3, 12, tzinfo=UTC)


def request(*, attempts: int = 0, refusals: int = 0) -> TranslationRequest:
    return TranslationRequest(
        ContentRef(SCHOOL, "message", MESSAGE), "en", "es", asked_at=NOON, attempts=attempts, refusals=refusals
    )


@pytest.mark.req("TR-2")
def test_each_language_among_the_readers_is_wanted_once_and_the_source_never():
    assert target_languages("en", ["es", "en-GB", "es-MX", "ur", "es", "cy"]) == ("cy", "es", "ur")
    assert target_languages("pt-BR", ["pt", "en"]) == ("en",)
    assert target_languages("en", ["pt", "pt-BR", "zh-TW", "zh"]) == ("pt", "pt-BR", "zh-Hans", "zh-Hant")
    assert target_languages("en", []) == ()


def test_where_detection_knows_better_both_languages_are_served():
    assert target_languages("es", ["en", "es", "pl"], chosen="en") == ("en", "es", "pl")
    assert target_languages("es", ["en", "es", "pl"], chosen="es-MX") == ("en", "pl")


def test_a_language_nobody_knows_is_left_out():
    assert target_languages("en", ["tlh", "", "es"]) == ("es",)


@given(st.sampled_from(LANGUAGES), st.lists(st.sampled_from(LANGUAGES)))
def test_no_reader_of_the_source_language_gets_a_translation(source, readers):
    targets = target_languages(source.tag, [reader.tag for reader in readers])
    assert not any(same_language(source.tag, target) for target in targets)
    assert {reader.primary for reader in readers} - {source.primary} == {tag.partition("-")[0] for tag in targets}


@pytest.mark.req("TR-5")
def test_waits_double_from_five_seconds_to_half_an_hour():
    waits = [wait_before(attempt, jitter=0).total_seconds() for attempt in range(1, 12)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]
    assert wait_before(10**9, jitter=0) == LONGEST_WAIT


def test_what_the_engine_asks_for_is_respected_and_jitter_only_adds():
    assert wait_before(1, jitter=0, asked=timedelta(minutes=5)) == timedelta(minutes=5)
    assert wait_before(1, jitter=1) == timedelta(seconds=6)


@pytest.mark.req("TR-5")
def test_an_engine_that_is_away_is_tried_again_later_and_later():
    assert after_unavailable(request(), at=NOON, jitter=0) == TryAgain(
        NOON + timedelta(seconds=5), Reason.ENGINE_UNAVAILABLE
    )
    second = after_unavailable(request(attempts=1), at=NOON, jitter=0)
    assert second == TryAgain(NOON + timedelta(seconds=10), Reason.ENGINE_UNAVAILABLE)


def test_after_three_days_without_an_engine_it_is_given_up():
    assert isinstance(after_unavailable(request(attempts=50), at=NOON + timedelta(days=2), jitter=0), TryAgain)
    assert after_unavailable(request(attempts=50), at=NOON + GIVE_UP_AFTER, jitter=0) == GiveUp(
        Reason.ENGINE_UNAVAILABLE
    )


def test_a_text_that_engines_keep_breaking_is_given_up():
    assert isinstance(after_refusal(request(), at=NOON, jitter=0), TryAgain)
    assert after_refusal(request(refusals=MOST_REFUSALS - 1), at=NOON, jitter=0) == GiveUp(Reason.ANSWER_REFUSED)
