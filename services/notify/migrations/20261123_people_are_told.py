"""What people are told, by which channel, and how far each mail has come; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_people_are_told"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
