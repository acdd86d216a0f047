"""Advisory detection: the sender's choice stands unless the text is surely in another likely language."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from services.translate.detection import Detector

ENGLISH = "Please bring the book bag and a coat tomorrow, we are going to the swimming pool with the whole class."
SPANISH = "Buenos días, la niña está enferma y hoy no puede ir a la escuela, muchas gracias por su ayuda con todo."
WELSH = "Bore da, mae hi yn sâl heddiw ac ni fydd yn dod i'r ysgol, diolch yn fawr iawn am eich help gyda phopeth."
POLISH = "Dzień dobry, córka jest dzisiaj chora i nie może przyjść do szkoły, bardzo dziękuję za pomoc we wszystkim."
ARABIC = "صباح الخير، ابنتي مريضة اليوم ولن تأتي إلى المدرسة"
URDU = "السلام علیکم، میری بیٹی آج بیمار ہے اور وہ سکول نہیں آ سکے گی، آپ کی مدد کا بہت بہت شکریہ جناب استاد صاحب"


@pytest.fixture
async def detector(clock):
    made = Detector(clock=clock)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("text", "written_in"),
    [(ENGLISH, "en"), (SPANISH, "es"), (WELSH, "cy"), (POLISH, "pl"), (ARABIC, "ar"), (URDU, "ur")],
)
@pytest.mark.parametrize("chosen", ["en", "es", "cy", "ar"])
async def test_a_long_text_is_known_whatever_was_chosen(detector, text, written_in, chosen):
    assert await detector.source_language(text, chosen, ["en", "es", "cy", "pl", "ar", "ur"]) == written_in


@pytest.mark.parametrize("text", ["", "ok", "Hola", "Gracias, hasta mañana", "🎉 15:30", "\u200f", "\ud800" * 50])
async def test_a_short_text_leaves_the_choice_and_the_model_alone(detector, text):
    assert await detector.source_language(text, "en", ["es", "en"]) == "en"
    assert not detector.is_loaded


async def test_an_unlikely_language_never_overrides(detector):
    assert await detector.source_language(POLISH, "en", ["es"]) == "en"


async def test_a_mixture_of_languages_leaves_the_choice(detector):
    assert await detector.source_language(f"{SPANISH} {ENGLISH}", "en", ["es"]) == "en"
    assert await detector.source_language(f"{ARABIC} {SPANISH}", "es", ["ar"]) == "es"


async def test_the_script_alone_settles_what_it_can(detector):
    assert await detector.source_language(ARABIC, "en", ["ar"]) == "ar"
    assert await detector.source_language(ENGLISH, "ar", ["en"]) == "en"
    assert await detector.source_language(ENGLISH, "en", ["ar", "bg", "zh-Hans"]) == "en"
    assert await detector.source_language("明日は学校に行けません、すみません", "zh-Hans", ["ja"]) == "ja"
    assert not detector.is_loaded


async def test_the_tag_given_back_is_one_of_those_given(detector):
    assert await detector.source_language(SPANISH, "en-GB", ["es-MX"]) == "es-MX"
    assert await detector.source_language(ENGLISH, "en-GB", ["es-MX", "en"]) == "en-GB"


async def test_an_unknown_choice_stands(detector):
    assert await detector.source_language(SPANISH, "tlh", ["es", "en"]) == "tlh"


async def test_the_model_is_forgotten_when_idle(detector, clock):
    await detector.source_language(SPANISH, "en", ["es"])
    clock.seconds += 119
    assert not await detector.forget_idle()
    clock.seconds += 1
    assert await detector.forget_idle()
    assert not detector.is_loaded
    assert await detector.source_language(SPANISH, "en", ["es"]) == "es"


async def test_the_model_is_forgotten_without_being_asked(clock):
    detector = Detector(clock=clock, forget_after=timedelta(milliseconds=20))
    await detector.source_language(SPANISH, "en", ["es"])
    clock.seconds += 1
    assert detector._watch is not None
    await asyncio.wait_for(detector._watch, 10)
    assert not detector.is_loaded


async def test_many_texts_at_once_share_one_model(detector):
    answers = await asyncio.gather(
        *(detector.source_language(text, "en", ["es", "cy"]) for text in [SPANISH, WELSH] * 10)
    )
    assert answers == ["es", "cy"] * 10


def test_importing_detection_does_not_load_the_model():
    code = "import sys, services.translate.detection; sys.exit('numpy' in sys.modules or 'py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ}).returncode == 0


@pytest.mark.parametrize(
    ("text", "chosen", "likely"),
    [
        ("Dijete je danas bolesno i ne može doći u školu, hvala vam na razumijevanju", "bs", "hr"),
        ("Barnet er sykt i dag og kan ikke komme på skolen, takk for hjelpen", "da", "nb"),
        ("Anak saya sakit hari ini dan tidak dapat datang ke sekolah, terima kasih", "ms", "id"),
    ],
)
async def test_close_sisters_are_not_told_apart_against_the_sender(detector, text, chosen, likely):
    assert await detector.source_language(text, chosen, [likely]) == chosen
    assert detector.is_loaded
