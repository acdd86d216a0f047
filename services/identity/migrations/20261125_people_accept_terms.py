"""Accepted terms; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_people_accept_terms"
down_revision = "20261125_names_for_the_record"


def upgrade() -> None:
    run_sql(__file__)
