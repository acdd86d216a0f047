"""Why a decision came out as it did, in a form that programs carry and every language can say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Parameter = datetime | str | int | tuple[str, ...]
"""Instants are UTC, roles and other names their stable codes."""


class ReasonCode(StrEnum):
    """A code never changes its meaning. What each carries stands behind it."""

    ON_DUTY = "on_duty"  # until
    OFF_DUTY = "off_duty"  # opens
    NO_HOURS_KNOWN = "no_hours_known"  # no later opening is in the calendar
    NOT_STAFF = "not_staff"

    ACCESS_ALWAYS = "access_always"
    ACCESS_EXEMPT = "access_exempt"  # role
    ACCESS_OPEN = "access_open"  # until
    ACCESS_CLOSED = "access_closed"  # opens
    ACCESS_WRONG_PLACE = "access_wrong_place"
    ACCESS_RIGHT_PLACE = "access_right_place"  # network

    SENT_NOW = "sent_now"
    HELD_UNTIL = "held_until"  # opens
    REFUSED_UNTIL = "refused_until"  # opens
    QUIET_TIME = "quiet_time"  # opens
    LESSON_TIME = "lesson_time"  # until
    ABOUT_SAFETY = "about_safety"  # roles
    PUPILS_HAVE_NO_MESSAGES = "pupils_have_no_messages"
    SENDER_EXEMPT = "sender_exempt"  # role

    ANSWER_BY = "answer_by"  # by
    NO_ANSWER_PROMISED = "no_answer_promised"
    ANSWER_AFTER_CALENDAR = "answer_after_calendar"  # the calendar ends before the promise does

    RINGS_NOW = "rings_now"
    SILENT_UNTIL = "silent_until"  # opens
    RINGS_EXEMPT = "rings_exempt"  # role
    RINGS_URGENT = "rings_urgent"

    EITHER_BEGINS = "either_begins"
    STAFF_BEGIN = "staff_begin"
    CLASS_TEACHERS_ONLY = "class_teachers_only"
    NO_CONVERSATION = "no_conversation"
    ANSWERS_OWN_SEAT = "answers_own_seat"
    ANSWERS_SHARED_INBOX = "answers_shared_inbox"
    STANDS_IN = "stands_in"
    STANDS_IN_ONLY_WHEN_ABSENT = "stands_in_only_when_absent"
    ANSWERS_NOT_HERE = "answers_not_here"

    PLACE_FREE = "place_free"  # per_child
    PLACE_ON_REQUEST = "place_on_request"  # per_child, approved_by
    PLACES_TAKEN = "places_taken"  # per_child
    NOT_A_GUARDIAN = "not_a_guardian"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason with its parameters."""

    code: ReasonCode
    parameters: Mapping[str, Parameter]


def because(code: ReasonCode, **parameters: Parameter | None) -> Reason:
    """A reason; parameters that are None are left out."""
    if None in parameters.values():
        return Reason(code, {name: value for name, value in parameters.items() if value is not None})
    return Reason(code, parameters)  # pyright: ignore[reportArgumentType] - None was just ruled out
