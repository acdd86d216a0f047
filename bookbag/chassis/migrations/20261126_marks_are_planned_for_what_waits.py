"""Marks are planned by what waits now; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_marks_are_planned_for_what_waits"
down_revision = "20261125_the_record_is_read_and_anchored"


def upgrade() -> None:
    run_sql(__file__)
