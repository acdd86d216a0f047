"""Routes of the terms: open to members who have not accepted them yet, for who should accept must be able to read."""

from datetime import date
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from bookbag.chassis.http import Body, Shown, Text
from bookbag.directory.http import SIGNED_IN, CallBeforeTermsHere
from services.identity.terms import actions
from services.identity.terms.model import Signature

router = APIRouter(prefix="/terms", dependencies=[SIGNED_IN])


class TermsText(Shown):
    """A text to accept. `digest` stands for version, language and exactly these words."""

    version: str
    language: str
    text: str
    agreement: Literal["accept", "name_and_date"]
    digest: str
    accepted: bool

    @classmethod
    def of(cls, terms: actions.Terms) -> Self:
        due = terms.due
        return cls(
            version=due.version, language=due.language, text=due.text, agreement=due.agreement.value,
            digest=due.digest, accepted=terms.accepted,
        )  # fmt: skip


class TermsShown(Shown):
    """What the member's role must accept; `due` is null for a role without terms."""

    due: TermsText | None


class GivenSignature(Body):
    """Name and today's date, as a pupil writes them under an agreement."""

    name: Annotated[Text, Field(min_length=1, max_length=120)]
    date: date


class GivenAcceptance(Body):
    """Which text is accepted, as it was shown."""

    version: Annotated[Text, Field(min_length=1, max_length=200)]
    language: Annotated[Text, Field(min_length=2, max_length=35)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signature: GivenSignature | None = None


@router.get("")
async def read_terms(
    call: CallBeforeTermsHere,
    language: Annotated[Text | None, Query(min_length=2, max_length=35, description="Left out: the reader's.")] = None,
) -> TermsShown:
    """POL-11. The text for the role of the token, whether accepted or not."""
    terms = await actions.read_terms(call, language)
    return TermsShown(due=TermsText.of(terms) if terms else None)


@router.post("/acceptances", status_code=204)
async def accept_terms(given: GivenAcceptance, call: CallBeforeTermsHere) -> None:
    """POL-11. From the next token on all doors are open. 409 `terms-changed` for any other text; may be repeated."""
    signature = Signature(given.signature.name, given.signature.date) if given.signature else None
    await actions.accept_terms(
        call, version=given.version, language=given.language, digest=given.digest, signature=signature
    )
