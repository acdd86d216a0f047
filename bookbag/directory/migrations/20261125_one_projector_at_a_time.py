"""Who may apply changes to this service's copy of who is who; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_one_projector_at_a_time"
down_revision = "20261123_who_is_who"


def upgrade() -> None:
    run_sql(__file__)
