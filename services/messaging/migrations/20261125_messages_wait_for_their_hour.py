"""Held messages, what is promised to their authors, and messages about a child's safety; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_messages_wait_for_their_hour"
down_revision = "20261123_threads_of_child_and_seat"


def upgrade() -> None:
    run_sql(__file__)
