"""The copy of who is who that a service keeps; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_who_is_who"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
