"""The infrastructure every service database has; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_a_service_tells_and_hears"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
