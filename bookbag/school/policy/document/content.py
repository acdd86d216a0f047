"""The parts of the document that later services ask: points, stories, photos, names, homework, news, forms, translation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from bookbag.school.policy.document.fields import Between, LongWords, Roles, ShortText
from bookbag.school.roles import Role

CLASS_STAFF = (Role.TEACHER, Role.ASSISTANT, Role.SPECIALIST, Role.LEADER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points (POL-6, PTS-3). Families never see a comparison between children."""

    negative: Annotated[bool, "whether a point can be taken away; no school of ours allows it"] = False
    called: Annotated[ShortText, "what the school calls them"] = "points"
    for_what: Annotated[tuple[ShortText, ...], "what they are given for", Between(0, 30)] = ()
    decided_with_class: Annotated[bool, "skills and rewards are decided with the class"] = False
    from_home: Annotated[bool, "guardians may give them for home learning"] = False
    shown_days: Annotated[
        int | None, "how long families see an award; left out: as long as it is kept", Between(1, 730)
    ] = None
    families_see_reason: Annotated[bool, "families see total and reason"] = True
    kept_months: Annotated[int, "when awards are deleted", Between(1, 84)] = 12


class Repliers(StrEnum):
    """What families can do under a post."""

    NOTHING = "nothing"
    LIKE = "like"
    LIKE_AND_COMMENT = "like_and_comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One story: who posts, what families may do there (POL-7)."""

    posted_by: Annotated[Roles, "who posts"] = CLASS_STAFF
    families_may: Annotated[Repliers, "what families can do under a post"] = Repliers.LIKE
    families_photos: Annotated[bool, "whether families can add photos of their own"] = False
    for_homework: Annotated[bool, "whether homework is set here"] = False
    second_pair_of_eyes: Annotated[bool, "whether a second person must agree before it is posted (STO-13)"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """A child's portfolio: who adds to it, and whether pupils' work waits for approval (STO-7)."""

    added_to_by: Annotated[tuple[Role, ...], "who adds work", Between(0, 8)] = (
        Role.TEACHER,
        Role.ASSISTANT,
        Role.SPECIALIST,
        Role.PUPIL,
        Role.GUARDIAN,
    )
    approval: Annotated[bool, "whether work of pupils waits for a teacher"] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """Stories and portfolios (POL-7)."""

    class_story: Annotated[Story, "seen by the families of the class"] = Story()
    school_story: Annotated[Story, "seen by all families and staff"] = Story(
        posted_by=(Role.LEADER, Role.OFFICE), second_pair_of_eyes=True
    )
    portfolio: Annotated[Portfolio, "one child's work"] = Portfolio()
    taken_down_on_request: Annotated[bool, "whether a post is taken down when somebody asks"] = True


class WithoutConsent(StrEnum):
    """What happens to a photo that shows a child without consent (STO-5)."""

    BLUR = "blur"
    STOP = "stop"


class ConsentFor(StrEnum):
    """Each has its own answer."""

    CLASS_STORY = "class_story"
    SCHOOL_STORY = "school_story"
    WEBSITE = "website"


class PhotoRule(StrEnum):
    """What the school says of photos where they are taken or sent."""

    POSITIVE_ONLY = "positive_only"
    NOBODY_UPSET = "nobody_upset"
    FULLY_DRESSED = "fully_dressed"


class LookedAfter(StrEnum):
    """Children in the care of the local authority."""

    NEVER_SHOWN = "never_shown"
    BY_CONSENT = "by_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """Photos and videos (STO-5)."""

    consent_at_joining: Annotated[bool, "whether the question must be answered at joining"] = True
    consents: Annotated[tuple[ConsentFor, ...], "which answers are asked apart", Between(1, 3)] = (
        ConsentFor.CLASS_STORY,
        ConsentFor.SCHOOL_STORY,
    )
    without_consent: Annotated[WithoutConsent, "blur the face, or stop the post"] = WithoutConsent.STOP
    looked_after: Annotated[LookedAfter, "children in the care of the local authority"] = LookedAfter.NEVER_SHOWN
    ask_again_for_shared_video: Annotated[bool, "ask again for an educational video that shows other children"] = True
    rules: Annotated[tuple[PhotoRule, ...], "what is said where photos are taken or sent", Between(0, 3)] = (
        PhotoRule.POSITIVE_ONLY,
        PhotoRule.NOBODY_UPSET,
        PhotoRule.FULLY_DRESSED,
    )


class NameForm(StrEnum):
    """How children are named in posts (STO-6)."""

    FIRST_NAME = "first_name"
    FULL_NAME = "full_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of children in posts."""

    in_posts: Annotated[NameForm, "first names only, or in full"] = NameForm.FIRST_NAME
    initial_when_shared: Annotated[bool, "the surname's initial when two in the class share a first name"] = True


class HandIn(StrEnum):
    """Where homework is handed in."""

    PORTFOLIO = "portfolio"
    ON_PAPER = "on_paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Homework:
    """Homework and remote learning (STO-8)."""

    set_here: Annotated[bool, "whether homework is set in the service"] = False
    handed_in: Annotated[HandIn, "where it is handed in"] = HandIn.PORTFOLIO
    remote_learning: Annotated[bool, "work for an absent child is put among its documents on request"] = False


class NewsAudience(StrEnum):
    """Whom a news item can be for (STO-1)."""

    SCHOOL = "school"
    YEAR_GROUP = "year_group"
    CLASS = "class"
    PUPIL = "pupil"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """News and documents (STO-2, STO-9)."""

    audiences: Annotated[tuple[NewsAudience, ...], "whom it can be for", Between(1, 4)] = (
        NewsAudience.SCHOOL,
        NewsAudience.YEAR_GROUP,
        NewsAudience.CLASS,
        NewsAudience.PUPIL,
    )
    posted_by: Annotated[Roles, "who posts, also for others"] = (Role.OFFICE, Role.LEADER)
    scheduled_outside_hours: Annotated[bool, "whether it may be timed to appear outside hours"] = True


class ReadyForm(StrEnum):
    """Forms that are ready to be sent (FRM-2)."""

    MEDICATION = "medication"
    INTIMATE_CARE = "intimate_care"
    DIETARY = "dietary"
    TRIP = "trip"
    PHOTOS = "photos"
    EMERGENCY_CONTACTS = "emergency_contacts"
    REMOTE_LEARNING = "remote_learning"
    ADDITIONAL_GUARDIAN = "additional_guardian"


class Answerers(StrEnum):
    """Who sees the answers of a form that concerns a class."""

    OFFICE = "office"
    OFFICE_AND_CLASS_TEAM = "office_and_class_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """Forms and consent (FRM-2)."""

    offered: Annotated[tuple[ReadyForm, ...], "forms that families find", Between(0, 8)] = (
        ReadyForm.PHOTOS,
        ReadyForm.EMERGENCY_CONTACTS,
    )
    answers_seen_by: Annotated[Answerers, "who sees the answers"] = Answerers.OFFICE_AND_CLASS_TEAM
    collated_by: Annotated[Roles, "who collects the answers and passes them on"] = (Role.OFFICE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """Reading in one's own language (TR-1)."""

    offered: Annotated[bool, "whether families read in their own language"] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What the school says of itself on its pages, by language."""

    about_posts: Annotated[LongWords | None, "for example that the number of posts differs from week to week"] = None
