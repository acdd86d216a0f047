"""The parts of the document about messages: windows, answers, who may write to whom, and matters that belong elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from bookbag.school.policy.document.fields import (
    Among,
    Between,
    Hours,
    InboxAddress,
    Minute,
    NamedHours,
    PhoneNumber,
    Roles,
    StaffRole,
    Words,
)
from bookbag.school.policy.document.people import LEADING
from bookbag.school.roles import Role


class Outside(StrEnum):
    """What happens to a message outside a window."""

    SEND = "send"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyWindow:
    """When families may write (POL-5). A message about a child's safety passes always."""

    hours: Annotated[Hours, "hours in which a message goes straight through"] = NamedHours.ALWAYS
    outside: Annotated[Outside, "outside them: accept and hold, refuse, or send all the same"] = Outside.HOLD
    in_lessons: Annotated[Outside, "the same during lessons"] = Outside.SEND


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffWindow:
    """When staff may write to families."""

    hours: Annotated[Hours, "hours in which a message of staff goes straight through"] = NamedHours.STAFF
    outside: Annotated[Outside, "outside them"] = Outside.HOLD
    in_lessons: Annotated[Outside, "during lessons, for those who teach"] = Outside.HOLD
    exempt: Annotated[Roles, "roles that may write at any time"] = LEADING


class Talk(StrEnum):
    """Who may begin a conversation (MSG-13)."""

    ANY = "any"
    STAFF_FIRST = "staff_first"
    CLASS_TEACHERS_ONLY = "class_teachers_only"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamiliesWith:
    """Families and each role of staff: either side may begin, staff first, only in the child's own class, or not at all."""

    teacher: Annotated[Talk, "families and teachers"] = Talk.CLASS_TEACHERS_ONLY
    assistant: Annotated[Talk, "families and assistants"] = Talk.OFF
    specialist: Annotated[Talk, "families and subject teachers"] = Talk.ANY
    leader: Annotated[Talk, "families and leaders"] = Talk.ANY
    safeguarding: Annotated[Talk, "families and the safeguarding lead"] = Talk.ANY
    office: Annotated[Talk, "families and the office"] = Talk.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """The matrix of who may begin a conversation with whom (MSG-13). Pupils never can, whatever is written here (MSG-11)."""

    families_with: Annotated[FamiliesWith, "families and staff"] = FamiliesWith()
    staff_with_staff: Annotated[Talk, Among(frozenset({Talk.ANY, Talk.OFF})), "staff among themselves"] = Talk.ANY


class StandsIn(StrEnum):
    """When an assistant may answer for the teacher (MSG-4); each answer says who wrote it."""

    NEVER = "never"
    TEACHER_ABSENT = "teacher_absent"
    ALWAYS = "always"


class ClassInbox(StrEnum):
    """Whether a class's team answers from one inbox (ID-7)."""

    OWN = "own"
    SHARED = "shared"


class Replies(StrEnum):
    """Whether families can answer an announcement (MSG-13)."""

    OPEN = "open"
    CLOSED = "closed"


class FamilyThreads(StrEnum):
    """Whether a child's guardians share a thread (MSG-1)."""

    SHARED = "shared"
    EACH_THEIR_OWN = "each_their_own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """Who may look into any thread; each opening is recorded with a reason (MSG-9)."""

    roles: Annotated[Roles, "roles that may"] = LEADING
    class_pages_every_weeks: Annotated[
        int | None, "how often leaders look at class pages; left out: when they wish", Between(1, 52)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages between families and staff (MSG-1, POL-5)."""

    families: Annotated[FamilyWindow, "when families may write"] = FamilyWindow()
    staff: Annotated[StaffWindow, "when staff may write"] = StaffWindow()
    conversations: Annotated[Conversations, "who may begin with whom"] = Conversations()
    stand_in: Annotated[StandsIn, "when an assistant may answer for the teacher"] = StandsIn.TEACHER_ABSENT
    class_inbox: Annotated[ClassInbox, "each teacher an own inbox, or one shared by the class's team"] = ClassInbox.OWN
    family_threads: Annotated[FamilyThreads, "guardians of a child share a thread, or each has their own"] = (
        FamilyThreads.SHARED
    )
    announcements: Annotated[Replies, "whether families can answer an announcement"] = Replies.OPEN
    oversight: Annotated[Oversight, "who may look into threads"] = Oversight()


