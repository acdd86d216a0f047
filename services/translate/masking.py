"""What must come through a translation untouched, and the proof that it did (TR-4).

Names, links, times, dates, amounts, numbers, emoji and the school's own words are replaced by numbered placeholders
before an engine sees the text and put back afterwards. Engines lose, double and invent things, so an answer in which
the placeholders are not each there exactly once is refused: no translation is better than a wrong time or name.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from babel import Locale

from bookbag.school.languages import best_match

MAX_CHARACTERS = 4_000
"""The longest text that is translated; the longest message there is (MSG-1)."""

MAX_PROTECTED = 2_000
"""The most names and words one text is searched for: those around one thread or post, never a whole platform."""


class TextTooLongError(ValueError):
    """The text is longer than what any content may hold."""


class TooManyProtectedError(ValueError):
    """More names and words than one text can sensibly be searched for."""


class PlaceholdersBrokenError(ValueError):
    """The engine's answer is refused: a placeholder was lost, doubled or invented. Carries numbers, never the text."""

    def __init__(self, *, lost: Iterable[int], doubled: Iterable[int], invented: Iterable[int]) -> None:
        self.lost = tuple(sorted(lost))
        self.doubled = tuple(sorted(doubled))
        self.invented = tuple(sorted(invented))
        super().__init__(
            f"the engine lost placeholders {self.lost}, doubled {self.doubled} and invented {self.invented}"
        )


class Form(Enum):
    """How a placeholder is written; an engine that breaks one form may keep the other.

    BRACES is first: Apertium reads the number inside as a number and builds a sound sentence around it (measured on
    the pair English-Spanish: kept in 13,664 of 13,665 random texts, once with a space inside, which is understood).
    LETTERS looks like an unknown word, which neural engines tend to copy.
    """

    BRACES = ("{{{}}}", r"[{｛]\s*(\d+)\s*[}｝]")
    LETTERS = ("QZX{}", r"[Qq][Zz][Xx]\s?(\d+)")

    def __init__(self, template: str, pattern: str) -> None:
        self.template = template
        self.pattern = re.compile(pattern)

    def placeholder(self, number: int) -> str:
        """How placeholder `number` is written for an engine."""
        return self.template.format(number)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text made ready for an engine: `text` holds a placeholder for each of `pieces`, numbered from 0 in order."""

    text: str
    pieces: tuple[str, ...]
    form: Form

    @property
    def has_words(self) -> bool:
        """Whether anything is left to translate."""
        return any(character.isalpha() for character in self.prose)

    @property
    def prose(self) -> str:
        """The text without what is protected: what its language can be told from."""
        return self.form.pattern.sub(" ", self.text)

    def restore(self, answer: str) -> str:
        """Put the pieces back into an engine's answer, in whatever order it left them.

        Raises `PlaceholdersBrokenError` unless each placeholder is there exactly once and no other one is. Spaces and
        foreign digits inside a placeholder (`{ 0 }`, `{٠}`) are understood, as engines write them.
        """
        found = Counter(_number(match) for match in self.form.pattern.finditer(answer))
        wanted = set(range(len(self.pieces)))
        lost, invented = wanted - found.keys(), found.keys() - wanted
        doubled = {number for number in wanted if found[number] > 1}
        if lost or invented or doubled:
            raise PlaceholdersBrokenError(lost=lost, doubled=doubled, invented=invented)
        return self.form.pattern.sub(lambda match: self.pieces[_number(match)], answer)


def mask(
    text: str, *, language: str, names: Sequence[str] = (), words: Sequence[str] = (), form: Form = Form.BRACES
) -> Masked:
    """Replace all that must stay untouched in `text` by placeholders.

    `language` is the language of the text (its month names make dates), `names` are people's full names, of which
    each part counts too, `words` the school's glossary. Case is ignored, but for parts of names that are ordinary
    words ("Will", "Rose"): those count only as written or in capitals. What overlaps or touches becomes one piece.
    A possessive ending stays outside, for the engine to turn.

    Raises `TextTooLongError` above `MAX_CHARACTERS` and `TooManyProtectedError` above `MAX_PROTECTED`.
    """
    if len(text) > MAX_CHARACTERS:
        raise TextTooLongError(f"{len(text)} characters; a translation takes at most {MAX_CHARACTERS}")
    if len(names) + len(words) > MAX_PROTECTED:
        raise TooManyProtectedError(
            f"{len(names) + len(words)} protected words; at most {MAX_PROTECTED} are searched for"
        )
    patterns = [form.pattern, *_GENERAL, _dates(language), *_spoken(tuple(names), tuple(words))]
    masked: list[str] = []
    pieces: list[str] = []
    end = 0
    for start, stop in _united(match.span() for pattern in patterns for match in pattern.finditer(text)):
        masked += (text[end:start], form.placeholder(len(pieces)))
        pieces.append(text[start:stop])
        end = stop
    return Masked("".join((*masked, text[end:])), tuple(pieces), form)


def _number(match: re.Match[str]) -> int:
    # A look-alike can carry more digits than Python turns into a number.
    digits = match[1]
    return int(digits) if len(digits) < 10 else -1


def _united(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in order, those that overlap or touch joined."""
    start = stop = -1
    for next_start, next_stop in sorted(span for span in spans if span[0] < span[1]):
        if next_start > stop:
            if stop > start:
                yield start, stop
            start = next_start
        stop = max(stop, next_stop)
    if stop > start:
        yield start, stop


