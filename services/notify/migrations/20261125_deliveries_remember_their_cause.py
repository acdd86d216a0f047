"""A delivery belongs to the trace of what caused it, however much later it goes."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_deliveries_remember_their_cause"
down_revision = "20261123_people_are_told"


def upgrade() -> None:
    run_sql(__file__)
