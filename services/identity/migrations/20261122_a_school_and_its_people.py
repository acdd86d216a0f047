"""Schools, their people and the access feed; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261122_a_school_and_its_people"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
