"""Places in lists that are ordered by an instant and an id, as cursors carry them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bookbag.chassis import pages
from bookbag.chassis.problems import INVALID_INPUT, Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """An instant as a whole number, so that none of it is lost on the way."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def ids(parts: Sequence[str | int]) -> list[UUID]:
    """The ids in a cursor. Raises Problem `invalid-input`."""
    try:
        return [UUID(str(part)) for part in parts]
    except ValueError:
        raise _not_ours() from None


def moment_and_id(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The instant and the id in a cursor; None without one. Raises Problem `invalid-input`."""
    place = pages.decode(cursor, int, str)
    if place is None:
        return None
    (one,) = ids(place[1:])
    try:
        return _EPOCH + timedelta(microseconds=int(place[0])), one
    except OverflowError:
        raise _not_ours() from None


def _not_ours() -> Problem:
    return Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"})
