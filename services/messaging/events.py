"""What messaging tells the world: ids and facts, never words that people wrote. It hears no events.

Every event's key is its thread, so that what happens in one thread arrives in order.
"""

from uuid import UUID

from google.protobuf.message import Message

from bookbag.messaging.v1.events_pb2 import MessageSent, MessageTranslated, ThreadRead, TranslationWanted
from services.messaging.model import MessageId, PersonId, ThreadId

TELLS: tuple[type[Message], ...] = (MessageSent, ThreadRead, MessageTranslated, TranslationWanted)


def message_sent(
    school: UUID, thread: ThreadId, message: MessageId, author: PersonId, *, about_safety: bool = False
) -> MessageSent:
    """All but the language, which `post_message` adds: it may be the author's own, and only the database knows that one."""
    return MessageSent(
        school_id=str(school),
        thread_id=str(thread),
        message_id=str(message),
        author_id=str(author),
        about_safety=about_safety,
    )


def thread_read(school: UUID, thread: ThreadId, person: PersonId, seq: int) -> ThreadRead:
    """A receipt moved forward."""
    return ThreadRead(school_id=str(school), thread_id=str(thread), person_id=str(person), seq=seq)


def message_translated(school: UUID, thread: ThreadId, message: MessageId, language: str) -> MessageTranslated:
    """A translation, or the reason why there is none, is stored."""
    return MessageTranslated(school_id=str(school), thread_id=str(thread), message_id=str(message), language=language)


def translation_wanted(school: UUID, thread: ThreadId, message: MessageId, language: str) -> TranslationWanted:
    """A reader looked and there was nothing in their language."""
    return TranslationWanted(school_id=str(school), thread_id=str(thread), message_id=str(message), language=language)