_BIDI_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CURRENCY = "£€$¥₹₺₪₴₽¢"
_TRAILING = r"[^\s.,;:!?)\]}>'\"»”’،؛؟。]"

_LINK = re.compile(rf"(?:https?://|www\.)\S*{_TRAILING}", re.IGNORECASE)
_BARE_LINK = re.compile(
    r"(?<![\w.@-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|edu|gov|info|app|school|sch|uk|wales|cymru|scot|ie|es|cat|pl|eu|fr|de|it|io)"
    rf"(?![\w-])(?:/(?:\S*{_TRAILING})?)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@<>()\[\]{}\"',;:]{1,64}@[^\s@<>()\[\]{}\"',;:]{0,254}[^\W_]")
_HANDLE = re.compile(r"(?<!\w)[@#]\w+")
_PHONE = re.compile(r"(?<![\w])\+?\(?\d(?:[  ()./\u2011-]{0,3}\d){6,}")
# Every digit is protected, with what is written onto it: 8:30–9:00, £4.50, 10 a.m., 3rd, 4B, SW1A, 50 %, -2°C.
_NUMBER_TAIL = (
    rf"(?:[.,:/'’×{_BIDI_MARKS}‐-―−-]*\d)*"
    rf"(?:[  ]?[{_CURRENCY}%‰°]C?|[  ]?(?:[ap]\.?[  ]?m\b\.?|zł\b|lei\b|kr\b)|[A-Za-zªº]{{1,4}}(?![A-Za-z]))?"
)
_NUMBER = re.compile(
    rf"(?:(?<![^\W_])[A-Za-z]{{1,4}}|[{_CURRENCY}][  ]?|[+−#№-])?[{_BIDI_MARKS}]{{0,3}}\d{_NUMBER_TAIL}", re.IGNORECASE
)
_EMOJI_BASE = "\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299©®™"
_EMOJI_JOINED = "\ufe0e\ufe0f\u20e3\u200d\U000e0020-\U000e007f"
_EMOJI = re.compile(rf"[{_EMOJI_BASE}](?:[{_EMOJI_BASE}{_EMOJI_JOINED}]|[ ](?=[{_EMOJI_BASE}]))*")
_KEYCAP = re.compile(r"[\d#*]\ufe0f?\u20e3")
_POSTCODE = re.compile(r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}(?!\w)")

_GENERAL: tuple[re.Pattern[str], ...] = (
    _LINK,
    _BARE_LINK,
    _EMAIL,
    _HANDLE,
    _PHONE,
    _NUMBER,
    _EMOJI,
    _KEYCAP,
    _POSTCODE,
)


