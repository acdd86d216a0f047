"""What notify listens to, all of it: event → handler. It tells nothing."""

from collections.abc import Mapping
from uuid import UUID

from google.protobuf.message import Message

from bookbag.chassis.consumer import EventCall
from bookbag.chassis.service import Handler
from bookbag.messaging.v1.events_pb2 import MessageSent, MessageTranslated, ThreadRead
from services.notify import actions
from services.notify.model import ContentId, PersonId, ThreadId


async def on_message(call: EventCall, event: MessageSent) -> None:
    """A message became visible."""
    await actions.tell_of_message(
        call,
        thread=ThreadId(UUID(event.thread_id)),
        content=ContentId(UUID(event.message_id)),
        author=PersonId(UUID(event.author_id)),
    )


async def on_read(call: EventCall, event: ThreadRead) -> None:
    """A reader's receipt moved forward."""
    await actions.tell_of_receipt(
        call, thread=ThreadId(UUID(event.thread_id)), reader=PersonId(UUID(event.person_id)), seq=event.seq
    )


async def on_translation(call: EventCall, event: MessageTranslated) -> None:
    """A translation was stored beside a message."""
    await actions.tell_of_translation(
        call,
        thread=ThreadId(UUID(event.thread_id)),
        content=ContentId(UUID(event.message_id)),
        language=event.language,
    )


HEARS: Mapping[type[Message], Handler] = {
    MessageSent: on_message,
    ThreadRead: on_read,
    MessageTranslated: on_translation,
}
