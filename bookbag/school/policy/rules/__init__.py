"""What the school's rules decide for one person at one instant: pure functions, the same answer in every service.

`SchoolRules` is made once from a policy and kept for as long as that version counts; `person` once for each role (and each
staff member with narrower hours). A decision then takes microseconds and carries its reasons as codes, from which every
surface makes its own words.
"""

from bookbag.school.policy.rules.access import Entry, may_enter
from bookbag.school.policy.rules.compiled import Person, SchoolRules, WiderThanTheSchool, own_hours
from bookbag.school.policy.rules.duty import Duty, Ring, may_ring, on_duty
from bookbag.school.policy.rules.people import (
    Beginning,
    GuardianPlace,
    PlaceOutcome,
    ReviewState,
    Rung,
    Signposted,
    TermsDue,
    digest_of,
    may_answer,
    may_begin,
    next_review,
    next_step,
    place_for_guardian,
    review_state,
    seat_role,
    signpost,
    terms_for,
    terms_version,
)
from bookbag.school.policy.rules.reasons import Reason, ReasonCode
from bookbag.school.policy.rules.sending import AnswerPromise, Outcome, Sending, answer_promised, may_send

__all__ = [
    "AnswerPromise",
    "Beginning",
    "Duty",
    "Entry",
    "GuardianPlace",
    "Outcome",
    "Person",
    "PlaceOutcome",
    "Reason",
    "ReasonCode",
    "ReviewState",
    "Ring",
    "Rung",
    "SchoolRules",
    "Sending",
    "Signposted",
    "TermsDue",
    "WiderThanTheSchool",
    "answer_promised",
    "digest_of",
    "may_answer",
    "may_begin",
    "may_enter",
    "may_ring",
    "may_send",
    "next_review",
    "next_step",
    "on_duty",
    "own_hours",
    "place_for_guardian",
    "review_state",
    "seat_role",
    "signpost",
    "terms_for",
    "terms_version",
]
