"""When an acceptance counts: it names the text that is due now, and a pupil's carries a name and today's date; no I/O."""

from dataclasses import dataclass
from datetime import date, datetime

from bookbag.school.policy.document.conduct import Agreement
from bookbag.school.policy.rules import TermsDue


class TermsChanged(Exception):
    """What somebody accepts is not, or no longer, the text that is due: they must read the present one."""


class SignatureMissing(Exception):
    """This agreement is made with a name and today's date."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What somebody wrote under an agreement; the date is a day of the school's zone."""

    name: str
    day: date


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One acceptance as it is kept."""

    version: str
    language: str
    digest: str
    signature: Signature | None
    at: datetime


def accepted(
    due: TermsDue | None, *, version: str, digest: str, signature: Signature | None, today: date, at: datetime
) -> Acceptance:
    """The acceptance to keep. Raises TermsChanged unless version and digest are those of the text that is due, SignatureMissing."""
    if due is None or (due.version, due.digest) != (version, digest):
        raise TermsChanged
    if due.agreement is Agreement.ACCEPT:
        return Acceptance(due.version, due.language, due.digest, None, at)
    if signature is None or not signature.name.strip():
        raise SignatureMissing("name: this agreement is made with your name and today's date")
    if signature.day != today:
        raise SignatureMissing(f"date: today is {today.isoformat()}")
    return Acceptance(due.version, due.language, due.digest, Signature(signature.name.strip(), signature.day), at)
