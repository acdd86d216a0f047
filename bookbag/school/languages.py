"""Which languages people can choose and how each is written and asked for, so that no two places spell one differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from babel import Locale

UI_LANGUAGES: tuple[str, ...] = ("en", "es", "cy", "pl", "ar", "ur")
"""The languages the product's own words exist in (TR-6)."""

_RIGHT_TO_LEFT_SCRIPTS = frozenset({"Arab", "Hebr"})


class Direction(StrEnum):
    """Which way a language is written; the value is the one of HTML's `dir`."""

    LEFT_TO_RIGHT = "ltr"
    RIGHT_TO_LEFT = "rtl"


class UnknownLanguageError(LookupError):
    """The tag is not one of the languages people can choose."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"{tag!r} is not a language Bookbag knows; choose one of the listed tags")
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Language:
    """One language a person can choose.

    `tag` is BCP 47 in canonical case, `script` ISO 15924. The engine codes are in order of preference: the first
    one an engine has is used. An empty tuple means that the engine is not known to have the language.
    """

    tag: str
    english: str
    autonym: str
    script: str
    apertium: tuple[str, ...] = ()
    libretranslate: tuple[str, ...] = ()

    @property
    def primary(self) -> str:
        """The primary subtag: what decides whether two people read the same language."""
        return self.tag.partition("-")[0]

    @property
    def direction(self) -> Direction:
        """Which way it is written, which its script decides."""
        return Direction.RIGHT_TO_LEFT if self.script in _RIGHT_TO_LEFT_SCRIPTS else Direction.LEFT_TO_RIGHT


# Apertium names its pairs by ISO 639-3, older ones by ISO 639-1. LibreTranslate uses ISO 639-1 with some of its own.
LANGUAGES: tuple[Language, ...] = (
    Language("en", "English", "English", "Latn", ("eng", "en"), ("en",)),
    Language("cy", "Welsh", "Cymraeg", "Latn", ("cym", "cy"), ("cy",)),
    Language("es", "Spanish", "Español", "Latn", ("spa", "es"), ("es",)),
    Language("pl", "Polish", "Polski", "Latn", ("pol", "pl"), ("pl",)),
    Language("ar", "Arabic", "العربية", "Arab", ("ara", "ar"), ("ar",)),
    Language("ur", "Urdu", "اردو", "Arab", ("urd", "ur"), ("ur",)),
    Language("sq", "Albanian", "Shqip", "Latn", ("sqi", "sq"), ("sq",)),
    Language("am", "Amharic", "አማርኛ", "Ethi", (), ("am",)),
    Language("hy", "Armenian", "Հայերեն", "Armn", ("hye", "hy"), ("hy",)),
    Language("az", "Azerbaijani", "Azərbaycanca", "Latn", ("aze", "az"), ("az",)),
    Language("eu", "Basque", "Euskara", "Latn", ("eus", "eu"), ("eu",)),
    Language("bn", "Bengali", "বাংলা", "Beng", ("ben", "bn"), ("bn",)),
    Language("bs", "Bosnian", "Bosanski", "Latn", ("bos", "hbs_BS", "bs"), ("bs",)),
    Language("bg", "Bulgarian", "Български", "Cyrl", ("bul", "bg"), ("bg",)),
    Language("ca", "Catalan", "Català", "Latn", ("cat", "ca"), ("ca",)),
    Language("ckb", "Central Kurdish", "کوردیی ناوەندی", "Arab", (), ("ckb",)),
    Language("zh-Hans", "Chinese, simplified", "简体中文", "Hans", (), ("zh-Hans", "zh")),
    Language("zh-Hant", "Chinese, traditional", "繁體中文", "Hant", (), ("zh-Hant", "zt")),
    Language("hr", "Croatian", "Hrvatski", "Latn", ("hrv", "hbs_HR", "hr"), ("hr",)),
    Language("cs", "Czech", "Čeština", "Latn", ("ces", "cs"), ("cs",)),
    Language("da", "Danish", "Dansk", "Latn", ("dan", "da"), ("da",)),
    Language("fa-AF", "Dari", "دری", "Arab", ("pes",), ("fa",)),
    Language("nl", "Dutch", "Nederlands", "Latn", ("nld", "nl"), ("nl",)),
    Language("eo", "Esperanto", "Esperanto", "Latn", ("epo", "eo"), ("eo",)),
    Language("et", "Estonian", "Eesti", "Latn", ("est", "et"), ("et",)),
    Language("fil", "Filipino", "Filipino", "Latn", ("tgl", "tl"), ("tl", "fil")),
    Language("fi", "Finnish", "Suomi", "Latn", ("fin", "fi"), ("fi",)),
    Language("fr", "French", "Français", "Latn", ("fra", "fr"), ("fr",)),
    Language("gl", "Galician", "Galego", "Latn", ("glg", "gl"), ("gl",)),
    Language("ka", "Georgian", "ქართული", "Geor", ("kat", "ka"), ("ka",)),
    Language("de", "German", "Deutsch", "Latn", ("deu", "de"), ("de",)),
    Language("el", "Greek", "Ελληνικά", "Grek", ("ell", "el"), ("el",)),
    Language("gu", "Gujarati", "ગુજરાતી", "Gujr", ("guj", "gu"), ("gu",)),
    Language("ha", "Hausa", "Hausa", "Latn", (), ("ha",)),
    Language("he", "Hebrew", "עברית", "Hebr", ("heb", "he"), ("he",)),
    Language("hi", "Hindi", "हिन्दी", "Deva", ("hin", "hi"), ("hi",)),
    Language("hu", "Hungarian", "Magyar", "Latn", ("hun", "hu"), ("hu",)),
    Language("is", "Icelandic", "Íslenska", "Latn", ("isl", "is"), ("is",)),
    Language("ig", "Igbo", "Igbo", "Latn", (), ("ig",)),
    Language("id", "Indonesian", "Bahasa Indonesia", "Latn", ("ind", "id"), ("id",)),
    Language("ga", "Irish", "Gaeilge", "Latn", ("gle", "ga"), ("ga",)),
    Language("it", "Italian", "Italiano", "Latn", ("ita", "it"), ("it",)),
    Language("ja", "Japanese", "日本語", "Jpan", (), ("ja",)),
    Language("kk", "Kazakh", "Қазақша", "Cyrl", ("kaz", "kk"), ("kk",)),
    Language("ko", "Korean", "한국어", "Kore", (), ("ko",)),
    Language("ku", "Kurdish (Kurmanji)", "Kurdî", "Latn", ("kmr", "ku"), ("ku",)),
    Language("lv", "Latvian", "Latviešu", "Latn", ("lav", "lv"), ("lv",)),
    Language("lt", "Lithuanian", "Lietuvių", "Latn", ("lit", "lt"), ("lt",)),
    Language("mk", "Macedonian", "Македонски", "Cyrl", ("mkd", "mk"), ("mk",)),
    Language("ms", "Malay", "Bahasa Melayu", "Latn", ("zlm", "ms"), ("ms",)),
    Language("ml", "Malayalam", "മലയാളം", "Mlym", ("mal", "ml"), ("ml",)),
    Language("mr", "Marathi", "मराठी", "Deva", ("mar", "mr"), ("mr",)),
    Language("ne", "Nepali", "नेपाली", "Deva", ("nep", "ne"), ("ne",)),
    Language("nb", "Norwegian", "Norsk bokmål", "Latn", ("nob", "nb"), ("nb", "no")),
    Language("ps", "Pashto", "پښتو", "Arab", (), ("ps",)),
    Language("fa", "Persian", "فارسی", "Arab", ("pes", "fa"), ("fa",)),
    Language("pt", "Portuguese", "Português", "Latn", ("por", "pt"), ("pt",)),
    Language(
        "pt-BR", "Portuguese (Brazil)", "Português (Brasil)", "Latn", ("por_BR", "por", "pt"), ("pt-BR", "pb", "pt")
    ),
    Language("pa", "Punjabi", "ਪੰਜਾਬੀ", "Guru", ("pan", "pa"), ("pa",)),
    Language("ro", "Romanian", "Română", "Latn", ("ron", "ro"), ("ro",)),
    Language("ru", "Russian", "Русский", "Cyrl", ("rus", "ru"), ("ru",)),
    Language("gd", "Scottish Gaelic", "Gàidhlig", "Latn", ("gla", "gd"), ("gd",)),
    Language("sr", "Serbian", "Српски", "Cyrl", ("srp", "sr"), ("sr",)),
    Language("si", "Sinhala", "සිංහල", "Sinh", (), ("si",)),
    Language("sk", "Slovak", "Slovenčina", "Latn", ("slk", "sk"), ("sk",)),
    Language("sl", "Slovenian", "Slovenščina", "Latn", ("slv", "sl"), ("sl",)),
    Language("so", "Somali", "Soomaali", "Latn", (), ("so",)),
    Language("sw", "Swahili", "Kiswahili", "Latn", ("swa", "sw"), ("sw",)),
    Language("sv", "Swedish", "Svenska", "Latn", ("swe", "sv"), ("sv",)),
    Language("ta", "Tamil", "தமிழ்", "Taml", ("tam", "ta"), ("ta",)),
    Language("te", "Telugu", "తెలుగు", "Telu", ("tel", "te"), ("te",)),
    Language("th", "Thai", "ไทย", "Thai", ("tha", "th"), ("th",)),
    Language("ti", "Tigrinya", "ትግርኛ", "Ethi", (), ("ti",)),
    Language("tr", "Turkish", "Türkçe", "Latn", ("tur", "tr"), ("tr",)),
    Language("uk", "Ukrainian", "Українська", "Cyrl", ("ukr", "uk"), ("uk",)),
    Language("vi", "Vietnamese", "Tiếng Việt", "Latn", ("vie", "vi"), ("vi",)),
    Language("yo", "Yoruba", "Yorùbá", "Latn", (), ("yo",)),
)

_BY_TAG: Mapping[str, Language] = MappingProxyType({language.tag.lower(): language for language in LANGUAGES})

# Tags that browsers, phones and school systems send for a language of the table under another name: retired codes,
# macrolanguages, ISO 639-2/3 spellings and Chinese regions, whose script decides.
_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "zh": "zh-Hans",
        "cmn": "zh-Hans",
        "zh-tw": "zh-Hant",
        "zh-hk": "zh-Hant",
        "zh-mo": "zh-Hant",
        "yue": "zh-Hant",
        "no": "nb",
        "nn": "nb",
        "iw": "he",
        "in": "id",
        "tl": "fil",
        "mo": "ro",
        "prs": "fa-AF",
        "pes": "fa",
        "kmr": "ku",
        "pnb": "ur",
        "swh": "sw",
        "arb": "ar",
        "eng": "en",
        "cym": "cy",
        "spa": "es",
        "pol": "pl",
        "ara": "ar",
        "urd": "ur",
    }
)


def find(tag: str) -> Language | None:
    """The language with exactly this tag, whatever its letter case; nothing else is accepted."""
    return _BY_TAG.get(tag.lower())


def language(tag: str) -> Language:
    """Like `find`; raises `UnknownLanguageError`."""
    found = find(tag)
    if found is None:
        raise UnknownLanguageError(tag)
    return found


def best_match(tag: str) -> Language | None:
    """The language of the table that serves somebody who asks for `tag`, or None.

    Subtags are taken off from the right until one fits (RFC 4647, lookup): `es-MX` gives Spanish, `zh-Hant-HK` and
    `zh-TW` traditional Chinese. Underscores, as operating systems write them, are read as hyphens.
    """
    subtags = tag.strip().replace("_", "-").lower().split("-")
    while subtags:
        wanted = "-".join(subtags)
        found = _BY_TAG.get(wanted) or _BY_TAG.get(_OTHER_NAMES.get(wanted, "").lower())
        if found is not None:
            return found
        subtags.pop()
    return None


def same_language(one: str, other: str) -> bool:
    """Whether a reader of `one` needs no translation of `other`: their primary subtags agree."""
    return _primary_of(one) == _primary_of(other)


def name_in(named: Language, ui_tag: str) -> str:
    """What `named` is called in a language of the client; the English name where that language has no word for it."""
    return _names(ui_tag).get(named.tag.replace("-", "_"), named.english)


def _primary_of(tag: str) -> str:
    match = best_match(tag)
    return match.primary if match is not None else tag.replace("_", "-").partition("-")[0].lower()


@cache
def _names(ui_tag: str) -> Mapping[str, str]:
    ui = best_match(ui_tag)
    if ui is None:
        raise UnknownLanguageError(ui_tag)
    return MappingProxyType(dict(Locale.parse(ui.tag, sep="-").languages))
