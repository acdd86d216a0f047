"""The door that may be closed, and the one beside it; like a token both are asked for with the cookie, because no token is given
outside hours."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from bookbag.chassis.http import Body, Shown, Text, runtime_of
from bookbag.directory.http import address_of
from bookbag.school.roles import Role
from services.identity.accounts.api import FROM_OUR_PAGES, Refresh
from services.identity.entry import actions
from services.identity.policy.shown import AnswerShown

router = APIRouter(dependencies=[FROM_OUR_PAGES])


class GlassToBreak(Body):
    """Who comes in, and why; the reason is kept in the school's record."""

    person: UUID
    role: Role
    reason: Annotated[Text, Field(min_length=10, max_length=500)]


class GlassBroken(Shown):
    """Until when one may stay."""

    until: datetime


class DoorShown(Shown):
    """Whether one may come in now; else the code of the refusal, when the hours begin again, and for how long one may come in for a
    reason. `why` is what the rules say about one just now, `mark` stands for all but that."""

    at: datetime
    open: bool
    code: str | None
    opens: AwareDatetime | None
    break_glass_minutes: int | None
    why: list[AnswerShown]
    mark: str


@router.get("/entry")
async def look_at_door(
    person: UUID,
    role: Role,
    request: Request,
    response: Response,
    seen: Annotated[
        str | None,
        Query(max_length=32, description="`mark` of the answer before: this one then waits until it differs."),
    ] = None,
    refresh: Refresh = None,
) -> DoorShown:
    """POL-4. With the cookie. Whether one may come in, and why not; uses up nothing. With `seen` the answer comes once it is another
    one, after 25 seconds in any case. 401 `signed-out`, 403 `suspended`, 404 not one's own membership."""
    response.headers["cache-control"] = "no-store"
    door = await actions.door_of(
        runtime_of(request), refresh, person=person, role=role, address=address_of(request), seen=seen
    )
    told = door.refusal.extra if door.refusal else {}
    opens, minutes = told.get("opens"), told.get("break_glass_minutes")
    return DoorShown(
        at=door.at, open=door.refusal is None, code=door.refusal.kind.code if door.refusal else None,
        opens=datetime.fromisoformat(str(opens)) if opens else None,
        break_glass_minutes=int(minutes) if minutes else None, why=AnswerShown.all_of(door.why), mark=door.mark,
    )  # fmt: skip


@router.post("/break-glass", status_code=201)
async def break_glass(given: GlassToBreak, request: Request, refresh: Refresh = None) -> GlassBroken:
    """POL-4. With the cookie. Come in outside hours or places for a reason, which goes on the record that leaders read.

    401 `signed-out`, 403 `forbidden` where the policy gives the role no such way, 404 not one's own membership.
    """
    until = await actions.break_glass(
        runtime_of(request), refresh, person=given.person, role=given.role, reason=given.reason
    )
    return GlassBroken(until=until)
