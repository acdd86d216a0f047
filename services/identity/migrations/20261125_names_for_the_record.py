"""The names under which the record's readers look people up, as in the services that keep a copy; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_names_for_the_record"
down_revision = "20261125_a_school_has_rules"


def upgrade() -> None:
    run_sql(__file__)
