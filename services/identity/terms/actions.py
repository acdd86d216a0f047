"""Reading the terms that are due and accepting them.

Acceptance reaches the other services in the next token: it names the version its holder has accepted, and every service compares
that with the version that is due (`bookbag.directory.terms`).
"""

from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.directory.call import Call
from bookbag.school.policy.document.conduct import Agreement
from bookbag.school.policy.rules import SchoolRules, TermsDue, terms_for
from bookbag.school.roles import Role
from services.identity.acts import Act
from services.identity.roster import store as roster
from services.identity.roster.model import Author, NotOnRoster
from services.identity.terms import model, store
from services.identity.terms.model import Acceptance, Signature


@dataclass(frozen=True, slots=True)
class Terms:
    """The text for a role and whether its reader has accepted this version."""

    due: TermsDue
    accepted: bool


async def read_terms(call: Call, language: str | None) -> Terms | None:
    """POL-11. In the language asked for, else the reader's, else the school's; None for a role without terms."""
    async with call.transaction() as tx:
        if language is None:
            person = await roster.person(tx, tx.person)
            if person is None:
                raise NotOnRoster("nobody")
            language = person.language
        due = terms_for(call.rules, call.member.role, language)
        if due is None:
            return None
        return Terms(due, await store.has_accepted(tx, tx.person, call.member.role, due.version))


async def accept_terms(call: Call, *, version: str, language: str, digest: str, signature: Signature | None) -> None:
    """POL-11. Keep who, when and the exact text. Raises TermsChanged, SignatureMissing; accepting twice changes nothing."""
    async with call.transaction() as tx:
        due = terms_for(call.rules, call.member.role, language)
        today = tx.now.astimezone(call.rules.zone).date()
        acceptance = model.accepted(due, version=version, digest=digest, signature=signature, today=today, at=tx.now)
        if await store.put_acceptance(tx, tx.person, call.member.role, acceptance):
            author = Author(tx.person, call.member.role)
            await roster.append_audit(tx, author, Act.TERMS_ACCEPTED, "person", tx.person, acceptance.version)


async def note_accepted(tx: Tx, rules: SchoolRules, person: UUID, role: Role, *, name: str) -> None:
    """Keep that somebody accepted the terms outside the product, such as on paper, in the school's own language."""
    due = terms_for(rules, role, rules.policy.school.languages[0])
    if due is not None:
        signed = due.agreement is Agreement.NAME_AND_DATE
        signature = Signature(name, tx.now.astimezone(rules.zone).date()) if signed else None
        acceptance = Acceptance(due.version, due.language, due.digest, signature, tx.now)
        await store.put_acceptance(tx, person, role, acceptance)
