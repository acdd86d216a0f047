"""Suspensions; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_suspensions_have_an_end"
down_revision = "20261125_people_accept_terms"


def upgrade() -> None:
    run_sql(__file__)
