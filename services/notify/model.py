"""Decides who is told of an event, how long a mail waits, and what becomes of it after each try. No I/O."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from bookbag.school.content import Reader
from bookbag.school.languages import UI_LANGUAGES, best_match, same_language
from bookbag.school.roles import STAFF

ThreadId = NewType("ThreadId", UUID)
ContentId = NewType("ContentId", UUID)
PersonId = NewType("PersonId", UUID)
NotificationId = NewType("NotificationId", UUID)
DeliveryId = NewType("DeliveryId", UUID)

GIVE_UP_AFTER = timedelta(hours=24)
"""A mail that could not be handed over for so long is dead; the office sees it (NTF-4)."""

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=4)

ONLINE_FOR = timedelta(seconds=30)
"""How long a sign of life on a live stream counts."""

ONLINE_AGAIN_AFTER = timedelta(seconds=15)
"""A stream says no more often than this that somebody is online."""

STREAMS_PER_PERSON = 10

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@[^\s@]{{1,255}}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class NoSuchLink(Exception):
    """No mail of ours carries this unsubscribe link, or it is older than a year."""


class OfficeOnly(Exception):
    """Deliveries are shown to the office and to leaders (NTF-7)."""


class PreferenceChanged(Exception):
    """The preference was changed by somebody else since it was read."""


class Kind(StrEnum):
    """What people are told of."""

    MESSAGE = "message"
    GLASS = "glass"
    """Somebody came in for a reason outside hours or places: for the other leaders (POL-4)."""


class StreamKind(StrEnum):
    """What a live stream carries."""

    MESSAGE = "message"
    READ = "read"
    TRANSLATION = "translation"


class State(StrEnum):
    """How far a delivery is. `sending` is committed before a mail leaves, so that after a kill only that one can go twice."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a delivery is where it is."""

    SEEN = "seen"
    NO_RIGHT = "no-right"
    UNSUBSCRIBED = "unsubscribed"
    NO_ADDRESS = "no-address"
    ONLINE = "online"
    QUIET_HOURS = "quiet-hours"
    ADDRESS_REFUSED = "address-refused"
    MAIL_REFUSED = "mail-refused"
    SERVER_BUSY = "server-busy"
    SERVER_AWAY = "server-away"
    GAVE_UP = "gave-up"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person who is told, with the roles in which they may open what they are told of."""

    person: PersonId
    roles: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Told:
    """A content of a thread that its readers are told of, once per event."""

    event: UUID
    kind: Kind
    thread: ThreadId
    content: ContentId
    author: PersonId
    seq: int | None
    trace: str | None = None
    about_safety: bool = False
    """Its author said that it is about a child's safety (MSG-15)."""

    def happening(self) -> "Happening":
        """What live streams tell of it."""
        return Happening(
            self.event, StreamKind.MESSAGE, self.thread, self.content, self.author, self.seq, trace=self.trace
        )


@dataclass(frozen=True, slots=True)
class Translated:
    """A translation that became readable."""

    event: UUID
    thread: ThreadId
    content: ContentId
    language: str
    trace: str | None = None

    def happening(self) -> "Happening":
        """What live streams tell of it."""
        return Happening(
            self.event, StreamKind.TRANSLATION, self.thread, self.content, language=self.language, trace=self.trace
        )


@dataclass(frozen=True, slots=True)
class Happening:
    """What a live stream tells of one event, before anybody's number is given to it."""

    event: UUID
    kind: StreamKind
    thread: ThreadId
    content: ContentId | None = None
    actor: PersonId | None = None
    seq: int | None = None
    language: str | None = None
    trace: str | None = None
    """What caused it, in W3C's words; None where nobody traces."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One step of a person's live stream."""

    number: int
    kind: StreamKind
    thread: ThreadId
    content: ContentId | None
    actor: PersonId | None
    seq: int | None
    language: str | None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A claimed delivery with all that decides whether it goes."""

    delivery: DeliveryId
    person: PersonId
    kind: Kind
    thread: ThreadId | None
    content: ContentId | None
    """Of a message; what is told to leaders is neither in a thread nor anybody's content."""
    counted_from: datetime
    """Since when it could have gone: since it was made, or since the hours of its reader opened."""
    attempts: int
    seen: bool
    wanted: bool
    active: bool
    online_until: datetime | None
    school_name: str
    roles: Sequence[str]
    about_safety: bool
    author_name: str
    until: datetime | None
    """Until when the one who came in may stay."""
    zone: str
    """Of the school's clocks."""
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person can be reached, asked at the moment of delivery."""

    address: str
    language: str


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a delivery now."""

    state: State
    reason: Reason | None
    due_at: datetime | None = None


