"""The routes by which a school's record is read, the same in every service that has one."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime

from bookbag.chassis import pages
from bookbag.chassis.http import Shown
from bookbag.chassis.pages import Cursor, Limit
from bookbag.directory.http import SIGNED_IN, CallHere
from bookbag.directory.record import csv_lines, reading
from bookbag.directory.record.names import Named, Told
from bookbag.directory.record.reading import Filter

router = APIRouter(dependencies=[SIGNED_IN])

_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1


def _of_our_time(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError("must lie between the years 2000 and 2200")
    return at.astimezone(UTC)


_Instant = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class PersonShown(Shown):
    """Somebody an entry speaks of; without a name once it is erased."""

    id: UUID
    name: str | None


class EntryShown(Shown):
    """One act. `by` is null for an operator; `reason` is as it was given."""

    seq: int
    at: AwareDatetime
    by: PersonShown | None
    role: str
    act: str
    kind: str
    about: UUID | None
    whom: list[PersonShown]
    reason: str


class EntriesPage(Shown):
    """A page of the record, newest first."""

    items: list[EntryShown]
    next: str | None


class RecordState(Shown):
    """How long the record is, and up to which entry it is anchored outside the database; 0 for none."""

    entries: int
    last_at: AwareDatetime | None
    anchored: int
    anchored_at: AwareDatetime | None


def _filter(
    since: Annotated[_Instant | None, Query(alias="from", description="Acts from this instant on.")] = None,
    until: Annotated[_Instant | None, Query(alias="to", description="Acts before this instant.")] = None,
    person: Annotated[UUID | None, Query(description="Acts by or about this person.")] = None,
    act: Annotated[str | None, Query(pattern="^[a-z][a-z0-9-]{0,59}$", description="Acts of this code.")] = None,
) -> Filter:
    return Filter(since, until, person, act)


_FilterHere = Annotated[Filter, Depends(_filter)]


@router.get("/audit")
async def read_record(call: CallHere, wanted: _FilterHere, limit: Limit = 50, cursor: Cursor = None) -> EntriesPage:
    """PRV-4. Leaders and safeguarding: this service's part of the school's record, newest first. The reading is itself recorded."""
    place = pages.decode(cursor, int)
    before = max(0, min(int(place[0]), _LARGEST)) if place else None
    found = pages.page(
        await reading.page(call, wanted, before=before, limit=limit + 1), limit, _entry, lambda one: (one.entry.seq,)
    )
    return EntriesPage(items=list(found.items), next=found.next)


@router.get("/audit/state")
async def read_record_state(call: CallHere) -> RecordState:
    """PRV-4. Leaders and safeguarding: how long this part of the record is and how far it is anchored. Says what the database says;
    `bookbag audit verify` proves it."""
    return RecordState.model_validate(await reading.standing(call))


@router.get(
    "/audit/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "All of it as CSV, newest first, as a download."}},
)
async def export_record(call: CallHere, wanted: _FilterHere) -> StreamingResponse:
    """PRV-4. Leaders and safeguarding: the same as a table. The export is itself recorded."""
    await reading.begin_export(call, wanted)

    async def written() -> AsyncGenerator[str]:
        yield csv_lines.line_of_heads()
        async for piece in reading.exported(call, wanted):
            yield csv_lines.lines(call.runtime.name, piece)

    name = f"record-{call.runtime.name}-{call.now:%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(written(), media_type="text/csv; charset=utf-8", headers=headers)


def _entry(one: Told) -> EntryShown:
    entry = one.entry
    return EntryShown(
        seq=entry.seq, at=entry.at, by=_person(one.by) if one.by else None, role=entry.role, act=entry.act, kind=entry.kind,
        about=entry.about, whom=[_person(each) for each in one.whom], reason=entry.reason,
    )  # fmt: skip


def _person(one: Named) -> PersonShown:
    return PersonShown(id=one.id, name=one.name)
