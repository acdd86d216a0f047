"""Accounts, sessions and refresh tokens; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_people_sign_in"
down_revision = "20261122_a_school_and_its_people"


def upgrade() -> None:
    run_sql(__file__)
