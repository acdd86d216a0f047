"""What several routes of messaging show alike: the child, the class, the seat, and who wrote."""

from typing import Literal
from uuid import UUID

from bookbag.chassis.http import Shown


class PupilShown(Shown):
    """The child a thread is about."""

    id: UUID
    name: str
    first_name: str


class ClassShown(Shown):
    """A class."""

    id: UUID
    name: str


class SeatShown(Shown):
    """A place on the staff and the names of those who hold it."""

    id: UUID
    kind: str
    subject: str
    holders: list[str]


class AuthorShown(Shown):
    """Who wrote a message, and on which side."""

    id: UUID
    name: str
    side: Literal["staff", "family"]
