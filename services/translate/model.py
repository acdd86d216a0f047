"""What translation decides without asking anybody: into which languages, when to try again, and when to stop."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from bookbag.school.content import ContentRef
from bookbag.school.languages import best_match, same_language

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(days=3)
"""A message is read within days; later a translation helps nobody, and a reader who wants one asks again."""
MOST_REFUSALS = 3
"""How often engines may break a text's placeholders before it counts as untranslatable."""
MOST_LANGUAGES = 100
"""More languages than the table has: a bound for what one content can ask for."""

SPREAD = 0.2
"""By how much chance lengthens a wait, so that texts that failed together do not all come back together."""


class Reason(StrEnum):
    """Why there is no translation (yet). Told to operators; readers see the original and that it is not translated."""

    NO_ENGINE_FOR_PAIR = "no-engine-for-pair"
    ENGINE_UNAVAILABLE = "engine-unavailable"
    ANSWER_REFUSED = "answer-refused"
    TOO_LONG = "too-long"


class Quality(Enum):
    """How far readers may rely on a translation."""

    EVERYDAY = "everyday"
    DEMONSTRATION = "demonstration"
    """Apertium's: fit to show that translation works, not to be relied on ("está enferma" became "is patient")."""


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """One text wanted in one language: the unit of work, of retrying and of the handing over."""

    ref: ContentRef
    source: str
    target: str
    asked_at: datetime
    attempts: int = 0
    """How often it was begun before, whatever came of it."""
    refusals: int = 0
    told: bool = False
    """Whether the owner knows that the readers must make do with the original for now."""
    trace: str | None = None
    """The trace of what it is wanted for, in W3C's words; None where nobody traces."""


@dataclass(frozen=True, slots=True)
class Original:
    """A text as its owner keeps it."""

    text: str
    version: int
    language: str
    names: tuple[str, ...] = ()
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """A finished translation on its way to the owner of the text."""

    text: str
    source: str
    target: str
    engine: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The text waits until `at`; the readers see the original meanwhile."""

    at: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The text is set aside: until an engine has its pair, or until a reader asks anew."""

    reason: Reason


def target_languages(source: str, readers: Iterable[str], *, chosen: str | None = None) -> tuple[str, ...]:
    """The languages to translate into: those of the readers, once each and in stable order, minus the source's own.

    `chosen` is what the sender said it was in, when detection knows better: its readers need a translation too, and for
    those of the source the owner must learn that the text is in their language already.
    Readers of one primary language count as one, but for those whose variants the table keeps apart (European and
    Brazilian Portuguese, simplified and traditional Chinese). Tags that the table does not know are left out.
    """
    known = {match.tag for match in map(best_match, readers) if match is not None}
    served = {tag for tag in known if same_language(tag, source) and same_language(tag, chosen or source)}
    return tuple(sorted(known - served))[:MOST_LANGUAGES]


def wait_before(attempt: int, *, jitter: float, asked: timedelta | None = None) -> timedelta:
    """How long to wait before trying again after `attempt` failures (1 and up): 5 s doubled up to half an hour.

    `jitter` (0..1) spreads those that failed together over a fifth more. What the engine asked for is respected.
    """
    doubled = FIRST_WAIT * 2 ** min(max(attempt, 1) - 1, 20)
    return max(min(doubled, LONGEST_WAIT), asked or timedelta(0)) * (1 + SPREAD * jitter)


def after_unavailable(
    request: TranslationRequest, *, at: datetime, jitter: float, asked: timedelta | None = None
) -> TryAgain | GiveUp:
    """No engine answers now: try again, for three days (TR-5)."""
    again = at + wait_before(request.attempts + 1, jitter=jitter, asked=asked)
    if again - request.asked_at > GIVE_UP_AFTER:
        return GiveUp(Reason.ENGINE_UNAVAILABLE)
    return TryAgain(again, Reason.ENGINE_UNAVAILABLE)


def after_refusal(request: TranslationRequest, *, at: datetime, jitter: float) -> TryAgain | GiveUp:
    """Every engine broke what must stay untouched: another try may go better, but not many."""
    if request.refusals + 1 >= MOST_REFUSALS:
        return GiveUp(Reason.ANSWER_REFUSED)
    return TryAgain(at + wait_before(request.attempts + 1, jitter=jitter), Reason.ANSWER_REFUSED)


def can_be_asked_anew(reason: Reason) -> bool:
    """Whether a reader's wish brings a text back that was set aside; without an engine only an engine does."""
    return reason is not Reason.NO_ENGINE_FOR_PAIR
