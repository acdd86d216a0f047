"""Routes of the school's policy: read by staff, written by leaders, explained to everybody."""

import json
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime, Field, model_validator

from bookbag.chassis.http import Body, Text
from bookbag.chassis.problems import Problem, ProblemKind
from bookbag.directory.call import Call
from bookbag.directory.http import SIGNED_IN, CallHere
from bookbag.school.policy.parse import as_data
from bookbag.school.roles import Role
from services.identity.policy import editing
from services.identity.policy.drafts import DraftRefused
from services.identity.policy.shown import (
    ChangeShown,
    DraftShown,
    ExplainedShown,
    FaultShown,
    MeaningShown,
    PolicyShown,
    ReviewShown,
    VersionInFull,
    Versions,
    VersionShown,
    spoken,
)
from services.identity.profile.api import version_of

POLICY_REFUSED = ProblemKind(
    "policy-refused", 422, "The rules hold a mistake and were not saved; the detail names it and what would be right."
)

router = APIRouter(prefix="/policy", dependencies=[SIGNED_IN])

LARGEST = 60_000
"""Characters of a document over HTTP, within what a request may be; the five presets have at most 13,000."""

PAGE = 50

Number = Annotated[int, Path(ge=1, le=1_000_000)]
Cursor = Annotated[str | None, Query(max_length=7, pattern="^[0-9]+$", description="`next` of the page before.")]


class GivenDraft(Body):
    """A policy as YAML or as data, whichever was edited."""

    document: Annotated[Text | None, Field(max_length=LARGEST)] = None
    data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def one_form(self) -> Self:
        """Which of two would count could not be told."""
        if (self.document is None) == (self.data is None):
            raise ValueError("give either document or data")
        return self


class GivenVersion(GivenDraft):
    """A draft to be kept, why, and from when it counts; left out: now."""

    reason: Annotated[Text, Field(min_length=1, max_length=400)]
    counts_from: AwareDatetime | None = None


@router.get("")
async def read_policy(call: CallHere, response: Response) -> PolicyShown:
    """POL-2. Staff, in words; leaders with YAML and data. The ETag is the newest version's number. 403 for families and pupils."""
    found = await editing.read_policy(call)
    response.headers["etag"] = f'"{found.newest}"'
    text = found.text
    return PolicyShown(
        version=VersionShown.model_validate(found.version),
        meaning=MeaningShown.of(found.rules, await editing.language_of(call)),
        waiting=[VersionShown.model_validate(one) for one in found.waiting],
        newest=found.newest,
        document=text.document if text else None,
        data=json.loads(text.data) if text else None,
        review=ReviewShown(state=found.review.value, next=found.rules.policy.review.next) if found.review else None,
    )


@router.get("/versions")
async def list_versions(
    call: CallHere, limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE, cursor: Cursor = None
) -> Versions:
    """POL-2. Leaders. Who changed the rules, when, why, and from when each version counts."""
    found = await editing.list_versions(call, limit=limit, before=int(cursor) if cursor else None)
    return Versions(
        items=[VersionShown.model_validate(one) for one in found[:limit]],
        next=str(found[limit - 1].number) if len(found) > limit else None,
    )


@router.get("/versions/{number}")
async def read_version(number: Number, call: CallHere) -> VersionInFull:
    """POL-2. Leaders. 404 no such version."""
    return await _in_full(call, await editing.read_version(call, number))


@router.get("/at")
async def read_version_at(
    call: CallHere,
    instant: Annotated[AwareDatetime | None, Query(description="RFC 3339, past or future; left out: now.")] = None,
) -> VersionInFull:
    """POL-2. Leaders. Which rules held at an instant, or will. 404 before the school was founded."""
    return await _in_full(call, await editing.read_version_at(call, instant or call.now))


@router.post("/check")
async def check_draft(given: GivenDraft, call: CallHere) -> DraftShown:
    """POL-2. Leaders. Every mistake of a draft, or its difference and what it means. Changes nothing."""
    found = await editing.check_draft(call, given.document, given.data)
    draft, language = found.draft, spoken(await editing.language_of(call))
    return DraftShown(
        language=language,
        faults=FaultShown.all_of(found.faults, language),
        changes=ChangeShown.all_of(found.changes, language),
        meaning=MeaningShown.of(draft.rules, language) if draft else None,
        document=draft.document if draft else None,
        data=as_data(draft.policy) if draft else None,
    )


@router.post("/versions", status_code=201)
async def save_version(
    given: GivenVersion,
    call: CallHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100, description="The ETag read last.")] = None,
) -> VersionShown:
    """POL-2. Leaders. Obeyed everywhere within five seconds. 412 somebody saved meanwhile, 422 `policy-refused` with the first
    mistake, 409 `nothing-differs`, 428 without If-Match."""
    try:
        saved = await editing.save_version(
            call, given.document, given.data, reason=given.reason, counts_from=given.counts_from,
            newest=version_of(if_match),
        )  # fmt: skip
    except DraftRefused as refused:
        raise refusal(refused) from refused
    response.headers["etag"] = f'"{saved.number}"'
    return VersionShown.model_validate(saved)


@router.get("/explain")
async def explain(
    call: CallHere,
    instant: Annotated[AwareDatetime | None, Query(description="RFC 3339; left out: now.")] = None,
    person: Annotated[UUID | None, Query(description="Leaders: somebody else of the school.")] = None,
    role: Annotated[Role | None, Query(description="The role asked about; left out: the caller's own.")] = None,
) -> ExplainedShown:
    """POL-3, POL-5. Everybody about themselves, leaders about anybody: at work, may come in, may write, does the phone ring, and
    why. 404 nobody of this school in this role."""
    at, language = instant or call.now, spoken(await editing.language_of(call))
    said = await editing.explained(call, at, language, person, role)
    return ExplainedShown.of(
        said, at=at, person=person or call.member.person, role=role or call.member.role, language=language
    )


def refusal(refused: DraftRefused) -> Problem:
    """The first mistake, with its path, and how many there are."""
    first = refused.faults[0]
    detail = f"{first.path}: {first.problem}. {first.right}"
    return Problem(POLICY_REFUSED, detail, extra={"field": first.path, "faults": len(refused.faults)})


async def _in_full(call: Call, found: editing.InFull) -> VersionInFull:
    language = spoken(await editing.language_of(call))
    return VersionInFull(
        language=language,
        version=VersionShown.model_validate(found.version),
        document=found.text.document,
        data=json.loads(found.text.data),
        changes=ChangeShown.all_of(found.changes, language),
    )
