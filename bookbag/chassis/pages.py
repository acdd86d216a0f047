"""Cursor pagination: a page of at most 100 items and an opaque cursor that stays right while rows come and go."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Query

from bookbag.chassis.problems import INVALID_INPUT, Problem

Limit = Annotated[int, Query(ge=1, le=100, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]


R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the place after them, None at the end."""

    items: Sequence[T]
    next: str | None


def encode(place: Sequence[str | int]) -> str:
    """A cursor from the sort key of the last item."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> list[str | int] | None:
    """The sort key in a cursor, checked against the types it must have. Raises Problem `invalid-input` for any other text."""
    if cursor is None:
        return None
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"}) from None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):  # type: ignore[misc]
        raise Problem(INVALID_INPUT, "cursor is not one of ours", extra={"field": "cursor"})
    return place  # type: ignore[return-value]


def page(
    rows: Sequence[R], limit: int, present: Callable[[R], T], place: Callable[[R], Sequence[str | int]]
) -> Page[T]:
    """A page from `limit + 1` rows, the last of which only tells whether there is more."""
    shown = rows[:limit]
    more = encode(place(shown[-1])) if len(rows) > limit else None
    return Page([present(row) for row in shown], more)
