"""Up to which message the staff of a thread said that nobody waits, and what a family waits for; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_who_waits_for_an_answer"
down_revision = "20261125_messages_wait_for_their_hour"


def upgrade() -> None:
    run_sql(__file__)
