"""How the policy is shown over HTTP: a version, what it means in words and drawn as a week, a draft's mistakes and differences."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from bookbag.chassis.http import Shown
from bookbag.school.policy.faults import Fault
from bookbag.school.policy.phrases import said
from bookbag.school.policy.preview import DrawnDay, Explained, describe, drawn_week
from bookbag.school.policy.preview.say import CATALOGUES
from bookbag.school.policy.rules import Outcome, ReasonCode, SchoolRules
from bookbag.school.policy.rules.reasons import Reason
from bookbag.school.policy.versions import Change, in_words
from bookbag.school.time.week import Spans


def spoken(language: str) -> str:
    """The language in which the rules are said for a reader: theirs where the product's pages speak it, else English."""
    return language if language in CATALOGUES else "en"


class SpanShown(Shown):
    """Minutes since midnight, the end outside."""

    start: int
    end: int


class BandShown(SpanShown):
    """What happens to a message that a family writes then."""

    outcome: Outcome


class DayShown(Shown):
    """One weekday of an ordinary school week."""

    weekday: str
    staff: list[SpanShown]
    access: list[SpanShown]
    rings: list[SpanShown]
    lessons: list[SpanShown]
    answers: list[SpanShown]
    families: list[BandShown]

    @classmethod
    def of(cls, day: DrawnDay) -> Self:
        return cls(
            weekday=day.weekday, staff=_spans(day.staff), access=_spans(day.access), rings=_spans(day.rings),
            lessons=_spans(day.lessons), answers=_spans(day.answers),
            families=[BandShown(start=start, end=end, outcome=outcome) for start, end, outcome in day.families],
        )  # fmt: skip


def _spans(spans: Spans) -> list[SpanShown]:
    return [SpanShown(start=start, end=end) for start, end in spans]


class SectionShown(Shown):
    """Sentences about one thing; `key` is stable, `heading` is in the language of the sentences."""

    key: str
    heading: str
    sentences: list[str]


class MeaningShown(Shown):
    """What a policy means: sentences in `language`, as `spoken` gives it, and the week."""

    language: str
    sections: list[SectionShown]
    week: list[DayShown]
    zone: str

    @classmethod
    def of(cls, rules: SchoolRules, language: str) -> Self:
        tag = spoken(language)
        sections: dict[str, list[str]] = {}
        for sentence, text in describe(rules, tag):
            sections.setdefault(sentence.section, []).append(text)
        headings = CATALOGUES[tag].sections
        return cls(
            language=tag,
            sections=[SectionShown(key=key, heading=headings[key], sentences=texts) for key, texts in sections.items()],
            week=[DayShown.of(day) for day in drawn_week(rules)],
            zone=rules.policy.calendar.zone,
        )


class VersionShown(Shown):
    """One version without its text. `author` is null for the founding and for operators."""

    number: int
    author: UUID | None
    author_name: str | None
    author_role: str
    reason: str
    made_at: datetime
    counts_from: datetime


class ChangeShown(Shown):
    """One setting that differs; null where it is absent."""

    path: str
    about: str
    before: str | None
    after: str | None

    @classmethod
    def all_of(cls, changes: Sequence[Change], language: str) -> list[Self]:
        return [
            cls(
                path=said(one.path, language), about=said(one.about, language), before=in_words(one.was, language),
                after=in_words(one.is_, language),
            )
            for one in changes
        ]  # fmt: skip


class FaultShown(Shown):
    """One mistake of a draft: where, what, and what would be right."""

    path: str
    problem: str
    right: str
    line: int | None

    @classmethod
    def all_of(cls, faults: Sequence[Fault], language: str) -> list[Self]:
        return [
            cls(
                path=said(one.path, language), problem=said(one.problem, language), right=said(one.right, language),
                line=one.line,
            )
            for one in faults
        ]  # fmt: skip


class ReviewShown(Shown):
    """When the rules are looked at again; shown to leaders when near or past (POL-2)."""

    state: Literal["far", "near", "past"]
    next: date


class PolicyShown(Shown):
    """The rules that count now. `document` and `data` are for leaders alone and null for others."""

    version: VersionShown
    meaning: MeaningShown
    waiting: list[VersionShown]
    newest: int
    """The number of the newest version, waiting ones too; the ETag."""
    document: str | None
    data: dict[str, Any] | None
    review: ReviewShown | None


class VersionInFull(Shown):
    """One version with its text, and what it changed against the one before, in words of `language`."""

    language: str
    version: VersionShown
    document: str
    data: dict[str, Any]
    changes: list[ChangeShown]


class Versions(Shown):
    """Newest first; `next` is the cursor of the page after, null on the last."""

    items: list[VersionShown]
    next: str | None


class DraftShown(Shown):
    """What a draft would mean: its mistakes, or else its difference against the rules that count now, and its meaning; all of it in words
    of `language`."""

    language: str
    faults: list[FaultShown]
    changes: list[ChangeShown]
    meaning: MeaningShown | None
    document: str | None
    data: dict[str, Any] | None


class WhyShown(Shown):
    """One reason for programs that have words of their own: a code that never changes its meaning, and what it speaks of."""

    code: ReasonCode
    at: datetime | None
    """Until when, or when again, or by when: the code says which."""
    roles: list[str]
    network: str | None

    @classmethod
    def of(cls, reason: Reason) -> Self:
        about = reason.parameters
        instants = (about[name] for name in ("until", "opens", "by") if name in about)
        roles = about.get("roles", about.get("role", ()))
        network = about.get("network")
        return cls(
            code=reason.code,
            at=next((one for one in instants if isinstance(one, datetime)), None),
            roles=list(roles) if isinstance(roles, tuple) else [str(roles)],
            network=str(network) if network is not None else None,
        )


class AnswerShown(Shown):
    """One question with its answer, `yes`, `no` or what becomes of a message, and why."""

    question: str
    answer: str
    words: str
    reasons: list[WhyShown]

    @classmethod
    def all_of(cls, said: Sequence[Explained]) -> list[Self]:
        return [
            cls(
                question=one.question,
                answer=one.answer,
                words=one.words,
                reasons=[WhyShown.of(why) for why in one.reasons],
            )
            for one in said
        ]


class ExplainedShown(Shown):
    """What the rules say to one person at one instant; words in `language`."""

    at: datetime
    person: UUID
    role: str
    language: str
    answers: list[AnswerShown]

    @classmethod
    def of(cls, said: Sequence[Explained], *, at: datetime, person: UUID, role: str, language: str) -> Self:
        return cls(at=at, person=person, role=role, language=language, answers=AnswerShown.all_of(said))
