"""The acts that messaging puts on a school's record, as stable codes. The web client has words for each (`web/src/words/acts.ts`)."""

from enum import StrEnum


class Act(StrEnum):
    """PRV-4. A code never changes its meaning; an act that is done no more keeps its code, because old entries have it."""

    SAFETY_READ = "safety-read"
    """Somebody whom the school alerts read what was said about a child's safety in a conversation that is not theirs (MSG-15)."""
