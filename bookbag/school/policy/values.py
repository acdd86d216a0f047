"""Turns checked data into the document's values, and values back into data: the only place that knows both forms."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from bookbag.school.policy.document.fields import Clock
from bookbag.school.policy.shape import choices, fields_of, is_list, is_mapping, is_section, note, optional, plain
from bookbag.school.time.week import clock_of, minute_of


def build(kind: Any, data: Any) -> Any:
    """The value of this kind; `data` must have passed the schema."""
    if (only := optional(kind)) is not None:
        return None if data is None else build(only, data)
    if (pair := choices(kind)) is not None:
        return build(pair[0] if isinstance(data, str) else pair[1], data)
    base = plain(kind)
    if is_section(base):
        present = {
            field.attribute: build(field.kind, data[field.key]) for field in fields_of(base) if field.key in data
        }
        return base(**present)
    if is_mapping(base):
        key, value = get_args(base)
        return _Words({build(key, name): build(value, one) for name, one in data.items()})
    if is_list(base):
        return tuple(build(get_args(base)[0], one) for one in data)
    if note(kind, Clock) is not None:
        return minute_of(data)
    if base is date:
        return date.fromisoformat(data)
    if get_origin(base) is not Literal and issubclass(base, StrEnum):
        return base(data)
    return data


def to_data(value: Any, kind: Any) -> Any:
    """The value as the document writes it, every setting with its effective value; absent ones (None) are left out."""
    if (only := optional(kind)) is not None:
        return None if value is None else to_data(value, only)
    if (pair := choices(kind)) is not None:
        return to_data(value, pair[0] if isinstance(value, str) else pair[1])
    base = plain(kind)
    if is_section(base):
        pairs = ((field, getattr(value, field.attribute)) for field in fields_of(base))
        return {field.key: to_data(one, field.kind) for field, one in pairs if one is not None}
    if is_mapping(base):
        return {str(key): to_data(one, get_args(base)[1]) for key, one in value.items()}
    if is_list(base):
        return [to_data(one, get_args(base)[0]) for one in value]
    if note(kind, Clock) is not None:
        return clock_of(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


class _Words(Mapping[Any, Any]):
    """A mapping that nobody can change and that can be hashed, so that a whole policy can be."""

    __slots__ = ("_held",)

    def __init__(self, held: dict[Any, Any]) -> None:
        self._held = MappingProxyType(held)

    def __getitem__(self, key: Any) -> Any:
        return self._held[key]

    def __iter__(self) -> Any:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __hash__(self) -> int:
        return hash(frozenset(self._held.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Words) and self._held == other._held

    def __repr__(self) -> str:
        return repr(dict(self._held))
