"""Which language a text is really in: advice that overrides the sender's choice only when it is very sure.

People often leave the language of the composer as it is and write in another one. The script settles most of it for
nothing; the statistical model is asked only where two likely languages share a script. It costs 95 MB and a second to
load (measured), so it is loaded when first needed and forgotten when idle, which gives all but 22 MB back.
"""

import asyncio
import gc
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol, cast

from bookbag.school.languages import Language, best_match

FORGET_AFTER = timedelta(seconds=120)
ENOUGH_LETTERS = 40
"""Below it the model guesses: "Gracias, nos vemos mañana" is Spanish to it with 48 %, and "Hola" Serbian."""
ENOUGH_LETTERS_FOR_SCRIPT = 6
VERY_SURE = 0.99
"""Share of the best language among the likely ones."""
LIKELY_SHARE = 0.6
"""What the likely languages must hold of all the model knows; less means that it is in none of them."""
MOST_LETTERS = 0.9
"""Share of letters in one script that makes it the script of the text."""

# Unicode's names for the letters of a script, against the ISO 15924 codes of our table.
_SCRIPT_WORDS = {
    "LATIN": {"Latn"},
    "ARABIC": {"Arab"},
    "CYRILLIC": {"Cyrl"},
    "GREEK": {"Grek"},
    "HEBREW": {"Hebr"},
    "ARMENIAN": {"Armn"},
    "GEORGIAN": {"Geor"},
    "ETHIOPIC": {"Ethi"},
    "DEVANAGARI": {"Deva"},
    "BENGALI": {"Beng"},
    "GURMUKHI": {"Guru"},
    "GUJARATI": {"Gujr"},
    "TAMIL": {"Taml"},
    "TELUGU": {"Telu"},
    "MALAYALAM": {"Mlym"},
    "SINHALA": {"Sinh"},
    "THAI": {"Thai"},
    "HANGUL": {"Kore"},
    "HIRAGANA": {"Jpan"},
    "KATAKANA": {"Jpan"},
    "CJK": {"Hans", "Hant", "Jpan"},
}

# The model's labels where they are not the primary subtag.
_LABELS = {"nb": "no", "fil": "tl", "ckb": "sdh"}


class Detector:
    """Tells the language of texts; one per process."""

    def __init__(self, *, clock: Callable[[], float], forget_after: timedelta = FORGET_AFTER) -> None:
        """`clock` gives seconds that never go back; by it the model counts as idle."""
        self._clock = clock
        self._forget_after = forget_after.total_seconds()
        self._model: _Model | None = None
        self._turn = asyncio.Lock()
        self._last_used = 0.0
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    async def source_language(self, prose: str, chosen: str, likely: Iterable[str]) -> str:
        """The tag `prose` is to be translated from: `chosen` by the sender, unless it is surely another likely one.

        `prose` is the text without names, links and numbers; `likely` are the languages of those who read and write
        there. Never raises for a text.
        """
        candidates = _languages([chosen, *likely])
        own = candidates.get(chosen) or best_match(chosen)
        letters = [character for character in prose if character.isalpha()]
        scripts = _scripts_of(letters)
        if own is None or scripts is None or len(letters) < ENOUGH_LETTERS_FOR_SCRIPT:
            return chosen
        able = {tag: language for tag, language in candidates.items() if language.script in scripts}
        if len({language.primary for language in able.values()}) == 1:
            return chosen if own.script in scripts else next(iter(able))
        if not able or len(letters) < ENOUGH_LETTERS:
            return chosen
        return await self._sure_of(prose, chosen, able)

    async def forget_idle(self) -> bool:
        """Free the model when nobody has used it for the idle time; gives whether it was freed."""
        async with self._turn:
            if self._model is None or self._clock() - self._last_used < self._forget_after:
                return False
            self._model = None
            # Parts of it hang in cycles: without this 52 MB stay instead of 22 (measured).
            gc.collect()
            return True

    async def close(self) -> None:
        """Free the model."""
        if self._watch is not None:
            self._watch.cancel()
        async with self._turn:
            self._model = None

    async def _sure_of(self, prose: str, chosen: str, able: dict[str, Language]) -> str:
        async with self._turn:
            if self._model is None:
                self._model = await asyncio.to_thread(_load)
            ranked = dict(await asyncio.to_thread(_ranked, self._model, prose))
            self._last_used = self._clock()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watch_for_idleness())
        labels = {tag: _LABELS.get(language.primary, language.primary) for tag, language in able.items()}
        shares = {tag: ranked[label] for tag, label in labels.items() if label in ranked}
        together = sum(shares.values())
        if not shares or together < LIKELY_SHARE:
            return chosen
        best = max(shares, key=lambda tag: shares[tag])
        return best if shares[best] / together >= VERY_SURE else chosen

    async def _watch_for_idleness(self) -> None:
        while self._model is not None:
            await asyncio.sleep(self._forget_after / 4)
            await self.forget_idle()


def _languages(tags: Iterable[str]) -> dict[str, Language]:
    """The languages of the tags, the first tag of each primary language standing for it."""
    found: dict[str, Language] = {}
    for tag in tags:
        language = best_match(tag)
        if language is not None and language.primary not in {known.primary for known in found.values()}:
            found[tag] = language
    return found


def _scripts_of(letters: list[str]) -> set[str] | None:
    """The ISO 15924 codes nearly all letters can belong to; None for a mixture or nothing known."""
    counted = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    japanese = counted["HIRAGANA"] + counted["KATAKANA"]
    if japanese and japanese + counted["CJK"] >= MOST_LETTERS * len(letters):
        return {"Jpan"}
    if not counted:
        return None
    word, most = counted.most_common(1)[0]
    return _SCRIPT_WORDS.get(word) if most >= MOST_LETTERS * len(letters) else None


class _Model(Protocol):
    def rank(self, text: str) -> list[tuple[str, float]]: ...


def _load() -> _Model:
    from py3langid import langid  # pyright: ignore[reportMissingTypeStubs] - it has none

    identifier = langid.LanguageIdentifier
    return cast(_Model, identifier.from_model_file(langid.MODEL_FILE, norm_probs=True))  # pyright: ignore[reportUnknownMemberType]


def _ranked(model: _Model, prose: str) -> list[tuple[str, float]]:
    return [(label, float(share)) for label, share in model.rank(prose)]
