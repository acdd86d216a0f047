"""What services say to each other about content: a reference to it, and who may read it. The words themselves stay with their owner."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ContentRef:
    """A content that some service owns. `kind` is `message` today; posts, forms and awards later."""

    school: UUID
    kind: str
    content: UUID


@dataclass(frozen=True, slots=True)
class Reader:
    """One person who may read a content, in one role; an empty role is any of theirs."""

    person: UUID
    role: str
    language: str
