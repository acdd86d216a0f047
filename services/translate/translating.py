"""One text into one language: masked, through the engines in their order, verified, unmasked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import cache

from opentelemetry.trace import SpanKind

from bookbag.chassis import measures, tracing
from bookbag.school.languages import same_language
from services.translate.engines.choice import Engines
from services.translate.engines.port import Engine, EngineUnavailableError, PairUnsupportedError
from services.translate.masking import MAX_CHARACTERS, Form, Masked, PlaceholdersBrokenError, mask
from services.translate.model import Original, Quality, Translation

WITHIN = timedelta(seconds=50)
"""For all engines and forms together; less than what a claim of a request lasts."""

UNTOUCHED = "none"
"""The engine's name for a text that is fit for its readers as it is: in their language already, or of names, numbers and
emoji alone."""

LONGEST_ANSWER = 10 * MAX_CHARACTERS
"""Beyond it an engine repeats itself; owners take no more."""


made = measures.counter(
    "bookbag_translations_total",
    "Texts given to an engine. Outcomes: done, refused (what came back broke what must stay), away. Engine none: nothing to translate.",
    "engine", "outcome",
)  # fmt: skip
taken = measures.histogram(
    "bookbag_translation_duration_seconds", "One text at one engine.", "engine", bounds=measures.SLOW
)


class AnswerRefusedError(Exception):
    """Every engine that answered broke what must stay untouched, answered nothing, or without end."""


async def translate(
    engines: Engines, original: Original, *, source: str, target: str, words: Sequence[str]
) -> Translation:
    """Translate by the first engine, and in the first form of placeholders, that keeps everything.

    Raises `PairUnsupportedError`, `EngineUnavailableError` (none answers now), `AnswerRefusedError`, and what `mask` raises.
    """

    @cache
    def masked(form: Form) -> Masked:
        return mask(original.text, language=source, names=original.names, words=words, form=form)

    if same_language(source, target) or not masked(Form.BRACES).has_words:
        made.labels(UNTOUCHED, "done").inc()
        return Translation(original.text, source, target, UNTOUCHED, Quality.EVERYDAY)
    unavailable: EngineUnavailableError | None = None
    refused = False
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            for engine in await engines.choose(source, target, away=lambda name: made.labels(name, "away").inc()):
                try:
                    text = await _measured(engine, _kept_whole(engine, masked, source, target))
                except EngineUnavailableError as away:
                    unavailable = unavailable or away
                    continue
                if text is not None:
                    quality = Quality.DEMONSTRATION if engine.for_demonstration_only else Quality.EVERYDAY
                    return Translation(text, source, target, engine.name, quality)
                refused = True
    except TimeoutError as late:
        raise EngineUnavailableError("all engines", "no answer in time") from late
    if unavailable is not None:
        raise unavailable
    if refused:
        raise AnswerRefusedError
    raise PairUnsupportedError(source, target)


async def _measured(engine: Engine, asking: Awaitable[str | None]) -> str | None:
    """Count and time what an engine does. It is given no trace to carry on: it may be somebody else's."""
    outcome = "away"
    said = {"bookbag.engine": engine.name}
    try:
        with (
            taken.labels(engine.name).time(),
            tracing.span("translate", "ask engine", SpanKind.CLIENT, attributes=said),
        ):
            text = await asking
        outcome = "done" if text is not None else "refused"
    finally:
        made.labels(engine.name, outcome).inc()
    return text


async def _kept_whole(engine: Engine, masked: Callable[[Form], Masked], source: str, target: str) -> str | None:
    """The engine's translation in the first form of placeholders that it keeps; None when it keeps neither."""
    for form in Form:
        (answer,) = await engine.translate([masked(form).text], source, target)
        try:
            text = masked(form).restore(answer)
        except PlaceholdersBrokenError:
            continue
        if text.strip() and len(text) <= LONGEST_ANSWER and "\0" not in text:
            return text
    return None
