"""The JSON Schema of the policy document, made from its classes; published as docs/policy.schema.json (POL-2)."""

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin

import jsonschema_rs

from bookbag.school.policy.document import Policy
from bookbag.school.policy.document.fields import CLOCK, LANGUAGE_TAG, Among, Between, Clock, Like, Network
from bookbag.school.policy.shape import choices, fields_of, is_list, is_mapping, is_section, note, optional, plain
from bookbag.school.policy.values import to_data

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema() -> dict[str, Any]:
    """The whole schema. The same dictionary each time: do not change it."""
    definitions: dict[str, Any] = {}
    root = _section(Policy, definitions)
    return {
        "$schema": DIALECT,
        "$id": "urn:bookbag:school-policy:1",
        "title": "School policy",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


@cache
def validator() -> jsonschema_rs.Validator:
    """The compiled schema: formats are checked, nothing outside the schema is ever fetched."""
    return jsonschema_rs.validator_for(schema(), validate_formats=True, retriever=_refuse_to_fetch)


def _refuse_to_fetch(uri: str) -> Any:
    raise LookupError(f"the schema refers to nothing outside itself, yet something asked for {uri}")


def _section(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in fields_of(kind):
        described = {"description": field.text} if field.text else {}
        shown = not (field.required or field.default is None or is_section(plain(field.kind)))
        default = {"default": to_data(field.default, field.kind)} if shown else {}
        properties[field.key] = {**_value(field.kind, definitions), **described, **default}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": properties,
        "required": [field.key for field in fields_of(kind) if field.required],
        "additionalProperties": False,
    }


def _value(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if (only := optional(kind)) is not None:
        return _value(only, definitions)
    if (pair := choices(kind)) is not None:
        words, section = pair
        return {
            "if": {"type": "string"},
            "then": _value(words, definitions),
            "else": _value(section, definitions),
        }
    base = plain(kind)
    if is_section(base):
        if base.__name__ not in definitions:
            definitions[base.__name__] = {}
            definitions[base.__name__] = _section(base, definitions)
        return {"$ref": f"#/$defs/{base.__name__}"}
    if is_mapping(base):
        return _mapping(base, note(kind, Between), definitions)
    if is_list(base):
        return _list(base, note(kind, Between), definitions)
    return _scalar(kind, base)


def _mapping(base: Any, bounds: Between | None, definitions: dict[str, Any]) -> dict[str, Any]:
    key, value = get_args(base)
    names = {"enum": list(key)} if issubclass(plain(key), StrEnum) else {"pattern": LANGUAGE_TAG.pattern}
    limits = {"minProperties": bounds.low, "maxProperties": bounds.high} if bounds else {}
    return {
        "type": "object", "propertyNames": names, "additionalProperties": _value(value, definitions), **limits,
    }  # fmt: skip


def _list(base: Any, bounds: Between | None, definitions: dict[str, Any]) -> dict[str, Any]:
    item = get_args(base)[0]
    limits = {"minItems": bounds.low, "maxItems": bounds.high} if bounds else {}
    unique = {"uniqueItems": True} if isinstance(plain(item), type) and issubclass(plain(item), str) else {}
    return {"type": "array", "items": _value(item, definitions), **limits, **unique}


def _scalar(kind: Any, base: Any) -> dict[str, Any]:
    bounds, form = note(kind, Between), note(kind, Like)
    if note(kind, Clock) is not None:
        return {"type": "string", "pattern": CLOCK.pattern, "examples": ["16:30"]}
    if get_origin(base) is Literal:
        return {"const": get_args(base)[0]}
    if base is date:
        return {"type": "string", "format": "date"}
    if base is bool:
        return {"type": "boolean"}
    if base is int:
        return {"type": "integer"} | ({"minimum": bounds.low, "maximum": bounds.high} if bounds else {})
    if issubclass(base, StrEnum):
        among = note(kind, Among)
        return {"enum": [str(one) for one in base if among is None or one in among.allowed]}
    if base is not str:
        raise TypeError(f"a policy field cannot be a {base}")
    limits = {"minLength": bounds.low, "maxLength": bounds.high} if bounds else {"maxLength": 256}
    network = {"maxLength": 64} if note(kind, Network) else {}
    return {
        "type": "string",
        **limits,
        **network,
        **({"pattern": form.pattern, "examples": [form.example.strip(chr(34))]} if form else {}),
    }
