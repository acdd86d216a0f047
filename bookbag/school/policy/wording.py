"""Says what a broken schema rule means: which setting, what is wrong, and what would be right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import jsonschema_rs

from bookbag.school.policy.document.fields import CLOCK, LANGUAGE_TAG
from bookbag.school.policy.faults import Fault, Lines, Path, at
from bookbag.school.policy.phrases import Phrase, phrase

_TYPES = {
    "object": phrase("settings with keys of their own"),
    "array": phrase("a list, each item on a line that begins with -"),
    "string": phrase("text"),
    "integer": phrase("a whole number"),
    "boolean": phrase("true or false"),
}
_EXAMPLES = {
    CLOCK.pattern: phrase('Write a time as "HH:MM", such as "16:30"; "24:00" is the end of the day.'),
    LANGUAGE_TAG.pattern: phrase("Use language tags as keys, such as en or cy."),
}


def schema_faults(
    schema: Mapping[str, Any], errors: Sequence[jsonschema_rs.ValidationError], lines: Lines
) -> Iterator[Fault]:
    """One fault for each mistake; a mistake is told once, however many rules it breaks."""
    for error in errors:
        path: Path = tuple(error.instance_path)
        around = _walk(schema, error.schema_path[:-1])
        kind: Any = error.kind
        match kind.name:
            case "additionalProperties":
                for key in kind.unexpected:
                    yield at(
                        lines, (*path, key), phrase("there is no setting {key!r} here", key=key), _nearest(key, around)
                    )
            case "required":
                key = str(kind.property)
                text = around.get("properties", {}).get(key, {}).get("description", "")
                right = phrase("Write it: {about}.", about=phrase(text)) if text else phrase("Write it.")
                yield at(lines, (*path, key), phrase("it is missing"), right)
            case _:
                yield at(lines, path, *_said(kind, error.instance, around, error.message))


def _said(kind: Any, value: Any, around: Mapping[str, Any], message: str) -> tuple[str, str]:
    shown = _short(value)
    said: Callable[[], tuple[Phrase, Phrase]] | None = {
        "enum": lambda: (
            phrase("{it} is not a choice here", it=shown),
            _choose(value, kind.options if hasattr(kind, "options") else []),
        ),
        "type": lambda: (
            phrase("{it} is {kind}", it=shown, kind=_kind_of(value)),
            phrase("Write {it}.", it=_wanted(kind.types)),
        ),
        "const": lambda: (phrase("{it} is not possible", it=shown), phrase("Write {it}.", it=around.get("const"))),
        "format": lambda: (
            phrase("{it} is not a date of the calendar", it=shown),
            phrase("Write a date as YYYY-MM-DD, such as 2026-09-01."),
        ),
        "pattern": lambda: (phrase("{it} is not written as it should be", it=shown), _form(around)),
        "minimum": lambda: (phrase("{it} is too small", it=shown), phrase("{limit} is the least.", limit=kind.limit)),
        "maximum": lambda: (phrase("{it} is too large", it=shown), phrase("{limit} is the most.", limit=kind.limit)),
        "minLength": lambda: (phrase("it is empty"), phrase("Write some words.")),
        "maxLength": lambda: (phrase("it has {count:,} characters", count=len(value)), _within(kind.limit)),
        "minItems": lambda: (phrase("the list is too short"), _at_least(kind.limit)),
        "maxItems": lambda: (phrase("the list has {count} items", count=len(value)), _within(kind.limit)),
        "minProperties": lambda: (phrase("nothing is written"), _at_least(kind.limit)),
        "maxProperties": lambda: (phrase("it has {count} entries", count=len(value)), _within(kind.limit)),
        "uniqueItems": lambda: (phrase("something is in the list twice"), phrase("Keep one of each.")),
        "propertyNames": lambda: (phrase("a key is not a choice here"), _keys(around)),
    }.get(kind.name)
    return said() if said else (message, phrase("See the settings in docs/policy.md."))


def _within(limit: int) -> Phrase:
    return phrase("Keep it within {limit:,}.", limit=limit)


def _at_least(limit: int) -> Phrase:
    return phrase("It needs at least {limit}.", limit=limit)


def _walk(schema: Mapping[str, Any], steps: Sequence[Any]) -> Mapping[str, Any]:
    here: Any = schema
    for step in steps:
        here = here[step]
    return here


def _nearest(key: str, around: Mapping[str, Any]) -> Phrase:
    known = list(around.get("properties", {}))
    return phrase("{meant}The settings here are: {known}.", meant=_meant(key, known), known=", ".join(known))


def _choose(value: object, options: Sequence[Any]) -> Phrase:
    known = [str(option) for option in options]
    return phrase("{meant}Choose one of: {known}.", meant=_meant(str(value), known), known=", ".join(known))


def _meant(written: str, known: Sequence[str]) -> str:
    near = get_close_matches(written, known, 1)
    return phrase("Did you mean {near}? ", near=near[0]) if near else ""


def _wanted(types: Sequence[str]) -> str:
    first, *others = (_TYPES.get(one, one) for one in types)
    return phrase("{one} or {other}", one=first, other=others[0]) if others else first


def _keys(around: Mapping[str, Any]) -> Phrase:
    names = around.get("propertyNames", around)
    if "enum" not in names:
        return _EXAMPLES[LANGUAGE_TAG.pattern]
    return phrase("{meant}Choose one of: {known}.", meant="", known=", ".join(names["enum"]))


def _form(around: Mapping[str, Any]) -> Phrase:
    known = _EXAMPLES.get(around["pattern"])
    return known or phrase("Write it such as {example}.", example=around["examples"][0])


def _kind_of(value: object) -> Phrase:
    match value:
        case None:
            return phrase("nothing")
        case bool():
            return phrase("true or false")
        case int() | float():
            return phrase("a number")
        case str():
            return phrase("text")
        case list():
            return phrase("a list")
        case _:
            return phrase("a group of settings")


def _short(value: object) -> str:
    if not isinstance(value, str | int | float):
        return _kind_of(value)
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
