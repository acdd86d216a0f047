"""A leader's draft of the policy: read from YAML or from data, and held against the school it is for; no I/O."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bookbag.school.policy.checks import walk
from bookbag.school.policy.document import Policy
from bookbag.school.policy.document.conduct import TermsText
from bookbag.school.policy.faults import THE_DOCUMENT, Fault, PolicyRefused
from bookbag.school.policy.parse import as_data, checked, parse
from bookbag.school.policy.phrases import phrase
from bookbag.school.policy.rewriting import rewritten
from bookbag.school.policy.rules import SchoolRules
from bookbag.school.policy.writing import written


class DraftRefused(Exception):
    """What a leader wanted to save holds a mistake; `faults` has every one of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        super().__init__(str(faults[0]))


class NothingDiffers(Exception):
    """A version that says the same as the one that counts would only be noise in the history."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy without a fault, and the YAML it will be kept as."""

    rules: SchoolRules
    document: str

    @property
    def policy(self) -> Policy:
        return self.rules.policy


def read_draft(document: str | None, data: Mapping[str, Any] | None, *, base: str | None = None) -> Draft:
    """From YAML, which is kept as it was written, or from data, which is written into the document `base` that it changes, notes and all.
    Raises PolicyRefused with every fault."""
    if document is not None:
        policy = parse(document)
        _refuse_unprintable(policy)
        return Draft(SchoolRules(policy), document)
    policy = checked(data)
    _refuse_unprintable(policy)
    return Draft(SchoolRules(policy), rewritten(base, policy) if base is not None else written(policy))


def refuse_unfit(draft: Draft, current: Policy, *, zone: str) -> None:
    """Raise PolicyRefused where a draft, right in itself, cannot follow the policy that counts now."""
    faults = [*_zone(draft.policy, zone), *_terms(draft.policy, current)]
    if faults:
        raise PolicyRefused(faults)


def _zone(policy: Policy, zone: str) -> Iterator[Fault]:
    if policy.calendar.zone != zone:
        yield Fault(
            "calendar.zone", phrase("the school's clocks are in {zone}", zone=zone), phrase("Write {it}.", it=zone)
        )


def _terms(new: Policy, current: Policy) -> Iterator[Fault]:
    """Who accepted a version accepted its words: other words need another version, which asks everybody again (POL-11)."""
    for name in ("guardians", "staff", "pupils"):
        before: TermsText | None = getattr(current.terms, name)
        after: TermsText | None = getattr(new.terms, name)
        if before is None or after is None or before.version != after.version:
            continue
        same = all(before.text[tag] == after.text[tag] for tag in set(before.text) & set(after.text))
        if not same or before.agreement is not after.agreement:
            yield Fault(
                f"terms.{name}.version",
                phrase("people have accepted the words of {version!r}, and they differ now", version=before.version),
                phrase("Give the new words a new version; everybody is then asked again."),
            )


def _refuse_unprintable(policy: Policy) -> None:
    """Characters that no page shows and no database keeps."""
    if any(_unseen(character) for text in _texts(as_data(policy)) for character in text):
        unseen = phrase("it holds characters that cannot be shown")
        raise PolicyRefused([Fault(THE_DOCUMENT, unseen, phrase("Write the words anew by hand."))])


def _unseen(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cs"}


def _texts(data: Any) -> Iterator[str]:
    return (str(value) for _, value in walk(data) if isinstance(value, str))
