"""What a family waits for is read from the end of its thread, however long that is; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_whoever_waits_is_found_from_the_end"
down_revision = "20261126_who_was_alerted_is_on_record"


def upgrade() -> None:
    run_sql(__file__)
