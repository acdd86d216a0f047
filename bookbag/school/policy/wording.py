"""Says what a broken schema rule means: which setting, what is wrong, and what would be right."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import jsonschema_rs

from bookbag.school.policy.document.fields import CLOCK, LANGUAGE_TAG
from bookbag.school.policy.faults import Fault, Lines, Path, at

_TYPES = {
    "object": "settings with keys of their own",
    "array": "a list, each item on a line that begins with -",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}
_EXAMPLES = {
    CLOCK.pattern: 'Write a time as "HH:MM", such as "16:30"; "24:00" is the end of the day.',
    LANGUAGE_TAG.pattern: "Use language tags as keys, such as en or cy.",
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
                    yield at(lines, (*path, key), f"there is no setting {key!r} here", _nearest(key, around))
            case "required":
                key = str(kind.property)
                text = around.get("properties", {}).get(key, {}).get("description", "")
                yield at(lines, (*path, key), "it is missing", f"Write it: {text}." if text else "Write it.")
            case _:
                yield at(lines, path, *_said(kind, error.instance, around, error.message))


def _said(kind: Any, value: Any, around: Mapping[str, Any], message: str) -> tuple[str, str]:
    shown = _short(value)
    said = {
        "enum": lambda: (
            f"{shown} is not a choice here",
            _choose(value, kind.options if hasattr(kind, "options") else []),
        ),
        "type": lambda: (f"{shown} is {_kind_of(value)}", f"Write {_wanted(kind.types)}."),
        "const": lambda: (f"{shown} is not possible", f"Write {around.get('const')}."),
        "format": lambda: (f"{shown} is not a date of the calendar", "Write a date as YYYY-MM-DD, such as 2026-09-01."),
        "pattern": lambda: (f"{shown} is not written as it should be", _form(around)),
        "minimum": lambda: (f"{shown} is too small", f"{kind.limit} is the least."),
        "maximum": lambda: (f"{shown} is too large", f"{kind.limit} is the most."),
        "minLength": lambda: ("it is empty", "Write some words."),
        "maxLength": lambda: (f"it has {len(value):,} characters", f"Keep it within {kind.limit:,}."),
        "minItems": lambda: ("the list is too short", f"It needs at least {kind.limit}."),
        "maxItems": lambda: (f"the list has {len(value)} items", f"Keep it within {kind.limit}."),
        "minProperties": lambda: ("nothing is written", f"It needs at least {kind.limit}."),
        "maxProperties": lambda: (f"it has {len(value)} entries", f"Keep it within {kind.limit}."),
        "uniqueItems": lambda: ("something is in the list twice", "Keep one of each."),
        "propertyNames": lambda: ("a key is not a choice here", _keys(around)),
    }.get(kind.name)
    return said() if said else (message, "See the settings in docs/policy.md.")


def _walk(schema: Mapping[str, Any], steps: Sequence[Any]) -> Mapping[str, Any]:
    here: Any = schema
    for step in steps:
        here = here[step]
    return here


def _nearest(key: str, around: Mapping[str, Any]) -> str:
    known = list(around.get("properties", {}))
    near = get_close_matches(key, known, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}The settings here are: {', '.join(known)}."


def _choose(value: object, options: Sequence[Any]) -> str:
    known = [str(option) for option in options]
    near = get_close_matches(str(value), known, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Choose one of: {', '.join(known)}."


def _wanted(types: Sequence[str]) -> str:
    return " or ".join(_TYPES.get(one, one) for one in types)


def _keys(around: Mapping[str, Any]) -> str:
    names = around.get("propertyNames", around)
    return f"Choose among: {', '.join(names['enum'])}." if "enum" in names else _EXAMPLES[LANGUAGE_TAG.pattern]


def _form(around: Mapping[str, Any]) -> str:
    known = _EXAMPLES.get(around["pattern"])
    return known or f"Write it such as {around['examples'][0]}."


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a group of settings"


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value) if isinstance(value, int | float) else _kind_of(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
