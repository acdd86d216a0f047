"""A process is given the mails of those kinds alone that it knows; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_processes_take_what_they_know"
down_revision = "20261126_leaders_hear_of_broken_glass"


def upgrade() -> None:
    run_sql(__file__)
