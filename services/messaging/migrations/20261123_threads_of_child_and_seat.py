"""Threads, messages, receipts and translations; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_threads_of_child_and_seat"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
