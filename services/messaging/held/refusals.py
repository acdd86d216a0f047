"""How the school's rules refuse a message, in words and with what a client needs to say when or why."""

from datetime import UTC

from bookbag.chassis.problems import Problem, ProblemKind
from bookbag.school.policy.rules import SchoolRules, Sending
from bookbag.school.roles import Role, SeatKind
from services.messaging.held.model import codes, talks

NO_LONGER_HELD = ProblemKind("no-longer-held", 409, "The message has been sent meanwhile and can be read by now.")
QUIET_HOURS = ProblemKind(
    "quiet-hours",
    403,
    "The school takes no messages at this hour. Keep what you wrote and send it later; `opens` says when.",
)
NO_CONVERSATION = ProblemKind(
    "no-conversation", 403, "The school's rules do not let you begin this conversation. `reason` says which rule."
)


def refusal(sending: Sending) -> Problem:
    """The Problem `quiet-hours` of a message that is not taken now; `opens` is missing where the calendar knows no opening."""
    extra = {"reasons": " ".join(codes(sending))}
    if sending.opens is not None:
        extra["opens"] = sending.opens.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Problem(QUIET_HOURS, extra=extra)


def refuse_beginning(rules: SchoolRules, role: Role, kind: str) -> None:
    """Raise the Problem `no-conversation` unless somebody in this role may begin with this kind of seat."""
    allowed, seat = talks(rules, role), SeatKind(kind)
    if seat not in allowed.begins:
        raise Problem(NO_CONVERSATION, extra={"reason": str(allowed.reason(seat, rules, role).code)})
