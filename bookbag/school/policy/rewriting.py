"""Changes a policy document setting by setting and leaves the rest as people wrote it: their notes, their order, what they left out.

Only what differs is touched, and the result is read back: when it does not say exactly the new policy, the document is written anew.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from bookbag.school.policy.document import Policy
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.parse import as_data, parse
from bookbag.school.policy.writing import LIKE_TIME, written

WIDTH = 4_000
"""No line of people's own is broken in two."""


def rewritten(text: str, policy: Policy) -> str:
    """The document that says `policy`: `text`, which says another one, with as little changed as can be."""
    try:
        changed = _changed(text, policy)
        if parse(changed) == policy:
            return changed
    except (PolicyRefused, YAMLError):
        pass  # a document of before some rule of today, or notes in a place that cannot be kept
    return written(policy)


def _changed(text: str, policy: Policy) -> str:
    yaml = _yaml()
    document: CommentedMap = yaml.load(text)  # pyright: ignore[reportUnknownMemberType] - the library's own
    _change(document, as_data(parse(text)), as_data(policy))
    out = StringIO()
    yaml.dump(document, out)  # pyright: ignore[reportUnknownMemberType] - the library's own
    return out.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)  # pyright: ignore[reportUnknownMemberType] - the library's own
    return yaml


def _change(there: CommentedMap, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """`there` is how `before` is written, defaults left out; make it say `after`."""
    for key in before:
        if key not in after and key in there:
            del there[key]
    for key, value in after.items():
        if key in before and before[key] == value:
            continue
        there[key] = _value(dict[str, Any](there).get(key), before.get(key), value)


def _value(there: Any, before: Any, after: Any) -> Any:
    if isinstance(there, CommentedMap) and isinstance(before, Mapping) and isinstance(after, Mapping):
        _change(there, cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after))
        return there
    if isinstance(there, CommentedSeq) and isinstance(before, list) and isinstance(after, list):
        _change_items(there, cast("list[Any]", before), cast("list[Any]", after))
        return there
    return _fresh(after)


def _change_items(there: CommentedSeq, before: Sequence[Any], after: Sequence[Any]) -> None:
    """What stands at the beginning and at the end of both stays, with its notes."""
    shorter = min(len(before), len(after))
    first = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    last = next((at for at in range(shorter - first) if before[-1 - at] != after[-1 - at]), shorter - first)
    if len(before) == len(after):
        for at in range(first, len(after) - last):
            there[at] = _value(there[at], before[at], after[at])
        return
    for _ in range(first, len(before) - last):
        del there[first]
    for at in range(first, len(after) - last):
        there.insert(at, _fresh(after[at]))  # pyright: ignore[reportUnknownMemberType] - the library's own


def _fresh(value: Any) -> Any:
    """A value as the writer of whole documents would put it: times and dates in quotation marks, what is short on one line."""
    if isinstance(value, dict):
        entries = {key: _fresh(one) for key, one in cast("dict[str, Any]", value).items()}
        made = CommentedMap(entries)
        if not any(isinstance(one, dict | list | LiteralScalarString) for one in entries.values()):
            _on_one_line(made)
        return made
    if isinstance(value, list):
        items = [_fresh(one) for one in cast("list[Any]", value)]
        seq = CommentedSeq(items)
        if not any(isinstance(one, CommentedSeq) for one in items):
            _on_one_line(seq)
        return seq
    if isinstance(value, str) and LIKE_TIME.fullmatch(value):
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value


def _on_one_line(value: CommentedMap | CommentedSeq) -> None:
    cast("Any", value).fa.set_flow_style()
