"""What a backup says of itself: which code made it, when each service was taken, and what every table must hash to when it comes back.

The manifest is written last, so a folder without one is a backup that was never finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from bookbag.chassis.backup import BackupRefused

FORMAT: Literal[1] = 1
"""Raise it when an older Bookbag could not read what is put down."""

NAME = "manifest.json"
INDEX = "files/index.jsonl.gz"


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hash(_Said):
    """How many lines, and what they hash to in whatever order they come."""

    rows: int
    digest: str


class Table(Hash):
    """One table, with the columns that were put down, in that order."""

    columns: Sequence[str]


class Taken(_Said):
    """One service, as one snapshot saw it."""

    at: datetime
    revisions: Mapping[str, str]
    """The newest migration of each history."""
    tables: Mapping[str, Table]
    sequences: Mapping[str, tuple[int, bool]]
    """The last number drawn and whether it was; read after the rows, hence never behind them."""


class OneSchool(_Said):
    """The only school that a backup holds."""

    id: UUID
    code: str


class Manifest(_Said):
    """A whole backup, of all schools or of one. Services stand in the order in which they were taken."""

    product: Literal["bookbag"] = "bookbag"
    format: Literal[1] = FORMAT
    version: str
    demo: bool
    """Whether the installation was a demo, whose visitors may sign in as anybody."""
    school: OneSchool | None = None
    """None when it holds the whole installation."""
    services: Mapping[str, Taken]
    objects: Hash
    """Of the index of files, which has one line for each."""
    object_bytes: int

    @property
    def begun_at(self) -> datetime:
        """Nothing that was done before this instant is missing."""
        return min(taken.at for taken in self.services.values())

    def text(self) -> str:
        """As it is written down; `read_manifest` reads it."""
        return self.model_dump_json(indent=1, exclude_none=True)

    @property
    def rows(self) -> int:
        return sum(table.rows for taken in self.services.values() for table in taken.tables.values())


def read_manifest(text: bytes, where: str) -> Manifest:
    """Read what `Manifest.text` wrote. Raises BackupRefused."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        if wrong["loc"] == ("format",):
            raise BackupRefused(
                f"The backup in {where} was made by a newer Bookbag; restore it with that one."
            ) from error
        place = ".".join(map(str, wrong["loc"])) or "all of it"
        raise BackupRefused(
            f"The manifest of {where} cannot be read ({place}: {wrong['msg']}); take another backup."
        ) from error


def file_of_table(service: str, table: str) -> str:
    """Where the rows of a table lie in a backup."""
    return f"{service}/{table}.copy.gz"


def file_of_number(number: int) -> str:
    """Where a file lies in a backup: a thousand to a folder."""
    return f"files/{number // 1000:06d}/{number:09d}"