@lru_cache(maxsize=128)
def _dates(language: str) -> re.Pattern[str]:
    """A day beside the name of a month, in the language of the text: "3 May 2027", "May 3rd", "3 de mayo"."""
    known = best_match(language)
    locale = Locale.parse(known.tag if known is not None else "en", sep="-")
    months = {
        name.rstrip(".")
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for name in locale.months[context][width].values()
    }
    named = "|".join(re.escape(name) for name in sorted(months, key=len, reverse=True) if not name.isnumeric())
    if not named:
        return re.compile(r"(?!)")
    month = rf"(?<!\w)(?:{named})(?!\w)\.?"
    year = r"(?:,?\s+(?:de\s+|del\s+)?\d{4})?"
    return re.compile(
        rf"\d{{1,2}}(?:st|nd|rd|th|er|[.ºª])?\s+(?:of\s+|de\s+|d['’])?{month}{year}"
        rf"|{month}\s+\d{{1,2}}(?:st|nd|rd|th)?(?!\w){year}",
        re.IGNORECASE,
    )


# Names that are also ordinary words of the languages families and schools mostly write: hidden in lower case they would
# take the sense out of a sentence ("I will come").
_ORDINARY_WORDS = frozenset(
    """
    angel april archer art august autumn bailey baker bell bill bishop black blanca bloom blue bob brown bush butler
    campos carpenter carter chase cook crystal cruz daisy dale dawn day dean delgado dolores drew earl faith fay field
    flores ford forest frank fuller gay gene ginger glen gold gould grace grant gray green grey hall hardy hazel heath
    heather hill holly home hope hunter hurst iglesias iris ivy jack jade jay john joy june king knight lake lance lane
    lee leon leona lily little long love luna luz ma mar march mark mason may mercedes merry miles mill miller moreno my
    myrtle nieves noble norm olive page park parker pat paz pearl penny pepper pilar pit poppy porter potter power price
    prince ray read reed reyes rich rico rivers rob robin rocky rosa rose rosemary rowan rubio ruby ruiz sage sally sandy
    santos sharp shepherd short skip small so sol soledad south stone storm sue summer sunny swan sky taylor thorn
    tree turner violet walker ward wade way weaver west white will win winter wise wolf wood woods worth wright
    young
    """.split()  # noqa: SIM905 - a list of words reads as words
)
# Parts that names share with half of all sentences; they count only inside a whole name.
_PARTICLES = frozenset(
    """
    de del la las los di da do dos das el al bin ibn bint abu ap ab ferch van von der den ter the y e i
    mr mrs ms miss mx dr sir
    """.split()  # noqa: SIM905 - a list of words reads as words
)

# Scripts that write no spaces between words: a name is found inside a run of letters there.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# Arabic and Urdu write "and", "so", "with", "like" and "to" onto the next word.
_WORD_START = r"(?:(?<!\w)|(?<=(?<!\w)[وفبكل]))"
_WORD_END = r"(?![\w\u0300-\u036f])"


@lru_cache(maxsize=64)
def _spoken(names: tuple[str, ...], words: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Patterns that find the names, their parts, and the glossary words."""
    any_case = {_tidy(word) for word in words}
    as_written: set[str] = set()
    for name in map(_tidy, names):
        parts = name.split(" ")
        if len(parts) > 1:
            any_case.add(name)
        for part in parts:
            folded = part.casefold()
            if len(part) < 2 or folded in _PARTICLES:
                continue
            if folded in _ORDINARY_WORDS:
                as_written |= {part.capitalize(), part.upper()}
            else:
                any_case.add(part)
    return tuple(
        re.compile("|".join(_spelled(word) for word in sorted(wanted, key=len, reverse=True)), flags)
        for wanted, flags in ((any_case - {""}, re.IGNORECASE), (as_written, re.NOFLAG))
        if wanted
    )


def _tidy(word: str) -> str:
    return unicodedata.normalize("NFC", " ".join(word.split()))


def _spelled(word: str) -> str:
    """A pattern for `word` however its accents are composed, its apostrophe drawn, its spaces and hyphens set."""
    spellings = {unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)}
    start = "" if _UNSPACED.match(word) else _WORD_START
    end = "" if _UNSPACED.match(word[-1]) else _WORD_END
    return start + "(?:" + "|".join(map(_loosely, sorted(spellings))) + ")" + end


def _loosely(spelling: str) -> str:
    same = {" ": r"\s+", "'": "['’ʼ]", "’": "['’ʼ]", "-": "[-\u2010\u2011]"}
    return "".join(same.get(character, re.escape(character)) for character in spelling)
