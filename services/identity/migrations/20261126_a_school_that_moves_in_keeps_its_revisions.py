"""Rows keep the revision they bring; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_a_school_that_moves_in_keeps_its_revisions"
down_revision = "20261125_suspensions_have_an_end"


def upgrade() -> None:
    run_sql(__file__)
