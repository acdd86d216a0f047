"""A step of a live stream is written without a look at its head."""

from bookbag.chassis.migrate import run_sql

revision = "20261127_steps_need_no_look_at_their_head"
down_revision = "20261126_processes_take_what_they_know"


def upgrade() -> None:
    run_sql(__file__)
