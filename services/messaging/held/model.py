"""What a message becomes under the school's rules, and what its author is told of it; no I/O.

The decisions themselves are the kernel's (`may_send`, `may_begin`); here they become what is stored, shown and refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from bookbag.school.policy.document.messages import Instead, Matter
from bookbag.school.policy.rules import (
    Beginning,
    Outcome,
    Person,
    ReasonCode,
    SchoolRules,
    Sending,
    may_begin,
    may_send,
    seat_role,
    signpost,
)
from bookbag.school.policy.rules.reasons import Reason
from bookbag.school.roles import STAFF, Role, SeatKind
from services.messaging.model import MessageId, PersonId, Side, ThreadId

LOOK_AGAIN = timedelta(days=1)
"""When to look again at a message for which the calendar knows no opening."""


class HeldState(StrEnum):
    """Where an accepted message is. A stopped one is never released: its author had lost the right to the thread by its hour."""

    SENT = "sent"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits, or never left, as its author sees it."""

    id: MessageId
    thread: ThreadId
    place: int
    text: str
    language: str
    accepted_at: datetime
    state: HeldState
    visible_at: datetime | None
    answer_by: datetime | None
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is due to be looked at, with what decides about it."""

    id: MessageId
    thread: ThreadId
    author: PersonId
    side: Side
    role: Role
    language: str
    text: str
    may_still: bool
    """Whether its author stands and may still write in the thread."""
    trace: str | None


@dataclass(frozen=True, slots=True)
class Talks:
    """With which kinds of seat somebody may begin, and which they may only answer (MSG-13)."""

    begins: frozenset[SeatKind]
    answers: frozenset[SeatKind]

    def reason(self, kind: SeatKind, rules: SchoolRules, role: Role) -> Reason:
        """Why, for one kind of seat."""
        return _beginning(rules, role, kind).reason


@dataclass(frozen=True, slots=True)
class Safety:
    """What somebody who writes about a child's safety is told at once (MSG-15)."""

    words: str
    number: str


@dataclass(frozen=True, slots=True)
class Urgent:
    """What the school offers families for what cannot wait (MSG-6, POL-9): its words, and the number, empty when it is not a call."""

    words: str
    number: str


@dataclass(frozen=True, slots=True)
class Composing:
    """What would become of a message written now, said before one writes. `urgent` is None for staff, and where the school lets
    what is urgent go by message."""

    sending: Sending
    safety: Safety
    urgent: Urgent | None


_IN_A_CLASS = frozenset({SeatKind.CLASS_TEACHER, SeatKind.SPECIALIST})
"""Seats that belong to a class; one reaches those of a child's own classes alone."""


def alerts_of(rules: SchoolRules, about_safety: bool) -> tuple[str, ...] | None:
    """The roles told at once of a message about safety; None for any other."""
    return tuple(str(role) for role in rules.policy.safety.alerts) if about_safety else None


def codes(sending: Sending) -> list[str]:
    """The reasons of a decision as stable codes."""
    return [str(reason.code) for reason in sending.reasons]


def talks(rules: SchoolRules, role: Role) -> Talks:
    """Whom somebody in this role may write to, by the school's matrix."""
    return _talks(rules, role)


@lru_cache(maxsize=4096)
def _talks(rules: SchoolRules, role: Role) -> Talks:
    found = {kind: _beginning(rules, role, kind) for kind in SeatKind}
    answering = {kind for kind, one in found.items() if not one.allowed and one.reason.code is ReasonCode.STAFF_BEGIN}
    return Talks(frozenset(kind for kind, one in found.items() if one.allowed), frozenset(answering))


def _beginning(rules: SchoolRules, role: Role, kind: SeatKind) -> Beginning:
    other = Role.GUARDIAN if role in STAFF else seat_role(kind)
    return may_begin(rules, role, other, own_class=kind in _IN_A_CLASS)


def safety_of(rules: SchoolRules, language: str) -> Safety:
    """The school's emergency words in a language, or in its own first one where it has none, and whom to call."""
    policy = rules.policy
    return Safety(_said(rules, policy.safety.words, language), policy.safety.number or policy.school.office.number)


def urgent_of(rules: SchoolRules, role: Role, language: str) -> Urgent | None:
    """Where a family turns with what cannot wait for an answer, said beside the composer; None where there is nothing to say."""
    if role is not Role.GUARDIAN:
        return None
    found = signpost(rules, Matter.URGENT)
    if found.instead is Instead.MESSAGE:
        return None
    calls = found.instead in {Instead.CALL_OFFICE, Instead.PHONE}
    return Urgent(_said(rules, found.words, language), found.number if calls else "")


def _said(rules: SchoolRules, words: Mapping[str, str], language: str) -> str:
    """The school's words in a language, or in its own first one where it has none."""
    return words.get(language) or words.get(language.partition("-")[0]) or words[rules.policy.school.languages[0]]


def composing(who: Person, at: datetime, *, kind: str, answering: bool, language: str) -> Composing:
    """What would become of a message to or from this kind of seat now. `answering`: the other side has written before."""
    rules, role = who.rules, who.role
    allowed = talks(rules, role)
    seat = SeatKind(kind) if kind in set(SeatKind) else None
    if seat is not None and seat not in allowed.begins and not (answering and seat in allowed.answers):
        sending = Sending(Outcome.REFUSED, None, None, None, (allowed.reason(seat, rules, role),))
    else:
        sending = may_send(who, at)
    return Composing(sending, safety_of(rules, language), urgent_of(rules, role, language))
