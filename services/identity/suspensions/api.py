"""Routes of leaders about suspended guardians; a person of another school is answered like one that does not exist."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from bookbag.chassis.http import Body, Shown, Text
from bookbag.directory.http import SIGNED_IN, CallHere
from services.identity.suspensions import actions

router = APIRouter(dependencies=[SIGNED_IN])

MOST = 200
"""Suspensions, or guardians, in one answer."""


class GivenSuspension(Body):
    """Why, kept in the school's record, and until when; without an end a leader ends it."""

    reason: Annotated[Text, Field(min_length=1, max_length=500)]
    until: AwareDatetime | None = None


class SuspensionShown(Shown):
    """One suspension. `ended_at` is null while it lasts; `ended_by` is null for one that ended by itself."""

    id: UUID
    person: UUID
    name: str
    reason: str
    author: UUID | None
    author_name: str | None
    began_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by: UUID | None


class Suspensions(Shown):
    """Those that last first, then the newest; at most 200."""

    items: list[SuspensionShown]


class GuardianShown(Shown):
    """A guardian, with the first names of their children."""

    person: UUID
    name: str
    children: list[str]
    suspended: bool


class Guardians(Shown):
    """By name; at most 200."""

    items: list[GuardianShown]


@router.post("/people/{person}/suspension", status_code=204)
async def suspend_guardian(person: UUID, given: GivenSuspension, call: CallHere) -> None:
    """ID-11. Leaders. Suspends the guardian's role of a person, no other role they have; repeated, it changes reason and end.

    404 no guardian here, 422 an end that is over.
    """
    await actions.suspend_guardian(call, person, reason=given.reason, until=given.until)


@router.delete("/people/{person}/suspension", status_code=204)
async def reinstate_guardian(person: UUID, call: CallHere) -> None:
    """ID-11. Leaders. Lets a suspended guardian back in; they sign in again. 404 no guardian here. May be repeated."""
    await actions.reinstate_guardian(call, person)


@router.get("/suspensions")
async def list_suspensions(call: CallHere) -> Suspensions:
    """ID-11. Leaders. Who is suspended, why, by whom and until when, and who was."""
    found = await actions.suspensions(call, MOST)
    return Suspensions(items=[SuspensionShown.model_validate(one) for one in found])


@router.get("/guardians")
async def list_guardians(
    call: CallHere,
    text: Annotated[Text, Query(max_length=120, description="Part of a guardian's name, or of a child's.")] = "",
) -> Guardians:
    """ID-11. Leaders. Whom one can suspend."""
    found = await actions.guardians(call, text.strip(), MOST)
    return Guardians(items=[GuardianShown.model_validate(one) for one in found])