class PromiseKind(StrEnum):
    """How the promise of an answer counts, from the moment the message is visible to staff."""

    NONE = "none"
    WORKING_HOURS = "hours_on_working_days"
    WORKING_DAYS = "working_days"
    END_OF_DAY = "end_of_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """By when families can expect an answer (POL-5, MSG-16)."""

    kind: Annotated[
        PromiseKind,
        "clock hours that pass on working days; the end of staff hours some working days later; an hour of the day; none",
    ] = PromiseKind.NONE
    hours: Annotated[int | None, "for hours_on_working_days: how many clock hours", Between(1, 240)] = None
    days: Annotated[int | None, "for working_days: how many", Between(1, 20)] = None
    time: Annotated[Minute | None, "for end_of_day: at which time"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """When staff answer, and what is promised."""

    slots: Annotated[Hours, "hours in which staff answer"] = NamedHours.STAFF
    promise: Annotated[Promise, "by when an answer can be expected"] = Promise()


class Matter(StrEnum):
    """What must not go through messages in many schools (POL-9)."""

    ABSENCE = "absence"
    LATENESS = "lateness"
    APPOINTMENTS = "appointments"
    SICKNESS = "sickness"
    DINNERS = "dinners"
    CLUBS = "clubs"
    LOST_PROPERTY = "lost_property"
    MUSIC_LESSONS = "music_lessons"
    URGENT = "urgent"
    """Collection of children, and whatever else cannot wait."""
    COMPLAINTS = "complaints"
    FIRST_AID = "first_aid"
    BEHAVIOUR = "behaviour"
    SAFEGUARDING = "safeguarding"
    PROGRESS = "progress"


class Instead(StrEnum):
    """What happens instead."""

    MESSAGE = "message"
    """Nothing else: this matter may go by message."""
    CALL_OFFICE = "call_office"
    OFFICE_INBOX = "office_inbox"
    MEETING = "meeting"
    PHONE = "phone"
    """Staff and family speak by phone."""
    USUAL_CHANNEL = "usual_channel"
    """The way the school already has, which the words name."""


class StaffStep(StrEnum):
    """What staff may do with such a message that came all the same."""

    ASK_TO_PHONE = "ask_to_phone"
    PHONE = "phone"
    MEETING = "meeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signpost:
    """Where one matter leads."""

    instead: Annotated[Instead, "what the family is offered"]
    number: Annotated[PhoneNumber | None, "a number of its own; left out: the office's"] = None
    inbox: Annotated[InboxAddress | None, "an inbox of its own; left out: the office's"] = None
    words: Annotated[Words, "the school's words, by language"]
    passed_on: Annotated[bool, "a message about it is passed to the office, with the standard answer"] = False


class MustPhone(StrEnum):
    """What staff tell families by phone, never in writing (MSG-15)."""

    INJURY = "injury"
    INCIDENT = "incident"
    DYSREGULATION = "dysregulation"
    UNEXPLAINED_MARK = "unexplained_mark"
    RESTRAINT = "restraint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signposting:
    """Matters that belong elsewhere (POL-9, MSG-6). Safety concerns are never redirected or refused (MSG-15)."""

    matters: Annotated[
        Mapping[Matter, Signpost], "each matter and where it leads; left out: by message", Between(0, 14)
    ]
    standard_answer: Annotated[Words | None, "the brief answer when a message is passed on"] = None
    staff_may: Annotated[
        tuple[StaffStep, ...], "what staff may do with such a message", Between(0, 3)
    ] = (StaffStep.ASK_TO_PHONE, StaffStep.PHONE, StaffStep.MEETING)  # fmt: skip
    staff_phone_home: Annotated[
        tuple[MustPhone, ...], "what staff tell families by phone, never in writing", Between(0, 5)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What "It is about a child's safety" does: never held, at once to these roles, with these words (MSG-15)."""

    words: Annotated[Words, "emergency words shown to the family, by language"]
    number: Annotated[PhoneNumber | None, "whom to call at once; left out: the office"] = None
    alerts: Annotated[tuple[StaffRole, ...], "roles that are told at once", Between(1, 6)] = (Role.SAFEGUARDING,)
