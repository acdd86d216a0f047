"""The use cases of sibling services: who may read a message, what it says, what it says in another language."""

from collections.abc import Collection
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.chassis.problems import ACCESS_UNKNOWN, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.school.content import Reader
from services.messaging import events
from services.messaging.content import store
from services.messaging.model import MadeTranslation, MessageId, NotYours, Original, PersonId


async def can_read(runtime: Runtime, school: UUID, message: MessageId, person: PersonId) -> bool:
    """Whether a person may read a message now, in any role. Raises Problem `access-unknown` rather than guess."""
    async with runtime.database.tenant(school) as tx:
        await _be_sure(tx)
        return bool(await store.list_readers(tx, [message], person=person))


async def list_readers(
    runtime: Runtime, school: UUID, messages: Collection[MessageId]
) -> dict[MessageId, list[Reader]]:
    """Everybody who may read each of these messages now, its author included; one that does not exist has no entry. Raises Problem
    `access-unknown` rather than guess."""
    async with runtime.database.tenant(school) as tx:
        await _be_sure(tx)
        return await store.list_readers(tx, messages)


async def fetch(runtime: Runtime, school: UUID, message: MessageId) -> Original:
    """A message as written. Raises NotYours when there is none."""
    async with runtime.database.tenant(school) as tx:
        original = await store.find_original(tx, message)
    if original is None:
        raise NotYours
    return original


async def store_translation(runtime: Runtime, school: UUID, made: MadeTranslation) -> bool:
    """Keep a translation beside the text and tell so, once however often it is handed over (TR-2). False when the message has another
    version by now, or is gone: then it is dropped."""
    async with runtime.database.tenant(school) as tx:
        thread = await store.find_thread_of_version(tx, made.message, made.version)
        if thread is None:
            return False
        changed = await store.keep_translation(tx, made)
        if changed:
            await tx.tell(events.message_translated(school, thread, made.message, made.language), key=thread)
    if changed:
        runtime.signal("outbox")
    return True


async def _be_sure(tx: Tx) -> None:
    if not await store.knows_who_is_who(tx):
        raise Problem(ACCESS_UNKNOWN, retry_after=5)
