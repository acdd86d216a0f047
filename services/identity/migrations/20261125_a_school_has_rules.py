"""Versions of the schools' policies; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_a_school_has_rules"
down_revision = "20261123_people_sign_in"


def upgrade() -> None:
    run_sql(__file__)