def recipients(readers: Iterable[Reader], standing: Mapping[PersonId, Mapping[str, str]]) -> list[Recipient]:
    """One recipient per person, in the order of ids so that concurrent writers lock in one order.

    `standing` is our copy of who is who: role → standing per person. Whoever stands suspended or ended there is left out. A person
    it does not know yet is taken at the owner's word: the right is proved again before anything leaves.
    """
    roles: dict[PersonId, list[str]] = {}
    languages: dict[PersonId, str] = {}
    for reader in readers:
        person = PersonId(reader.person)
        known = standing.get(person)
        if known is None:
            mine = [reader.role] if reader.role else []
        else:
            mine = [role for role, how in known.items() if how == "active" and reader.role in ("", role)]
            if not mine:
                continue
        roles.setdefault(person, []).extend(mine)
        languages.setdefault(person, reader.language)
    return [
        Recipient(person, tuple(sorted(set(roles[person]))), languages[person])
        for person in sorted(roles, key=lambda person: person.int)
    ]


def told_of_receipt(reader: PersonId, everybody: Sequence[Recipient]) -> list[Recipient]:
    """Who learns that somebody has read: from staff, all; from a family, the staff and that person's own other devices.

    Guardians never learn of each other's reading.
    """
    own = next((one for one in everybody if one.person == reader), None)
    if own is None or any(role in STAFF for role in own.roles):
        return list(everybody)
    return [one for one in everybody if one.person == reader or any(role in STAFF for role in one.roles)]


def told_of_translation(language: str, everybody: Iterable[Recipient]) -> list[Recipient]:
    """Who reads in the language a translation was made into."""
    return [one for one in everybody if same_language(one.language, language)]


def step_before_sending(mail: Mail, now: datetime, grace: timedelta, silent_until: datetime | None) -> Step | None:
    """What keeps a mail from going now, or None. Staff are not rung before `silent_until`. Somebody who is online is waited for until
    they go or have seen it, but not with what is about a child's safety or has no place in the app where it is seen. A mail that was tried and left no word for a day is dead
    too, so that one that cannot be written is not tried for ever."""
    if mail.seen:
        return Step(State.CANCELLED, Reason.SEEN)
    if not mail.active:
        return Step(State.CANCELLED, Reason.NO_RIGHT)
    if not mail.wanted:
        return Step(State.CANCELLED, Reason.UNSUBSCRIBED)
    if mail.attempts > 0 and now > mail.counted_from + GIVE_UP_AFTER:
        return Step(State.DEAD, Reason.GAVE_UP)
    if silent_until is not None:
        return Step(State.WAITING, Reason.QUIET_HOURS, silent_until)
    waits_for_eyes = mail.kind is Kind.MESSAGE and not mail.about_safety
    if mail.online_until is not None and mail.online_until > now and waits_for_eyes:
        return Step(State.WAITING, Reason.ONLINE, max(mail.online_until, now + grace))
    return None


def step_after_refusal(reason: Reason, attempts: int, counted_from: datetime, now: datetime) -> Step:
    """What follows a try that failed for now: another one after a growing pause, or the end after a day."""
    pause = min(_FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 16), _LONGEST_PAUSE)
    if now + pause > counted_from + GIVE_UP_AFTER:
        return Step(State.DEAD, Reason.GAVE_UP)
    return Step(State.FAILED, reason, now + pause)


def usable_address(text: str) -> str | None:
    """An address that is one mailbox and nothing else, its domain in ASCII; None for anything that cannot be written to."""
    if len(text) > 254 or _ADDRESS.fullmatch(text) is None:
        return None
    local, _, domain = text.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return f"{local}@{ascii_domain}" if _DOMAIN.fullmatch(ascii_domain) else None


def mail_language(wanted: str, offered: Collection[str] = UI_LANGUAGES) -> str:
    """The language a mail is written in: the reader's when we have its words, otherwise English (TR-6)."""
    found = best_match(wanted)
    return found.primary if found is not None and found.primary in offered else "en"


def one_line(text: str, limit: int = 120) -> str:
    """A name fit for a header: no line breaks and no control or direction characters, at most so long."""
    clean = "".join(" " if character.isspace() else character for character in text)
    shown = "".join(character for character in clean if character.isprintable())
    return " ".join(shown.split())[:limit]
