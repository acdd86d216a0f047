"""From the text of a policy document to its values, or to every mistake in it at once."""

from collections.abc import Iterator
from typing import Any, get_args

import jsonschema_rs

from bookbag.school import languages
from bookbag.school.policy.checks import CHECKS, Found, calendar, hours, rest
from bookbag.school.policy.document import Policy
from bookbag.school.policy.document.fields import LANGUAGE_TAG
from bookbag.school.policy.faults import Fault, Lines, Path, PolicyRefused, at
from bookbag.school.policy.phrases import phrase
from bookbag.school.policy.reading import read
from bookbag.school.policy.schema import schema, validator
from bookbag.school.policy.shape import choices, fields_of, is_list, is_mapping, is_section, optional, plain
from bookbag.school.policy.values import build, to_data
from bookbag.school.policy.wording import schema_faults

_CHECKED_BY = (calendar, hours, rest)
"""The modules whose checks register themselves when they are imported."""


def parse(text: str) -> Policy:
    """The policy that a YAML document says. Raises PolicyRefused with every fault."""
    found = read(text)
    return checked(found.data, found.lines)


def checked(data: Any, lines: Lines | None = None) -> Policy:
    """The policy that plain data (of YAML or JSON) says. Raises PolicyRefused with every fault."""
    lines = lines or {}
    broken = list(validator().iter_errors(data))
    faults = list(schema_faults(schema(), broken, lines))
    bad = [path for error in broken for path in _broken(error)]
    seen = [*hours.hours_in_order(data), *_run(data, bad), *_languages(data)]
    faults += [at(lines, path, problem, right) for path, problem, right in seen]
    if faults:
        raise PolicyRefused(faults)
    return build(Policy, data)


def as_data(policy: Policy) -> dict[str, Any]:
    """The whole policy as plain data, every setting with the value that counts, defaults included."""
    return to_data(policy, Policy)


def _run(data: Any, bad: list[Path]) -> Found:
    if not isinstance(data, dict):
        return
    for check in CHECKS:
        paths = [tuple(need.split(".")) for need in check.needs]
        if any(_touches(path, wrong) for path in paths for wrong in bad):
            continue
        try:
            values = [_value_at(data, path) for path in paths]
        except KeyError:
            continue  # a required setting is missing, which the schema tells
        yield from check.look(*values)


def _broken(error: jsonschema_rs.ValidationError) -> Iterator[Path]:
    """The values that a fault makes unusable; an unknown key makes none."""
    path: Path = tuple(error.instance_path)
    kind: Any = error.kind
    if kind.name == "required":
        yield (*path, str(kind.property))
    elif kind.name != "additionalProperties":
        yield path


def _touches(path: Path, wrong: Path) -> bool:
    """Whether a fault lies inside what is looked at, or around it."""
    shorter = min(len(path), len(wrong))
    return wrong[:shorter] == path[:shorter]


def _value_at(data: Any, path: Path) -> Any:
    """The built value of a setting, its default where the document leaves it or its section out."""
    kind: Any = Policy
    for place, step in enumerate(path):
        field = next(one for one in fields_of(plain(kind)) if one.key == step)
        kind = field.kind
        if step not in data:
            if field.required:
                raise KeyError(step)
            value = field.default
            for later in path[place + 1 :]:
                value = getattr(value, str(later))
            return value
        data = data[step]
    return build(kind, data)


def _languages(data: Any) -> Found:
    """The school's words exist in its default language, and under tags that are languages."""
    try:
        default = data["school"]["languages"][0]
    except (KeyError, IndexError, TypeError):
        return
    for path, words in _words(Policy, data, ()):
        for tag in words:
            if languages.find(tag) is None and LANGUAGE_TAG.match(tag):
                yield (
                    (*path, tag),
                    phrase("{tag!r} is not a language Bookbag knows", tag=tag),
                    phrase("Write a tag such as en or cy."),
                )
        if default not in words:
            yield (
                path,
                phrase("the words are missing in {tag}, the school's default language", tag=default),
                phrase("Add {it}.", it=default),
            )


def _words(kind: Any, data: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if (only := optional(kind)) is not None:
        yield from _words(only, data, path)
        return
    pair = choices(kind)
    yield from _words_in(pair[1] if pair else plain(kind), data, path)


def _words_in(kind: Any, data: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    entries = _entries(data)
    if is_section(kind) and isinstance(data, dict):
        for field in fields_of(kind):
            if field.key in data:
                yield from _words(field.kind, data[field.key], (*path, field.key))
    elif is_list(kind) and isinstance(data, list):
        for place, one in entries:
            yield from _words(get_args(kind)[0], one, (*path, place))
    elif is_mapping(kind) and isinstance(data, dict):
        if get_args(kind)[0] is str:
            yield path, dict(entries)
            return
        for key, one in entries:
            yield from _words(get_args(kind)[1], one, (*path, key))


def _entries(data: Any) -> list[tuple[Any, Any]]:
    held: Any = data
    if isinstance(data, dict):
        return list(held.items())
    return [(place, held[place]) for place in range(len(held))] if isinstance(data, list) else []


__all__ = ["Fault", "PolicyRefused", "as_data", "checked", "parse"]
