"""The acts that identity puts on a school's record, as stable codes. The web client has words for each (`web/src/words/acts.ts`)."""

from enum import StrEnum


class Act(StrEnum):
    """PRV-4. A code never changes its meaning; an act that is done no more keeps its code, because old entries have it."""

    MEMBERSHIP_ADDED = "membership-added"
    MEMBERSHIP_ENDED = "membership-ended"
    GUARDIAN_SUSPENDED = "guardian-suspended"
    GUARDIAN_REINSTATED = "guardian-reinstated"
    SUSPENSION_CHANGED = "suspension-changed"
    GUARDIANSHIP_LINKED = "guardianship-linked"
    GUARDIANSHIP_ENDED = "guardianship-ended"
    POLICY_CHANGED = "policy-changed"
    TERMS_ACCEPTED = "terms-accepted"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an act
    SESSION_REUSED = "session-reused"
    """A session was ended because its refresh token was used twice."""
    GLASS_BROKEN = "glass-broken"
    """Somebody came in outside hours or places for a reason (POL-4)."""
