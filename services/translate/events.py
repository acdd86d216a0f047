"""What translation listens to, in one table, and how each event becomes an action. It tells nothing: owners do."""

from collections.abc import Mapping

from google.protobuf.message import Message

from bookbag.chassis.hearing import EventCall
from bookbag.chassis.service import Handler
from bookbag.messaging.v1 import events_pb2 as messaging
from services.translate import actions, owners


async def note_new_message(call: EventCall, event: messaging.MessageSent) -> None:
    """TR-2: in the background, once per language among the readers."""
    await actions.note_new_text(call, owners.message(event.school_id, event.message_id))


async def note_wanted_translation(call: EventCall, event: messaging.TranslationWanted) -> None:
    """TR-5: a reader whose language came later, or whose translation was given up, gets it when they look."""
    await actions.note_wish(call, owners.message(event.school_id, event.message_id), event.language)


HEARS: Mapping[type[Message], Handler] = {
    messaging.MessageSent: note_new_message,
    messaging.TranslationWanted: note_wanted_translation,
}
