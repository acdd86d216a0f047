"""How the entries of one school hang together: each carries the hash of itself and of the one before, from the first to the head.

The hash is computed here anew, by none of the code that wrote it, so that a database whose functions were changed as well convinces
nobody.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act on the record of one school in one service, as it lies in the database."""

    school: UUID
    seq: int
    at: datetime
    actor: UUID | None
    role: str
    act: str
    kind: str
    about: UUID | None
    reason: str
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is not as it was written, and what is wrong with it. `seq` counts from 1."""

    seq: int
    what: str


def hash_of(entry: Entry) -> bytes:
    """What the hash of an entry must be: SHA-256 over the hash before it and its fields as PostgreSQL writes a JSON array."""
    seconds, micros = divmod(round((entry.at - _EPOCH).total_seconds() * 1_000_000), 1_000_000)
    fields = [
        entry.seq, str(entry.school), f"{seconds}.{micros:06d}", _text(entry.actor), entry.role, entry.act, entry.kind,
        _text(entry.about), entry.reason,
    ]  # fmt: skip
    return hashlib.sha256(entry.previous + json.dumps(fields, ensure_ascii=False).encode()).digest()


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


@dataclass(slots=True)
class Walk:
    """A walk along one chain from its beginning. `seq` and `hash` are those of the last entry that was as it must be."""

    seq: int = 0
    hash: bytes = b""

    def take(self, entry: Entry) -> Fault | None:
        """Go on to the next entry that there is. After a fault the walk is over."""
        wanted = self.seq + 1
        if entry.seq != wanted:
            return Fault(wanted, f"is missing; the next there is has number {entry.seq}")
        if entry.previous != self.hash:
            return Fault(wanted, "does not follow the entry before it: one of the two was put in, moved or changed")
        if hash_of(entry) != entry.hash:
            return Fault(wanted, "was changed: its hash does not fit what it says")
        self.seq, self.hash = entry.seq, entry.hash
        return None

    def end(self, head: tuple[int, bytes] | None) -> Fault | None:
        """Compare the end of the entries with the chain's head, its number and hash; None when the school has no head."""
        seq, hash_ = head or (0, b"")
        if seq > self.seq:
            return Fault(self.seq + 1, f"is missing; the head of the chain stands at {seq}")
        if seq < self.seq:
            return Fault(seq + 1, f"was put in: the head of the chain stands at {seq}")
        if hash_ != self.hash:
            return Fault(seq, "is not the entry that the head of the chain knows")
        return None
