"""What a thread, a message and a reading of it are, and the rules they keep; no I/O.

Who may use a thread is decided by the database in the statement that reads or writes (`right_in` in the migration); what is said
here about rights names the outcome.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from bookbag.school import languages
from bookbag.school.roles import Role

ThreadId = NewType("ThreadId", UUID)
MessageId = NewType("MessageId", UUID)
PersonId = NewType("PersonId", UUID)
SeatId = NewType("SeatId", UUID)
ClassId = NewType("ClassId", UUID)

TEXT_LIMIT = 4000
"""Characters of one message (Unicode code points)."""

PREVIEW_LIMIT = 140
"""Characters of the newest message that a list of threads shows."""

TRANSLATION_LIMIT = 40_000
"""Characters of a stored translation: ten times the longest message, which no real pair of languages needs."""

HIGHEST_SEQ = 2**63 - 1

_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
"""Unicode categories that leave no mark on a page."""


class NotYours(Exception):
    """There is no such thing, or it is not this person's: the two look alike. Carries no words, so that answers are equal."""


class NoLongerHeld(Exception):
    """A message that was to be taken back is released already."""


class PupilsDoNotMessage(Exception):
    """A pupil asked for messages (MSG-11)."""


class NotForThisRole(Exception):
    """Something that is for other roles than the one in use, and has nothing to hide by being there."""


class BlankText(ValueError):
    """A message without a visible character."""


class UnknownLanguage(ValueError):
    """A language that is not in the table people choose from."""


class Side(StrEnum):
    """On which side of a thread somebody writes and reads."""

    STAFF = "staff"
    FAMILY = "family"


class TranslationState(StrEnum):
    """Where the translation of a message into the reader's language is."""

    STORED = "stored"
    ON_ITS_WAY = "on-its-way"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Named:
    """A person or a class, by id and the name to show."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Pupil:
    """The child a thread is about."""

    id: PersonId
    name: str
    first_name: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A place on the staff and who holds it just now."""

    id: SeatId
    kind: str
    subject: str
    holders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Relative:
    """An adult of the family, as staff see them."""

    name: str
    relationship: str
    language: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody one may write to: a seat, about a pupil. `family` is filled for staff only."""

    pupil: Pupil
    school_class: Named | None
    seat: Seat
    family: Sequence[Relative]
    thread: ThreadId | None


@dataclass(frozen=True, slots=True)
class Right:
    """Somebody's right in one thread: their side, from which message on they read, and in which language."""

    thread: ThreadId
    side: Side
    visible_from: int
    head_seq: int
    language: str
    only_safety: bool = False
    """They read the messages about a child's safety and nothing else, and do not write (MSG-15)."""


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message a reader may see, in their language when there is a translation."""

    seq: int
    author_name: str
    mine: bool
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class ReadBy:
    """How far somebody of the other side has read."""

    person: PersonId
    name: str
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread as one of its members sees it. `family_names` is filled for staff only."""

    id: ThreadId
    pupil: Pupil
    school_class: Named | None
    seat: Seat
    family_names: Sequence[str]
    last: LastMessage | None
    unread: int
    head_seq: int
    my_read_seq: int
    others_read: Sequence[ReadBy]
    head_at: datetime


@dataclass(frozen=True, slots=True)
class Translation:
    """What there is of a message in the reader's language."""

    state: TranslationState
    language: str
    text: str | None = None
    source_language: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as one reader sees it. `text` is always what was written."""

    id: MessageId
    seq: int
    author: Named
    side: Side
    mine: bool
    text: str
    language: str
    sent_at: datetime
    version: int
    translation: Translation | None
    answer_by: datetime | None = None
    """By when its family was promised an answer (MSG-16)."""
    about_safety: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message as it was taken from its author. While it waits it has no number (0) and `visible_at` is its hour, if one is known."""

    message: Message
    state: str
    visible_at: datetime | None
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Original:
    """A text as written and what surrounds it, for siblings that work with any kind of content."""

    message: MessageId
    thread: ThreadId
    text: str
    version: int
    language: str
    author: Named
    names: Sequence[str]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class MadeTranslation:
    """A translation as it is handed over, or word that there is none (`text` is None)."""

    message: MessageId
    version: int
    language: str
    text: str | None
    source_language: str
    engine: str


def checked_text(text: str) -> str:
    """A message's text, unchanged. Raises BlankText when nothing of it would be seen."""
    if all(unicodedata.category(character) in _BLANK for character in text):
        raise BlankText("must contain something that can be seen")
    return text


def checked_language(tag: str) -> str:
    """The tag as the table of languages spells it. Raises UnknownLanguage."""
    found = languages.find(tag)
    if found is None:
        raise UnknownLanguage("is not a language people can choose")
    return found.tag


def may_message(role: Role) -> bool:
    """Whether a role takes part in messages at all (MSG-11)."""
    return role is not Role.PUPIL


def translation_for(
    reader: str, *, written: str, state: str | None, text: str | None, source_language: str | None
) -> Translation | None:
    """What a reader is told about a message in their language; None when it is written in it (MSG-7, TR-5).

    `state` is that of the stored row, None when there is no row yet. A stored row knows better than the sender's choice what the
    text is written in: Spanish sent as English is translated for who reads English, and plain for who reads Spanish.
    """
    if state == TranslationState.STORED and not (source_language and languages.same_language(reader, source_language)):
        return Translation(TranslationState.STORED, reader, text, source_language)
    if state == TranslationState.STORED or languages.same_language(reader, written):
        return None
    if state == TranslationState.UNAVAILABLE:
        return Translation(TranslationState.UNAVAILABLE, reader)
    return Translation(TranslationState.ON_ITS_WAY, reader)


def unread(head_seq: int, read_seq: int, visible_from: int) -> int:
    """Messages after the last one read. Exact without counting, because sending moves the sender's own receipt to their message."""
    return max(0, head_seq - max(read_seq, visible_from - 1))
