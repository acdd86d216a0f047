"""What is said of a document's mistakes and settings: in English where it is written, and in the other languages of the product's pages.

A phrase remembers what it was made of. So whoever finds a mistake writes plain English beside the check, and whoever shows it says it in
the reader's language; a tool that shows it as it is shows English.
"""

from collections.abc import Mapping
from typing import Self

from bookbag.school.policy.phrases.arabic import ARABIC
from bookbag.school.policy.phrases.polish import POLISH
from bookbag.school.policy.phrases.spanish import SPANISH
from bookbag.school.policy.phrases.urdu import URDU
from bookbag.school.policy.phrases.welsh import WELSH

PHRASES: Mapping[str, Mapping[str, str]] = {"cy": WELSH, "es": SPANISH, "pl": POLISH, "ar": ARABIC, "ur": URDU}
"""By language: English words with {names} in braces, and the same in that language."""


class Phrase(str):
    """English words, ready to be said in another language."""

    __slots__ = ("parameters", "template")
    template: str
    parameters: Mapping[str, object]

    def __new__(cls, template: str, parameters: Mapping[str, object]) -> Self:
        """Filled in, in English."""
        made = super().__new__(cls, template.format_map(parameters))
        made.template, made.parameters = template, parameters
        return made


def phrase(template: str, /, **parameters: object) -> Phrase:
    """Words in English with {names} to fill in; a parameter may be a phrase itself."""
    return Phrase(template, parameters)


def said(words: str, language: str) -> str:
    """Words in a language. What is no phrase is somebody's own and stays as it is; what a language lacks is said in English."""
    if not isinstance(words, Phrase):
        return words
    template = PHRASES.get(language, {}).get(words.template)
    if template is None:
        return str(words)
    parameters = {
        name: said(value, language) if isinstance(value, str) else value for name, value in words.parameters.items()
    }
    return template.format_map(parameters)


_WEEKDAYS = {
    "monday": phrase("Monday"),
    "tuesday": phrase("Tuesday"),
    "wednesday": phrase("Wednesday"),
    "thursday": phrase("Thursday"),
    "friday": phrase("Friday"),
    "saturday": phrase("Saturday"),
    "sunday": phrase("Sunday"),
}


def weekday(key: str) -> Phrase:
    """What a weekday of the document is called."""
    return _WEEKDAYS[key]
