"""What leaves as a table is text, whatever somebody gave as a name or a reason."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bookbag.chassis.audit.chain import Entry
from bookbag.directory.record.csv_lines import BEGIN, HEADS, harmless, line_of_heads, lines
from bookbag.directory.record.names import Named, Told

pytestmark = pytest.mark.req("PRV-4")

WHO, WHOM = UUID(int=1), UUID(int=2)


def told(reason: str = "", name: str | None = "Ada") -> Told:
    entry = Entry(
        UUID(int=9), 7, datetime(2026, 11, 25, 8, tzinfo=UTC), WHO, "leader", "guardian-suspended", "person", WHOM, reason,
        b"", b"",
    )  # fmt: skip
    return Told(entry, Named(WHO, name), [Named(WHOM, "Carmen")])


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_run_is_read_as_text(begin: str) -> None:
    evil = f'{begin}HYPERLINK("http://evil.example","x")'
    (row,) = csv.reader(io.StringIO(lines("identity", [told(reason=evil, name=evil)]), newline=""))
    assert (row[3], row[-1]) == (f"'{evil}", f"'{evil}")


def test_other_cells_stay_as_they_are() -> None:
    for text in ("", "Ada", "a = b", "1-2", "日本"):
        assert harmless(text) == text


def test_quotes_commas_and_line_breaks_stay_inside_their_cell() -> None:
    reason = 'said "no", twice\nand left'
    read = list(csv.reader(io.StringIO(line_of_heads() + lines("identity", [told(reason)]), newline="")))
    assert read[0] == [BEGIN + HEADS[0], *HEADS[1:]]
    assert read[1] == [
        "identity", "7", "2026-11-25T08:00:00+00:00", "Ada", str(WHO), "leader", "guardian-suspended", "Carmen", "person", str(WHOM), reason,
    ]  # fmt: skip


def test_somebody_without_a_name_is_an_id_alone() -> None:
    (row,) = csv.reader(io.StringIO(lines("identity", [told(name=None)])))
    assert (row[3], row[4]) == ("", str(WHO))
