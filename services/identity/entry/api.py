"""The door beside the closed one; like a token it is asked for with the cookie, because no token is given outside hours."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from bookbag.chassis.http import Body, Shown, Text, runtime_of
from bookbag.school.roles import Role
from services.identity.accounts.api import FROM_OUR_PAGES, Refresh
from services.identity.entry import actions

router = APIRouter(dependencies=[FROM_OUR_PAGES])


class GlassToBreak(Body):
    """Who comes in, and why; the reason is kept in the school's record."""

    person: UUID
    role: Role
    reason: Annotated[Text, Field(min_length=10, max_length=500)]


class GlassBroken(Shown):
    """Until when one may stay."""

    until: datetime


@router.post("/break-glass", status_code=201)
async def break_glass(given: GlassToBreak, request: Request, refresh: Refresh = None) -> GlassBroken:
    """POL-4. With the cookie. Come in outside hours or places for a reason, which goes on the record that leaders read.

    401 `signed-out`, 403 `forbidden` where the policy gives the role no such way, 404 not one's own membership.
    """
    until = await actions.break_glass(
        runtime_of(request), refresh, person=given.person, role=given.role, reason=given.reason
    )
    return GlassBroken(until=until)
