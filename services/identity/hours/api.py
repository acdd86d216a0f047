"""Routes of one's own hours, for staff."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Header, Response
from pydantic import Field

from bookbag.chassis.http import Body, Shown
from bookbag.directory.call import Call
from bookbag.directory.http import SIGNED_IN, CallHere
from bookbag.school.policy.document import fields as document
from bookbag.school.policy.values import to_data
from services.identity.hours import actions
from services.identity.policy.model import OwnHours
from services.identity.profile.api import version_of

router = APIRouter(dependencies=[SIGNED_IN])

Week = Annotated[
    dict[str, Any] | None,
    Field(max_length=8, description="A week as the policy's document writes it; null keeps the school's hours."),
]


class ChangedHours(Body):
    """One's own week."""

    week: Week


class SpanShown(Shown):
    """From one time to a later one on the same day, as `08:30`."""

    from_: Annotated[str, Field(alias="from")]
    to: str


class WeekShown(Shown):
    """Hours by weekday, in the school's own zone; `days` says on which dates they count."""

    days: str
    monday: list[SpanShown]
    tuesday: list[SpanShown]
    wednesday: list[SpanShown]
    thursday: list[SpanShown]
    friday: list[SpanShown]
    saturday: list[SpanShown]
    sunday: list[SpanShown]


class HoursShown(Shown):
    """One's own week, null when one keeps the school's. `version` is also the ETag. `school` is the week that can be narrowed, null in
    a school whose staff hours are no week, and `may_narrow` whether the school lets its staff do so."""

    week: WeekShown | None
    version: int
    school: WeekShown | None
    may_narrow: bool

    @classmethod
    def of(cls, hours: OwnHours, call: Call) -> Self:
        """As shown to the member whose hours they are."""
        staff = call.rules.policy.staff
        return cls(
            week=WeekShown.model_validate_json(hours.week) if hours.week else None,
            version=hours.version,
            school=_shown(staff.hours) if isinstance(staff.hours, document.Week) else None,
            may_narrow=staff.may_narrow,
        )


def _shown(week: document.Week) -> WeekShown:
    return WeekShown.model_validate(to_data(week, document.Week))


@router.get("/me/hours")
async def read_hours(call: CallHere, response: Response) -> HoursShown:
    """POL-3. Staff. With an ETag for edits. 403 for everybody else."""
    shown = HoursShown.of(await actions.read_hours(call), call)
    response.headers["etag"] = f'"{shown.version}"'
    return shown


@router.put("/me/hours")
async def change_hours(
    changed: ChangedHours,
    call: CallHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100, description="The ETag read last, or *.")] = None,
) -> HoursShown:
    """POL-3. Staff. Narrower than the school's hours, never wider: 422 names each span that is. 412 edited meanwhile, 428 without
    If-Match."""
    shown = HoursShown.of(await actions.change_hours(call, changed.week, version=version_of(if_match)), call)
    response.headers["etag"] = f'"{shown.version}"'
    return shown
