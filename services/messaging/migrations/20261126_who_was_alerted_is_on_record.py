"""Since when somebody's reading of what was said about a child's safety counts; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_who_was_alerted_is_on_record"
down_revision = "20261126_who_waits_for_an_answer"


def upgrade() -> None:
    run_sql(__file__)
