"""All decisions about one person at one instant with their reasons: what `bookbag policy explain` and "why can't I?" show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bookbag.school.policy.preview.say import say
from bookbag.school.policy.rules import Outcome, Person, Reason, may_enter, may_ring, may_send, on_duty
from bookbag.school.policy.rules.compiled import Address


@dataclass(frozen=True, slots=True)
class Explained:
    """One question with its answer: `answer` is a stable code, `words` its reasons in the language asked for."""

    question: str
    answer: str
    reasons: tuple[Reason, ...]
    words: str


def explain(person: Person, at: datetime, language: str, *, address: Address | None = None) -> Sequence[Explained]:
    """Duty, access, sending, sending about safety, and ringing, by the same functions that decide."""
    duty, entry, ring = on_duty(person, at), may_enter(person, at, address), may_ring(person, at)
    sending, safe = may_send(person, at), may_send(person, at, about_safety=True)
    answers: list[tuple[str, str, tuple[Reason, ...]]] = [
        ("on_duty", "yes" if duty.on else "no", duty.reasons),
        ("may_enter", "yes" if entry.allowed else "no", entry.reasons),
        ("may_send", str(sending.outcome), sending.reasons),
        ("may_send_about_safety", str(safe.outcome), safe.reasons),
        ("may_ring", "yes" if ring.now else "no", ring.reasons),
    ]
    if not person.is_staff:
        answers = [one for one in answers if one[0] not in {"on_duty", "may_ring"}]
    zone = person.rules.zone
    return [
        Explained(question, answer, reasons, " ".join(say(one, language, zone=zone, now=at) for one in reasons))
        for question, answer, reasons in answers
        if not (question == "may_send_about_safety" and sending.outcome is Outcome.NOW)
    ]
