"""Routes of the office and the leaders; a person or link of another school is answered like one that does not exist."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from bookbag.chassis.http import Body, Text
from bookbag.directory.http import SIGNED_IN, CallHere
from services.identity.office import actions

router = APIRouter(dependencies=[SIGNED_IN])

Reason = Annotated[Text, Field(min_length=1, max_length=500)]


class GivenReason(Body):
    """Why; kept in the school's record."""

    reason: Reason


@router.post("/guardianships/{guardianship}/end", status_code=204)
async def end_guardianship(guardianship: UUID, given: GivenReason, call: CallHere) -> None:
    """The adult loses this child everywhere within five seconds. Office and leaders. 404 not of this school. May be repeated."""
    await actions.end_guardianship(call, guardianship, given.reason)
