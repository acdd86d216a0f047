"""The use case of the list of messages about a child's safety."""

from collections.abc import Sequence
from datetime import datetime

from bookbag.directory.call import Call
from services.messaging.model import MessageId
from services.messaging.safety import store
from services.messaging.safety.model import Raised, sees_raised


async def list_raised(call: Call, *, before: tuple[datetime, MessageId] | None, limit: int) -> Sequence[Raised]:
    """What was said about a child's safety and the member's role is alerted to, newest first; one more than `limit` when there are
    more. Raises NotForThisRole."""
    async with call.transaction() as tx:
        sees_raised(call.member.role)
        return await store.raised(tx, before=before, limit=limit + 1)
