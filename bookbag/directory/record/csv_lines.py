"""The record as a table that spreadsheets open: UTF-8 with a mark, and no cell that one of them would run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from bookbag.directory.record.names import Named, Told

BEGIN = "\ufeff"
"""Tells spreadsheets that this is UTF-8."""

HEADS = ("service", "number", "time", "by", "by_id", "role", "act", "whom", "kind", "about_id", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line_of_heads() -> str:
    """The first line."""
    return BEGIN + _lines([HEADS])


def lines(service: str, entries: Sequence[Told]) -> str:
    """One line for each entry of a service's part of the record."""
    return _lines((service, *_cells(one)) for one in entries)


def _cells(one: Told) -> Sequence[str]:
    entry = one.entry
    return (
        str(entry.seq), entry.at.isoformat(), _name(one.by), str(entry.actor or ""), entry.role, entry.act,
        "; ".join(map(_name, one.whom)), entry.kind, str(entry.about or ""), entry.reason,
    )  # fmt: skip


def _name(person: Named | None) -> str:
    return (person.name or "") if person else ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([[harmless(cell) for cell in row] for row in rows])
    return written.getvalue()


def harmless(cell: str) -> str:
    """A cell that is read as text: what would begin a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
