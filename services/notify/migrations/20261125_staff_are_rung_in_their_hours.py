"""What is needed to let a mail wait for the hours of its reader."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_staff_are_rung_in_their_hours"
down_revision = "20261125_deliveries_remember_their_cause"


def upgrade() -> None:
    run_sql(__file__)
