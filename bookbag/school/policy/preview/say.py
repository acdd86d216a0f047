"""Puts codes into a language's words: reasons of decisions, and the sentences of a policy."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bookbag.school.policy.preview.arabic import ARABIC
from bookbag.school.policy.preview.catalogue import Catalogue
from bookbag.school.policy.preview.english import ENGLISH
from bookbag.school.policy.preview.moments import hours_in_words, listed, moment
from bookbag.school.policy.preview.polish import POLISH
from bookbag.school.policy.preview.sentences import Said, Sentence, example_evening, sentences
from bookbag.school.policy.preview.spanish import SPANISH
from bookbag.school.policy.preview.urdu import URDU
from bookbag.school.policy.preview.welsh import WELSH
from bookbag.school.policy.rules import Reason, SchoolRules
from bookbag.school.time.week import Timetable

CATALOGUES: Mapping[str, Catalogue] = {
    words.language: words for words in (ENGLISH, WELSH, SPANISH, POLISH, ARABIC, URDU)
}


def say(reason: Reason, language: str, *, zone: ZoneInfo, now: datetime) -> str:
    """A reason in words; instants as seen at `now` from the school's zone. A language without words is said in English."""
    words = CATALOGUES.get(language, ENGLISH)
    text = words.reasons[reason.code]
    said = {name: _said(value, words, zone, now) for name, value in reason.parameters.items()}
    return _filled(text, said)


def describe(rules: SchoolRules, language: str) -> tuple[tuple[Sentence, str], ...]:
    """Every sentence of the preview with its words; example instants are seen from a Friday evening in term."""
    words = CATALOGUES.get(language, ENGLISH)
    friday = example_evening(rules)
    return tuple((sentence, _sentence(sentence, words, rules.zone, friday)) for sentence in sentences(rules))


def summary(rules: SchoolRules, language: str) -> str:
    """The preview as plain text, a heading for each section."""
    words = CATALOGUES.get(language, ENGLISH)
    lines: list[str] = []
    section = ""
    for sentence, text in describe(rules, language):
        if sentence.section != section:
            section = sentence.section
            lines += ["", words.sections[section]]
        lines.append(f"  {text}")
    return "\n".join(lines).strip()


def _sentence(sentence: Sentence, words: Catalogue, zone: ZoneInfo, now: datetime) -> str:
    said = {name: _said(value, words, zone, now) for name, value in sentence.parameters.items()}
    if "sent" in said:  # the example's own day is named too, though it is the day it is seen from
        said["sent"] = moment(now, zone, now - timedelta(days=1), words)
    text = _filled(words.sentences[sentence.key], said)
    return text[:1].upper() + text[1:]


def _said(value: Said, words: Catalogue, zone: ZoneInfo, now: datetime) -> str:
    match value:
        case datetime():
            return moment(value, zone, now, words)
        case date():
            return format_date(value, "d MMMM y", locale=words.locale)
        case Timetable():
            return hours_in_words(value, words)
        case str():
            return words.names.get(value, value)
        case int():
            return str(value)
        case _:
            return listed([words.names.get(code, code) for code in value], words)


def _filled(text: str, said: Mapping[str, str]) -> str:
    """Fill in; an instant that is not known, such as the end of hours without end, is said by an ellipsis."""
    return text.format_map(_Known(said))


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"
