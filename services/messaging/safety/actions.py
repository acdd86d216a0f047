"""The use cases of messages about a child's safety: list them, and put on the record that somebody who was alerted reads them."""

from collections.abc import Sequence
from datetime import datetime

from bookbag.chassis import audit
from bookbag.directory.call import Call, MemberTx
from services.messaging.acts import Act
from services.messaging.model import MessageId, ThreadId
from services.messaging.safety import store
from services.messaging.safety.model import Raised, sees_raised


async def list_raised(call: Call, *, before: tuple[datetime, MessageId] | None, limit: int) -> Sequence[Raised]:
    """What was said about a child's safety and the member's role is alerted to, newest first; one more than `limit` when there are
    more. Whoever is shown any is on the record. Raises NotForThisRole."""
    async with call.transaction() as tx:
        sees_raised(call.member.role)
        found = await store.raised(tx, before=before, limit=limit + 1)
        await note_reading(tx, [one.thread for one in found[:limit]])
        return found


async def note_reading(tx: MemberTx, threads: Sequence[ThreadId]) -> None:
    """PRV-4. Put on the record, in the transaction of the reading, that the member reads what was said about the safety of these
    threads' children: an entry for each child, once in a quarter of an hour. Call it last."""
    for pupil in await store.begin_readings(tx, threads):
        await audit.append(tx, by=tx.person, role=tx.member.role, act=Act.SAFETY_READ, kind="person", about=pupil)
