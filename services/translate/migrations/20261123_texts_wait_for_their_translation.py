"""The one table of translate; the words are in the SQL beside this file."""

from bookbag.chassis.migrate import run_sql

revision = "20261123_texts_wait_for_their_translation"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
