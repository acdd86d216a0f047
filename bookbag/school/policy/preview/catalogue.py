"""The shape of a language's words for policies; a language that has none yet is read in English, visibly."""

from collections.abc import Mapping
from dataclasses import dataclass

from bookbag.school.policy.rules.reasons import ReasonCode


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language. Texts have {names} in braces; `today`, `this_week`, `later` are CLDR patterns of an instant."""

    language: str
    locale: str
    """Whose CLDR forms are used for days, dates and lists."""
    today: str
    this_week: str
    later: str
    from_to: str
    at_any_time: str
    at_no_time: str
    all_day: str
    holidays_too: str
    reasons: Mapping[ReasonCode, str]
    sections: Mapping[str, str]
    sentences: Mapping[str, str]
    names: Mapping[str, str]
    """What the document's codes are called: roles, matters, steps."""
