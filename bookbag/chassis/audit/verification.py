"""Proves that a school's record in one service is what was written, or names the first entry that is not.

Walks the whole chain as it lies in the database, and then asks the anchors, which lie elsewhere: what was cut from the end, or rewritten
together with all its hashes, disagrees with them. What cannot be seen: entries that were cut or rewritten before they were first
anchored (a minute or less), and anything if the keys or the anchors are in the same hands as the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis.audit import anchors
from bookbag.chassis.audit.anchors import Anchor, AnchorKeys, Forged
from bookbag.chassis.audit.chain import Fault, Walk
from bookbag.chassis.audit.reading import Chain, chain
from bookbag.chassis.database import Database
from bookbag.chassis.objects import NoSuchObject, ObjectStore


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one chain after looking: its entries, the newest anchor that fits, and the first fault if there is one."""

    entries: int
    anchored: int
    anchored_at: datetime | None
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything a chain is judged by: the database under the reading role, the object store and the public keys."""

    service: str
    record: Database
    objects: ObjectStore
    keys: AnchorKeys

    async def judge(self, school: UUID) -> Verdict:
        """Look at all of one school's chain. Raises DependencyAway when the database or the object store does not answer."""
        known = await anchors.numbers(
            self.objects, self.service, school
        )  # first: what is anchored now is in what is read next
        walk, hashes = Walk(), dict[int, bytes]()
        wanted = set(known)
        async with chain(self.record, school) as lying:
            fault = await _walked(lying, walk, wanted, hashes)
            fault = fault or walk.end(await lying.head())
            noted = await lying.noted()
        newest, disagrees = await self._anchored(school, known, hashes, walk.seq, noted)
        at = newest.at if newest else None
        return Verdict(walk.seq, newest.seq if newest else 0, at, fault or disagrees)

    async def _anchored(
        self, school: UUID, known: Sequence[int], hashes: Mapping[int, bytes], last: int, noted: int
    ) -> tuple[Anchor | None, Fault | None]:
        """The newest anchor that fits the entries up to `last`, and how the anchors disagree with them."""
        fits: Anchor | None = None
        unlike = 0
        try:
            for seq in reversed([seq for seq in known if seq <= last]):
                anchor = await self._anchor(school, seq)
                if anchor.hash == hashes[seq]:
                    fits = anchor
                    break
                unlike = seq
            if unlike:
                first = fits.seq + 1 if fits else 1
                return fits, Fault(first, f"or a later one up to {unlike} was rewritten together with the hashes")
            if known and known[-1] > last:
                await self._anchor(school, known[-1])
                return fits, Fault(last + 1, f"is missing; an anchor knows entry {known[-1]}")
        except _Unsound as unsound:
            return fits, Fault(unsound.seq, unsound.what)
        if noted > (known[-1] if known else 0):
            return fits, Fault(noted, "was anchored, and its anchor is gone from the object store")
        return fits, None

    async def _anchor(self, school: UUID, seq: int) -> Anchor:
        """The anchor of an entry, proven. Raises _Unsound."""
        try:
            content = await self.objects.get(anchors.place_of(self.service, school, seq))
            return self.keys.check(self.service, school, seq, content)
        except NoSuchObject:
            raise _Unsound(seq, "had an anchor that is gone from the object store") from None
        except Forged as forged:
            raise _Unsound(seq, f"has an anchor that {forged}") from forged


class _Unsound(Exception):
    """An anchor that proves nothing."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq = seq
        self.what = what


async def _walked(lying: Chain, walk: Walk, wanted: set[int], hashes: dict[int, bytes]) -> Fault | None:
    """Walk to the end or to the first fault, keeping the hashes of the entries that have an anchor."""
    while entries := await lying.entries(walk.seq):
        for entry in entries:
            if fault := walk.take(entry):
                return fault
            if entry.seq in wanted:
                hashes[entry.seq] = entry.hash
    return None
