"""What notify listens to, all of it: event → handler. It tells nothing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from google.protobuf.message import Message

from bookbag.chassis.hearing import EventCall, EventsCall
from bookbag.chassis.service import Hearer, Together
from bookbag.messaging.v1.events_pb2 import MessageSent, MessageTranslated, ThreadRead
from services.notify import actions
from services.notify.model import ContentId, Kind, PersonId, ThreadId, Told, Translated


async def on_messages(call: EventsCall, events: Sequence[MessageSent]) -> None:
    """Messages became visible."""
    await actions.tell_of_messages(
        call,
        [
            Told(
                record.event_id,
                Kind.MESSAGE,
                ThreadId(UUID(event.thread_id)),
                ContentId(UUID(event.message_id)),
                PersonId(UUID(event.author_id)),
                record.sequence,
                call.cause_of(record.event_id),
                event.about_safety,
            )
            for record, event in zip(call.records, events, strict=True)
        ],
    )


async def on_read(call: EventCall, event: ThreadRead) -> None:
    """A reader's receipt moved forward."""
    await actions.tell_of_receipt(
        call, thread=ThreadId(UUID(event.thread_id)), reader=PersonId(UUID(event.person_id)), seq=event.seq
    )


async def on_translations(call: EventsCall, events: Sequence[MessageTranslated]) -> None:
    """Translations were stored beside messages."""
    await actions.tell_of_translations(
        call,
        [
            Translated(
                record.event_id,
                ThreadId(UUID(event.thread_id)),
                ContentId(UUID(event.message_id)),
                event.language,
                call.cause_of(record.event_id),
            )
            for record, event in zip(call.records, events, strict=True)
        ],
    )


HEARS: Mapping[type[Message], Hearer] = {
    MessageSent: Together(on_messages),
    ThreadRead: on_read,
    MessageTranslated: Together(on_translations),
}
