"""The roles in which people meet a school, and which of them are staff."""

from enum import StrEnum


class Role(StrEnum):
    """A membership is one person in one of these (PRODUCT: People). Operators have none."""

    GUARDIAN = "guardian"
    PUPIL = "pupil"
    TEACHER = "teacher"
    ASSISTANT = "assistant"
    SPECIALIST = "specialist"
    LEADER = "leader"
    SAFEGUARDING = "safeguarding"
    OFFICE = "office"


STAFF = frozenset({Role.TEACHER, Role.ASSISTANT, Role.SPECIALIST, Role.LEADER, Role.SAFEGUARDING, Role.OFFICE})
"""Everybody who works at the school."""


class SeatKind(StrEnum):
    """The places on the staff that families write to (MSG-14). A seat outlives the people who hold it."""

    CLASS_TEACHER = "class_teacher"
    SPECIALIST = "specialist"
    LEADERS = "leaders"
    OFFICE = "office"


SEAT_ROLES = {
    SeatKind.CLASS_TEACHER: frozenset({Role.TEACHER}),
    SeatKind.SPECIALIST: frozenset({Role.SPECIALIST}),
    SeatKind.LEADERS: frozenset({Role.LEADER}),
    SeatKind.OFFICE: frozenset({Role.OFFICE}),
}
"""In which role somebody must act to use a seat they hold: a teacher who is a parent uses none as the parent (ID-10)."""
