"""The parts of the document about conduct, terms, sharing, review and how long things are kept."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from bookbag.school.policy.document.fields import Between, LongWords, Roles, ShortText, StaffRole
from bookbag.school.roles import Role


class StepKind(StrEnum):
    """The rungs of the conduct ladder, lowest first (POL-10)."""

    REMINDER = "reminder"
    WARNING = "warning"
    SUSPENSION = "suspension"
    REMOVAL = "removal"


class Recorded(StrEnum):
    """What the record of a step keeps."""

    WHO = "who"
    WHAT = "what"
    REASON = "reason"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung."""

    step: Annotated[StepKind, "what is done"]
    decided_by: Annotated[tuple[StaffRole, ...], "who decides it", Between(1, 6)]
    recorded: Annotated[tuple[Recorded, ...], "what is recorded", Between(0, 4)] = (
        Recorded.WHO,
        Recorded.WHAT,
        Recorded.REASON,
        Recorded.EVIDENCE,
    )


class Reposting(StrEnum):
    """What follows when somebody shares outside what was shared inside."""

    ALLOWED = "allowed"
    REMINDER = "reminder"
    WARNING = "warning"
    SUSPENSION = "suspension"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What happens when somebody does not keep to the rules (POL-10)."""

    ladder: Annotated[tuple[Step, ...], "steps in rising order", Between(0, 4)]
    reported_to: Annotated[Roles, "who hears at once of an inappropriate message (MSG-8)"] = (Role.LEADER,)
    language_recorded: Annotated[bool, "inappropriate language is recorded, breaches apart"] = True
    concerns_to_safeguarding: Annotated[bool, "a concern becomes a record under the safeguarding policy (MSG-10)"] = (
        True
    )
    reposting: Annotated[Reposting, "what follows when a family shares outside what was shared inside"] = (
        Reposting.WARNING
    )


class Agreement(StrEnum):
    """How terms are accepted."""

    ACCEPT = "accept"
    NAME_AND_DATE = "name_and_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsText:
    """One role's terms. A new `version` asks everybody again."""

    version: Annotated[ShortText, "a name for this text, such as 2026-09"]
    text: Annotated[LongWords, "the text, by language"]
    agreement: Annotated[Agreement, "a tap, or name and date"] = Agreement.ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Acceptable-use terms per role (POL-11). Nobody gets past them without accepting."""

    guardians: Annotated[TermsText, "for guardians"]
    staff: Annotated[TermsText, "for everybody who works at the school"]
    pupils: Annotated[TermsText | None, "for pupils who sign in"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """When these rules are looked at again (POL-2)."""

    next: Annotated[date, "the next date"]
    every_months: Annotated[int, "how often", Between(1, 60)] = 12
    shown_days_before: Annotated[int, "how long before, leaders are shown the date", Between(1, 180)] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept (PRV-2). Awards have theirs under points."""

    messages_months: Annotated[int, "messages, after the child has left", Between(1, 600)] = 12
    unused_pupil_accounts_months: Annotated[int, "pupils' accounts that nobody uses", Between(1, 60)] = 12
    leavers_media_months: Annotated[int, "photos and work of pupils who have left", Between(1, 120)] = 12
    audit_months: Annotated[int, "the record of who read and changed what", Between(12, 600)] = 84
