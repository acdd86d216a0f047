"""Each bucket remembers which log of the bus it told, and how far it has told a new one again; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_a_bus_that_lost_its_log_is_told_again"
down_revision = "20261123_a_service_tells_and_hears"


def upgrade() -> None:
    run_sql(__file__)
