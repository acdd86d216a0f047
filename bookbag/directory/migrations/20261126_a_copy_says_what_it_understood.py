"""Which facts this service's copy of who is who was made from; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261126_a_copy_says_what_it_understood"
down_revision = "20261125_the_schools_rules"


def upgrade() -> None:
    run_sql(__file__)
