"""Who may begin and answer conversations (MSG-13, MSG-4), where matters lead (POL-9), guardians (POL-8), terms (POL-11), conduct, review."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256

from bookbag.school.policy.document.conduct import Agreement, StepKind, TermsText
from bookbag.school.policy.document.families import CodesFor, More
from bookbag.school.policy.document.messages import ClassInbox, Instead, Matter, StandsIn, Talk
from bookbag.school.policy.rules.compiled import SchoolRules
from bookbag.school.policy.rules.reasons import Reason, ReasonCode, because
from bookbag.school.roles import SEAT_ROLES, STAFF, Role, SeatKind


@dataclass(frozen=True, slots=True)
class Beginning:
    """Whether somebody may begin, or answer, and why."""

    allowed: bool
    reason: Reason


_NO = Beginning(False, because(ReasonCode.NO_CONVERSATION))


def may_begin(rules: SchoolRules, starter: Role, other: Role, *, own_class: bool) -> Beginning:
    """Whether `starter` may open a conversation with `other` (MSG-13).

    `own_class`: the member of staff belongs to the class of the child it is about. Families never write to families, and
    nobody to or from pupils (MSG-11), whatever the policy says.
    """
    if starter is Role.PUPIL or other is Role.PUPIL or (starter is Role.GUARDIAN and other is Role.GUARDIAN):
        return _NO
    matrix = rules.policy.messages.conversations
    if starter in STAFF and other in STAFF:
        talk = matrix.staff_with_staff
    else:
        talk = getattr(matrix.families_with, str(other if starter is Role.GUARDIAN else starter))
    match talk:
        case Talk.ANY:
            return Beginning(True, because(ReasonCode.EITHER_BEGINS))
        case Talk.STAFF_FIRST:
            return Beginning(starter in STAFF, because(ReasonCode.STAFF_BEGIN))
        case Talk.CLASS_TEACHERS_ONLY:
            return Beginning(own_class, because(ReasonCode.CLASS_TEACHERS_ONLY))
        case _:
            return _NO


def seat_role(seat: SeatKind) -> Role:
    """The role by which the matrix speaks of a seat that families write to."""
    return next(iter(SEAT_ROLES[seat]))


def may_answer(rules: SchoolRules, role: Role, seat: SeatKind, *, teacher_absent: bool) -> Beginning:
    """Whether somebody of the class's team in this role may answer from this seat (MSG-4, ID-7).

    The caller has checked that they belong to the seat or to its class. An assistant's answer says who wrote it.
    """
    if role in SEAT_ROLES[seat]:
        return Beginning(True, because(ReasonCode.ANSWERS_OWN_SEAT))
    if seat is not SeatKind.CLASS_TEACHER or role is not Role.ASSISTANT:
        return Beginning(False, because(ReasonCode.ANSWERS_NOT_HERE))
    messages = rules.policy.messages
    if messages.class_inbox is ClassInbox.SHARED:
        return Beginning(True, because(ReasonCode.ANSWERS_SHARED_INBOX))
    match messages.stand_in:
        case StandsIn.ALWAYS:
            return Beginning(True, because(ReasonCode.STANDS_IN))
        case StandsIn.TEACHER_ABSENT:
            code = ReasonCode.STANDS_IN if teacher_absent else ReasonCode.STANDS_IN_ONLY_WHEN_ABSENT
            return Beginning(teacher_absent, because(code))
        case StandsIn.NEVER:
            return Beginning(False, because(ReasonCode.ANSWERS_NOT_HERE))


@dataclass(frozen=True, slots=True)
class Signposted:
    """Where one matter leads: `instead` MESSAGE means that it may go by message. `words` are by language."""

    matter: Matter
    instead: Instead
    number: str
    inbox: str | None
    words: Mapping[str, str]
    passed_on: bool
    standard_answer: Mapping[str, str] | None


def signpost(rules: SchoolRules, matter: Matter) -> Signposted:
    """What the school offers instead of a message about this matter; a concern about safety still passes when marked so."""
    office, signposting = rules.policy.school.office, rules.policy.signposting
    found = signposting.matters.get(matter)
    if found is None:
        return Signposted(matter, Instead.MESSAGE, office.number, office.inbox, {}, False, None)
    answer = signposting.standard_answer if found.passed_on else None
    return Signposted(
        matter, found.instead, found.number or office.number, found.inbox or office.inbox, found.words, found.passed_on, answer
    )  # fmt: skip


class PlaceOutcome(StrEnum):
    """What becomes of one more guardian of a child."""

    FREE = "free"
    ON_REQUEST = "on_request"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class GuardianPlace:
    """Whether one more guardian can be connected; on request, who approves."""

    outcome: PlaceOutcome
    approved_by: tuple[Role, ...]
    reason: Reason


def place_for_guardian(rules: SchoolRules, *, connected: int, parent_or_guardian: bool) -> GuardianPlace:
    """Decide one more guardian for a child who has `connected` of them (POL-8, INV-4)."""
    rule = rules.policy.guardians
    if rule.codes_for is CodesFor.PARENTS_AND_GUARDIANS and not parent_or_guardian:
        return GuardianPlace(PlaceOutcome.DECLINED, (), because(ReasonCode.NOT_A_GUARDIAN))
    if connected < rule.per_child:
        return GuardianPlace(PlaceOutcome.FREE, (), because(ReasonCode.PLACE_FREE, per_child=rule.per_child))
    if rule.more is More.NEVER:
        return GuardianPlace(PlaceOutcome.DECLINED, (), because(ReasonCode.PLACES_TAKEN, per_child=rule.per_child))
    approvers = tuple(str(role) for role in rule.approved_by)
    reason = because(ReasonCode.PLACE_ON_REQUEST, per_child=rule.per_child, approved_by=approvers)
    return GuardianPlace(PlaceOutcome.ON_REQUEST, rule.approved_by, reason)


@dataclass(frozen=True, slots=True)
class TermsDue:
    """The terms of one role in one language, and the digest that an acceptance keeps."""

    version: str
    language: str
    text: str
    agreement: Agreement
    digest: str


def terms_for(rules: SchoolRules, role: Role, language: str) -> TermsDue | None:
    """What somebody in this role must have accepted (POL-11); None for pupils of a school without terms for them.

    Whoever accepted another `version` is asked again.
    """
    found = _terms_of(rules, role)
    if found is None:
        return None
    shown = language if language in found.text else rules.policy.school.languages[0]
    text = found.text[shown]
    return TermsDue(found.version, shown, text, found.agreement, digest_of(found.version, shown, text))


def terms_version(rules: SchoolRules, role: Role) -> str | None:
    """The version of the terms that somebody in this role must have accepted; None where there are none."""
    found = _terms_of(rules, role)
    return found.version if found is not None else None


def _terms_of(rules: SchoolRules, role: Role) -> TermsText | None:
    terms = rules.policy.terms
    return terms.guardians if role is Role.GUARDIAN else terms.pupils if role is Role.PUPIL else terms.staff


def digest_of(version: str, language: str, text: str) -> str:
    """SHA-256, in hex, of exactly what was accepted."""
    return sha256("\0".join((version, language, text)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Rung:
    """The next step of the conduct ladder and who decides it; `again` when the ladder has no further one."""

    step: StepKind
    decided_by: tuple[Role, ...]
    again: bool


def next_step(rules: SchoolRules, taken: Sequence[StepKind]) -> Rung | None:
    """The step that follows those already taken against one person (POL-10); None in a school without a ladder."""
    ladder = rules.policy.conduct.ladder
    if not ladder:
        return None
    order = list(StepKind)
    highest = max((order.index(step) for step in taken), default=-1)
    for rung in ladder:
        if order.index(rung.step) > highest:
            return Rung(rung.step, rung.decided_by, again=False)
    return Rung(ladder[-1].step, ladder[-1].decided_by, again=True)


class ReviewState(StrEnum):
    """Where the yearly review stands (POL-2)."""

    FAR = "far"
    NEAR = "near"
    PAST = "past"


def review_state(rules: SchoolRules, today: date) -> ReviewState:
    """Whether leaders are reminded of the review; `today` is the date in the school's zone."""
    review = rules.policy.review
    if today > review.next:
        return ReviewState.PAST
    return ReviewState.NEAR if today >= review.next - timedelta(days=review.shown_days_before) else ReviewState.FAR


def next_review(rules: SchoolRules, reviewed_on: date) -> date:
    """The date to propose after a review: as many months later as the policy says, the month's last day where it is shorter."""
    months = reviewed_on.month - 1 + rules.policy.review.every_months
    year, month = reviewed_on.year + months // 12, months % 12 + 1
    return date(year, month, min(reviewed_on.day, monthrange(year, month)[1]))
