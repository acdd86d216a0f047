"""One text into one language: masked, through the engines in their order, verified, unmasked."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.translate.engines.choice import Engines
from services.translate.engines.port import Engine, EngineUnavailableError, PairUnsupportedError
from services.translate.masking import Form, Masked, PlaceholdersBrokenError, mask
from services.translate.model import Original, Quality, Translation

WITHIN = timedelta(seconds=50)
"""For all engines and forms together; less than what a claim of a request lasts."""

UNTOUCHED = "none"
"""The engine's name for a text of names, numbers and emoji alone, which reads the same in every language."""


class AnswerRefusedError(Exception):
    """Every engine that answered broke what must stay untouched, or answered nothing."""


async def translate(
    engines: Engines, original: Original, *, source: str, target: str, words: Sequence[str]
) -> Translation:
    """Translate by the first engine, and in the first form of placeholders, that keeps everything.

    Raises `PairUnsupportedError`, `EngineUnavailableError` (none answers now), `AnswerRefusedError`, and what `mask` raises.
    """
    masks = [mask(original.text, language=source, names=original.names, words=words, form=form) for form in Form]
    if not masks[0].has_words:
        return Translation(original.text, source, target, UNTOUCHED, Quality.EVERYDAY)
    unavailable: EngineUnavailableError | None = None
    refused = False
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            for engine in await engines.choose(source, target):
                try:
                    text = await _kept_whole(engine, masks, source, target)
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


async def _kept_whole(engine: Engine, masks: Sequence[Masked], source: str, target: str) -> str | None:
    """The engine's translation in the first form of placeholders that it keeps; None when it keeps neither."""
    for masked in masks:
        (answer,) = await engine.translate([masked.text], source, target)
        try:
            text = masked.restore(answer)
        except PlaceholdersBrokenError:
            continue
        if text.strip():
            return text
    return None
