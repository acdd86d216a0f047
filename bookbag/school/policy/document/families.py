"""The parts of the document about guardians, invitations, families outside the app, and pupils' own sign-in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from bookbag.school.policy.document.fields import Between, Like, Roles
from bookbag.school.roles import Role

MonthAndDay = Annotated[str, Like("^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", '"09-01"')]


class More(StrEnum):
    """Whether there can be more guardians than the number says."""

    ON_REQUEST = "on_request"
    NEVER = "never"


class CodesFor(StrEnum):
    """To whom codes are given."""

    PARENTS_AND_GUARDIANS = "parents_and_guardians"
    ANYBODY_ON_FILE = "anybody_on_file"


class RequestField(StrEnum):
    """What a request for a further guardian must say."""

    NAME = "name"
    RELATIONSHIP = "relationship"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardians:
    """How many guardians a child can have in the service (POL-8, INV-4)."""

    per_child: Annotated[int, "how many without asking", Between(1, 10)] = 2
    more: Annotated[More, "whether more can be asked for"] = More.ON_REQUEST
    approved_by: Annotated[Roles, "who approves more"] = (Role.OFFICE,)
    request_says: Annotated[tuple[RequestField, ...], "what a request must say", Between(0, 3)] = (
        RequestField.NAME,
        RequestField.RELATIONSHIP,
        RequestField.EMAIL,
    )
    codes_for: Annotated[CodesFor, "to whom codes are given; requests of anybody else are declined"] = (
        CodesFor.PARENTS_AND_GUARDIANS
    )


class Way(StrEnum):
    """How an invitation reaches a family (INV-1)."""

    EMAIL = "email"
    TEXT = "text"
    LETTER = "letter"
    CLASS_LINK = "class_link"
    DIRECTORY = "directory"


class Activation(StrEnum):
    """What a family needs to get in (INV-2)."""

    CODE = "code"
    CODE_AND_PASSWORD = "code_and_password"  # noqa: S105 - the name of a way in, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """How families come in (INV-1, INV-2)."""

    ways: Annotated[tuple[Way, ...], "the ways that are used", Between(1, 5)] = (Way.EMAIL, Way.LETTER, Way.DIRECTORY)
    sent_by: Annotated[Roles, "who invites"] = (Role.TEACHER, Role.OFFICE)
    resent_by: Annotated[Roles, "who sends one again"] = (Role.OFFICE,)
    activation: Annotated[Activation, "a code, or a code and a password apart"] = Activation.CODE
    email_must_be_on_file: Annotated[bool, "the account's e-mail must be the one on file"] = True
    expire_after_hours: Annotated[int, "when links and codes end", Between(1, 336)] = 48
    remind_every_days: Annotated[
        int | None, "how often families who have not joined are reminded; left out: by hand", Between(1, 90)
    ] = None


class OtherWay(StrEnum):
    """How a family outside the app hears the same (INV-7)."""

    PAPER_DIARY = "paper_diary"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """What the school does for families beyond messages."""

    outside_the_app: Annotated[
        tuple[OtherWay, ...], "how families who do not join hear the same", Between(1, 3)
    ] = (OtherWay.EMAIL, OtherWay.PAPER_DIARY)  # fmt: skip
    asked_what_they_want_to_hear: Annotated[bool, "the teacher asks what a family would like to hear about"] = False
    see_their_data: Annotated[bool, "everyone can see, change and delete what is held on them (PRV-1)"] = True


class PupilArea(StrEnum):
    """What a pupil who signs in finds."""

    AVATAR = "avatar"
    POINTS = "points"
    PORTFOLIO = "portfolio"
    HOMEWORK = "homework"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupils:
    """Pupils' own sign-in (ID-8). Pupils have no messages, whatever is written here (MSG-11)."""

    sign_in: Annotated[bool, "whether pupils sign in"] = False
    needs_permission: Annotated[bool, "only with a guardian's permission"] = True
    area: Annotated[tuple[PupilArea, ...], "what they find", Between(0, 4)] = ()
    may_use_guardians_account: Annotated[bool, "whether a pupil may use a guardian's account"] = False


class YearChange(StrEnum):
    """How the new school year begins (ID-5)."""

    BY_HAND = "by_hand"
    BY_ITSELF = "by_itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearEnd:
    """What happens to classes and accounts at the end of a year, and when somebody leaves (ID-5, ID-6)."""

    archived_classes_readable: Annotated[bool, "families keep reading the story of a class that has ended"] = True
    change: Annotated[YearChange, "the new year is opened by hand, or by itself on the date below"] = YearChange.BY_HAND
    change_on: Annotated[MonthAndDay | None, "for by_itself: month and day"] = None
    leavers_records: Annotated[bool, "what a member of staff wrote stays with the school when they leave"] = True
