"""Reads the document's classes: what kind of value a field takes, and its notes. Schema, checks, values and docs stand on this."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: its key in the document, kind of value, notes, and default (`MISSING` when it must be written)."""

    key: str
    attribute: str
    kind: Any
    text: str
    default: Any

    @property
    def required(self) -> bool:
        """Whether the document must have it."""
        return self.default is MISSING


@cache
def fields_of(section: type) -> tuple[Field, ...]:
    """The settings of a section, in their order."""
    hints = get_type_hints(section, include_extras=True)
    found: list[Field] = []
    for one in fields(section):
        kind = hints[one.name]
        found.append(Field(one.name.rstrip("_"), one.name, kind, text_of(kind), one.default))
    return tuple(found)


def plain(kind: Any) -> Any:
    """The kind without its notes."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def notes(kind: Any) -> Iterator[Any]:
    """The notes of a kind, innermost first; those of `X | None` come with X's."""
    if get_origin(kind) is Annotated:
        inner, *own = get_args(kind)
        yield from notes(inner)
        yield from own
    elif (only := optional(kind)) is not None:
        yield from notes(only)


def note(kind: Any, wanted: type[N]) -> N | None:
    """The outermost note of one class."""
    return next((one for one in reversed(list(notes(kind))) if isinstance(one, wanted)), None)


def text_of(kind: Any) -> str:
    """What the field says of itself."""
    return note(kind, str) or ""


def optional(kind: Any) -> Any | None:
    """X of `X | None`, else None."""
    kind = plain(kind)
    if get_origin(kind) in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not types.NoneType]
        if len(parts) < len(get_args(kind)) and len(parts) == 1:
            return parts[0]
    return None


def choices(kind: Any) -> tuple[Any, Any] | None:
    """(words, section) of a union such as `NamedHours | Week`, else None."""
    kind = plain(kind)
    if get_origin(kind) in (Union, types.UnionType) and optional(kind) is None:
        words, section = get_args(kind)
        return words, section
    return None


def is_section(kind: Any) -> bool:
    """Whether it is one of the document's classes."""
    return isinstance(kind, type) and is_dataclass(kind)


def is_mapping(kind: Any) -> bool:
    """Whether it is a mapping with keys of the school's choice."""
    return get_origin(kind) is Mapping


def is_list(kind: Any) -> bool:
    """Whether it is a list."""
    return get_origin(kind) is tuple
