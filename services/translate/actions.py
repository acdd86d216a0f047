"""What translation does, step by step: note which languages a text is wanted in, make them, and catch up later."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bookbag.chassis import tracing
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.school.content import ContentRef
from bookbag.school.languages import same_language
from services.translate import owners, store
from services.translate.detection import Detector
from services.translate.engines.choice import Engines
from services.translate.engines.port import EngineUnavailableError, PairUnsupportedError
from services.translate.masking import TextTooLongError, TooManyProtectedError, mask
from services.translate.model import (
    GiveUp,
    Original,
    Reason,
    TranslationRequest,
    TryAgain,
    after_refusal,
    after_unavailable,
    can_be_asked_anew,
    target_languages,
)
from services.translate.translating import AnswerRefusedError, translate

log = structlog.get_logger()

AT_ONCE = 8
"""Texts that one process translates at the same time; engines that take turns make the others wait."""
CLAIM_LASTS = timedelta(seconds=60)
WITHOUT_SIBLING = timedelta(seconds=2)
FORGOTTEN_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Means:
    """What a process translates with; made once at its start."""

    engines: Engines
    detector: Detector

    @classmethod
    def of(cls, runtime: Runtime) -> "Means":
        """The means of this process, as the manifest's `start` made them."""
        means = runtime.state["means"]
        assert isinstance(means, cls)
        return means

    async def close(self) -> None:
        """End the processes and connections of the engines and free the model of detection."""
        await self.engines.close()
        await self.detector.close()


async def note_new_text(call: EventCall, ref: ContentRef) -> None:
    """A text appeared: want it in each language among its readers."""
    original = await owners.fetch(call.runtime, ref)
    targets: Sequence[str] = ()
    source = ""
    if original is not None:
        languages = await owners.languages_of_readers(call.runtime, ref)
        source = await _source_of(call.runtime, original, languages)
        targets = target_languages(source, languages, chosen=original.language)
    await _want(call, ref, original, source, targets, revives=())


async def note_wish(call: EventCall, ref: ContentRef, language: str) -> None:
    """A reader opened a text that is not there in their language: want it, also where it was given up before."""
    original = await owners.fetch(call.runtime, ref)
    targets: Sequence[str] = ()
    source = ""
    if original is not None:
        source = await _source_of(call.runtime, original, frozenset({language}))
        targets = target_languages(source, [language], chosen=original.language)
    await _want(
        call, ref, original, source, targets, revives=[reason for reason in Reason if can_be_asked_anew(reason)]
    )


async def translate_due(runtime: Runtime) -> None:
    """Translate all that is due, several at once. Raises DependencyAway when a sibling was away for one of them."""
    if not await store.due(runtime.across_schools, runtime.clock.now(), limit=1):
        return
    hands = [_translate_while_due(runtime) for _ in range(AT_ONCE)]
    # One text that fails must not interrupt the others; its claim runs out and it comes again.
    for failure in await asyncio.gather(*hands, return_exceptions=True):
        if failure is not None:
            raise failure


async def catch_up(runtime: Runtime) -> None:
    """Bring back the texts that were set aside for want of an engine, as far as there is one now."""
    engines = Means.of(runtime).engines
    revived = 0
    for school, source, target in await store.pairs_set_aside(runtime.across_schools):
        try:
            await engines.choose(source, target)
        except (PairUnsupportedError, EngineUnavailableError):
            continue
        async with runtime.database.tenant(school) as tx:
            revived += await store.revive(tx, source, target)
    if revived:
        runtime.signal("due")


async def forget_old_requests(runtime: Runtime) -> None:
    """Remove requests that have waited beyond their retention."""
    before = runtime.clock.now() - FORGOTTEN_AFTER
    for school in await store.schools_with_requests_before(runtime.across_schools, before):
        async with runtime.database.tenant(school) as tx:
            await store.forget_asked_before(tx, FORGOTTEN_AFTER)


async def _want(
    call: EventCall,
    ref: ContentRef,
    original: Original | None,
    source: str,
    targets: Sequence[str],
    *,
    revives: Sequence[Reason],
) -> None:
    async with call.effect() as tx:
        if original is not None:
            for target in targets:
                await store.want(tx, ref, version=original.version, source=source, target=target, revives=revives)
    if targets:
        call.runtime.signal("due")


async def _source_of(runtime: Runtime, original: Original, likely: frozenset[str]) -> str:
    """The language to translate from: the sender's choice, unless the text is surely in another one of its readers."""
    if not any(not same_language(original.language, language) for language in likely):
        return original.language
    try:
        prose = mask(original.text, language=original.language, names=original.names).prose
    except (TextTooLongError, TooManyProtectedError):
        return original.language
    return await Means.of(runtime).detector.source_language(prose, original.language, likely)


async def _translate_while_due(runtime: Runtime) -> None:
    while (request := await _next(runtime)) is not None:
        try:
            with tracing.span(
                "translate",
                "translate text",
                parent=request.trace,
                attributes={"bookbag.school": str(request.ref.school)},
                apart=True,
            ):
                await _translate_one(runtime, request)
        except DependencyAway:
            async with runtime.database.tenant(request.ref.school) as tx:
                await store.give_back(tx, request, due_at=tx.now + WITHOUT_SIBLING)
            raise


async def _next(runtime: Runtime) -> TranslationRequest | None:
    for ref, target in await store.due(runtime.across_schools, runtime.clock.now(), limit=AT_ONCE * 2):
        async with runtime.database.tenant(ref.school) as tx:
            request = await store.claim(tx, ref, target, until=tx.now + CLAIM_LASTS)
        if request is not None:
            return request
    return None


async def _translate_one(runtime: Runtime, request: TranslationRequest) -> None:
    original = await owners.fetch(runtime, request.ref)
    if original is None:
        async with runtime.database.tenant(request.ref.school) as tx:
            await store.finish(tx, request)
        return
    async with runtime.database.tenant(request.ref.school) as tx:
        words = await store.school_words(tx)
    engines = Means.of(runtime).engines
    now, chance = runtime.clock.now(), random.random()  # noqa: S311 - it spreads retries
    outcome: TryAgain | GiveUp
    try:
        made = await translate(engines, original, source=request.source, target=request.target, words=words)
    except PairUnsupportedError:
        outcome = GiveUp(Reason.NO_ENGINE_FOR_PAIR)
    except EngineUnavailableError as away:
        log.warning("engine away", engine=away.engine, error=away.reason)
        outcome = after_unavailable(request, at=now, jitter=chance, asked=away.retry_after)
    except AnswerRefusedError:
        outcome = after_refusal(request, at=now, jitter=chance)
    except (TextTooLongError, TooManyProtectedError):
        outcome = GiveUp(Reason.TOO_LONG)
    else:
        await owners.keep_translation(
            runtime, request, version=original.version, text=made.text, source=made.source, engine=made.engine
        )
        async with runtime.database.tenant(request.ref.school) as tx:
            await store.finish(tx, request)
        return
    if not request.told:
        await owners.keep_that_there_is_none(runtime, request, version=original.version)
    async with runtime.database.tenant(request.ref.school) as tx:
        due_at = outcome.at if isinstance(outcome, TryAgain) else None
        await store.put_off(tx, request, due_at=due_at, reason=outcome.reason)
