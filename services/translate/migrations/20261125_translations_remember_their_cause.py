"""A translation belongs to the trace of what it was wanted for."""

from bookbag.chassis.migrate import run_sql

revision = "20261125_translations_remember_their_cause"
down_revision = "20261123_texts_wait_for_their_translation"


def upgrade() -> None:
    run_sql(__file__)
