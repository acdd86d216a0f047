"""The school's rules as this service keeps them; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_the_schools_rules"
down_revision = "20261125_one_projector_at_a_time"


def upgrade() -> None:
    run_sql(__file__)
