"""A role that reads the record and nothing else, and what is known of the anchors of its heads; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_the_record_is_read_and_anchored"
down_revision = "20261125_a_bus_that_lost_its_log_is_told_again"


def upgrade() -> None:
    run_sql(__file__)
