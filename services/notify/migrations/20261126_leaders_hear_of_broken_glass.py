"""What is needed to tell leaders that somebody came in for a reason."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_leaders_hear_of_broken_glass"
down_revision = "20261125_staff_are_rung_in_their_hours"


def upgrade() -> None:
    run_sql(__file__)
