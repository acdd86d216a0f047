"""The other leaders are told when somebody came in for a reason outside hours or places: who, and until when (POL-4).

The reason itself stays on the school's record, where they read it signed in: it may speak of a child, and no mail does.
"""

from datetime import UTC
from uuid import UUID, uuid5

from bookbag.chassis.database import Tx
from bookbag.identity.v1.access_pb2 import AccessChange
from services.notify import store
from services.notify.model import PersonId

GLASS = UUID("0b8f6f0e-6a7b-5d0a-9a57-5f1f0c9b7a11")
"""The name space of these events: the same fact, heard again, is the same event and tells nobody twice (NTF-3)."""


async def tell_leaders(tx: Tx, change: AccessChange) -> None:
    """Each leader but the one who came in gets an item and a mail. What is over by now, as in a copy that is made anew, is not told."""
    glass = change.break_glass
    until = glass.until.ToDatetime(tzinfo=UTC)
    if until <= tx.now:
        return
    event = uuid5(GLASS, f"{tx.school} {glass.person_id} {glass.role} {change.revision}")
    await store.tell_leaders(tx, event, PersonId(UUID(glass.person_id)), until)
