"""The use cases of promised answers: list those that are overdue, and say that nobody waits."""

from collections.abc import Sequence
from datetime import datetime

from bookbag.directory.call import Call
from services.messaging import access
from services.messaging.answers import store
from services.messaging.answers.model import Overdue, sees_overdue, settles
from services.messaging.model import ThreadId


async def list_overdue(call: Call, *, after: tuple[datetime, ThreadId] | None, limit: int) -> Sequence[Overdue]:
    """Threads of the whole school whose promised answer is overdue, the longest first; one more than `limit` when there are more.
    Raises NotForThisRole."""
    async with call.transaction() as tx:
        sees_overdue(call.member.role)
        return await store.overdue(tx, after=after, limit=limit + 1)


async def settle(call: Call, thread: ThreadId, seq: int) -> None:
    """Say that nobody waits for an answer to the messages up to this one; safe to repeat, and never taken back. Raises NotYours,
    NotForThisRole."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
        settles(right)
        seq = min(seq, right.head_seq)
        if seq > 0:
            await store.settle(tx, right, seq)
