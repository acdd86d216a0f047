"""Who may read a school's record, and that each reading is itself on it.

A reading counts for fifteen minutes: turning pages or looking again at the same within them makes no second entry, and no page can be
had without one. An export always makes its own.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bookbag.chassis import audit
from bookbag.chassis.audit import reading
from bookbag.chassis.audit.reading import Standing, Wanted
from bookbag.chassis.problems import FORBIDDEN, Problem
from bookbag.directory.call import Call, MemberTx
from bookbag.directory.record import names
from bookbag.directory.record.names import Told
from bookbag.school.roles import Role

READ, EXPORTED = "record-read", "record-exported"
ACTS: Final = (READ, EXPORTED)
"""For the `records` of a service's manifest."""

READERS: Final = frozenset({Role.LEADER, Role.SAFEGUARDING})
ONE_READING: Final = timedelta(minutes=15)
PIECE: Final = 500
"""Entries of an export that are read at a time."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of the record somebody asks for: `since` included, `until` not; done by or about a person; one act."""

    since: datetime | None = None
    until: datetime | None = None
    person: UUID | None = None
    act: str | None = None

    def __str__(self) -> str:
        """As the entry about the reading says it; the person is its object."""
        said = {
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
            "act": self.act,
        }
        return " ".join(f"{name}={value}" for name, value in said.items() if value)


async def page(call: Call, filter_: Filter, *, before: int | None, limit: int) -> list[Told]:
    """PRV-4. Entries of the caller's school, newest first, from the one before number `before`. Raises Problem `forbidden`,
    DependencyAway."""
    async with call.transaction() as tx:
        wanted = await _wanted(tx, filter_)
        if not await _read_lately(call, filter_):
            await _append(tx, READ, filter_)
        return await names.told(tx, await _newest(call, wanted, before, limit))


async def standing(call: Call) -> Standing:
    """How long the record is and how far it is anchored. Raises Problem `forbidden`, DependencyAway."""
    async with call.transaction() as tx:
        _prove_may_read(tx)
        return await reading.standing(call.runtime.record, call.member.school)


async def begin_export(call: Call, filter_: Filter) -> None:
    """Put an export on the record before any of it leaves. Raises Problem `forbidden`."""
    async with call.transaction() as tx:
        _prove_may_read(tx)
        await _append(tx, EXPORTED, filter_)


async def exported(call: Call, filter_: Filter) -> AsyncGenerator[Sequence[Told]]:
    """All of it, newest first, piece by piece; the caller's right is proved anew for each."""
    before: int | None = None
    while True:
        async with call.transaction() as tx:
            wanted = await _wanted(tx, filter_)
            piece = await names.told(tx, await _newest(call, wanted, before, PIECE))
        if not piece:
            return
        yield piece
        before = piece[-1].entry.seq


def _prove_may_read(tx: MemberTx) -> None:
    if tx.member.role not in READERS:
        raise Problem(FORBIDDEN)


async def _wanted(tx: MemberTx, filter_: Filter) -> Wanted:
    _prove_may_read(tx)
    ids = None if filter_.person is None else await names.ids_of(tx, filter_.person)
    return Wanted(filter_.since, filter_.until, ids, filter_.act)


async def _newest(call: Call, wanted: Wanted, before: int | None, limit: int) -> Sequence[reading.Entry]:
    return await reading.newest(call.runtime.record, call.member.school, wanted, before=before, limit=limit)


async def _append(tx: MemberTx, act: str, filter_: Filter) -> None:
    kind = "record" if filter_.person is None else "person"
    await audit.append(
        tx, by=tx.person, role=tx.member.role, act=act, kind=kind, about=filter_.person, reason=str(filter_)
    )


async def _read_lately(call: Call, filter_: Filter) -> bool:
    """Whether the same person in the same role has an entry about the same reading that still counts."""
    lately = Wanted(since=call.now - ONE_READING, ids=[call.member.person], act=READ)
    found = await _newest(call, lately, None, 100)
    mine = (call.member.person, call.member.role, filter_.person, str(filter_))
    return any((each.actor, each.role, each.about, each.reason) == mine for each in found)
