"""Who owns a piece of work: leases with a fence, on the clock of the database.

A holder renews each second and gives a lease up in its own mind before the database would; work done under a lease is refused by the
database once somebody else holds it (the fence), so a process that was frozen and wakes can do no harm. Several holders share the
leases of one kind evenly: each is known by a presence lease and takes no more than its part.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from weakref import WeakSet

import structlog

from bookbag.chassis import measures
from bookbag.chassis.database import Database
from bookbag.chassis.problems import DependencyAway

log = structlog.get_logger()

LIFE = 5.0
"""Seconds a lease lives in the database without renewal."""

RENEW = 1.0
MARGIN = 1.5
"""A holder stops believing in its lease this many seconds before it ends."""


class Leases:
    """The leases one holder tries to have, out of `names`. Run `keep()` as a task; read `held` at any moment."""

    def __init__(self, database: Database, kind: str, names: Sequence[str], holder: str) -> None:
        self._database = database
        self._kind = kind
        self._names = [f"{kind}/{name}" for name in names]
        self._holder = holder
        self._fences: dict[str, int] = {}
        self._believed_until = 0.0
        self._term = 0
        self.changed = asyncio.Event()
        _ALL.add(self)

    @property
    def holder(self) -> str:
        return self._holder

    @property
    def kind(self) -> str:
        """What the leases are for, in one word: `relay`, `bus`, `job`."""
        return self._kind.partition("/")[0]

    @property
    def held(self) -> dict[str, int]:
        """Full lease name → fence, as far as we may believe it now."""
        return dict(self._fences) if time.monotonic() < self._believed_until else {}

    @property
    def term(self) -> int:
        """Which spell of unbroken belief this is. A renewal may come in time for the database and too late for `held`, with the same
        fence: whoever kept a place under a lease, and may have let go of it meanwhile, finds another term."""
        return self._term

    def held_of(self, name: str) -> int | None:
        """The fence of one short name, or None when it is not ours now."""
        return self.held.get(f"{self._kind}/{name}")

    async def keep(self) -> None:
        """Renew, take and share, until cancelled; then hand everything back."""
        try:
            while True:
                try:
                    await self.renew()
                except DependencyAway:
                    log.warning("leases cannot be renewed", dependency="postgresql", lease=self._kind)
                await asyncio.sleep(RENEW)
        finally:
            with suppress(DependencyAway, asyncio.CancelledError):
                await asyncio.shield(self.give_back())

    async def renew(self) -> None:
        """One round: renew what we hold, make ourselves known, take free leases up to our part, give back what exceeds it."""
        asked = time.monotonic()
        presence = f"{self._kind}?{self._holder}"
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "update lease set expires_at = clock_timestamp() + make_interval(secs => $3)"
                " where name = any($1) and holder = $2 and expires_at > clock_timestamp() returning name, fence",
                [*self._names, presence], self._holder, LIFE,
            )  # fmt: skip
            kept = {row["name"]: row["fence"] for row in rows if row["name"] != presence}
            if presence not in {row["name"] for row in rows}:
                await connection.fetch("select * from take_leases($1, $2, $3)", [presence], self._holder, LIFE)
            holders = await connection.fetchval(
                "select count(*) from lease where name like $1 and expires_at > clock_timestamp()", f"{self._kind}?%"
            )
            part = -(-len(self._names) // max(1, holders))
            if len(kept) > part:
                surplus = sorted(kept)[part:]
                await self._release(connection, surplus)
                kept = {name: fence for name, fence in kept.items() if name not in surplus}
            elif len(kept) < part:
                free = await connection.fetch(
                    "select n from unnest($1::text[]) n left join lease l on l.name = n"
                    " where l.name is null or l.expires_at < clock_timestamp() limit $2",
                    [name for name in self._names if name not in kept], part - len(kept),
                )  # fmt: skip
                taken = await connection.fetch(
                    "select * from take_leases($1, $2, $3)", [row["n"] for row in free], self._holder, LIFE
                )
                kept |= {row["name"]: row["fence"] for row in taken}
        if kept != self._fences:
            self._fences = kept
            self.changed.set()
        if time.monotonic() >= self._believed_until:
            self._term += 1
        self._believed_until = asked + LIFE - MARGIN

    async def give_back(self) -> None:
        """End all our leases at once, so that somebody else need not wait."""
        names, self._fences = list(self._fences), {}
        async with self._database.transaction() as connection:
            await self._release(connection, [*names, f"{self._kind}?{self._holder}"])

    async def _release(self, connection: object, names: Sequence[str]) -> None:
        await connection.execute(  # type: ignore[attr-defined]
            "update lease set expires_at = '-infinity' where name = any($1) and holder = $2", list(names), self._holder
        )


_ALL: WeakSet[Leases] = WeakSet()


def _held() -> list[tuple[Sequence[str], float]]:
    held: Counter[str] = Counter()
    for leases in list(_ALL):
        held[leases.kind] += len(leases.held)
    return [((kind,), count) for kind, count in held.items()]


measures.shown("bookbag_leases_held", "Leases this process holds, by what they are for.", "kind", read=_held)
