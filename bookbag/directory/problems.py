"""The refusals that stand before every door of every service because of the school's rules; beside the chassis' own."""

from bookbag.chassis.problems import ProblemKind
from bookbag.directory import entry

TERMS_NOT_ACCEPTED = ProblemKind(
    "terms-not-accepted", 403, "The school's terms come first. Read and accept them, then go on."
)

EVERYWHERE = (*entry.KINDS, TERMS_NOT_ACCEPTED)
"""For the list of all problems and for the tests that hold every answer against it."""
