"""What a query names: its metrics, each with the labels it selects by, and the labels it groups by. A reader of our own rules, no more."""

import re
from dataclasses import dataclass, field

_WORDS = frozenset(
    {
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "and",
        "or",
        "unless",
        "bool",
        "offset",
        "inf",
        "nan",
    }
)
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)\b(?!\s*\()")
_DURATION = re.compile(r"\[[^\]]*\]")


@dataclass
class Named:
    """What one query names."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)


def named_in(query: str) -> Named:
    found = Named()
    query = _DURATION.sub("", _TEXT.sub("''", query))
    for labels in _GROUPING.findall(query):
        found.grouped |= {label.strip() for label in labels.split(",") if label.strip()}
    query = _GROUPING.sub(" ", query)
    for metric, labels in _SELECTOR.findall(query):
        found.metrics.setdefault(metric, set()).update(re.findall(r"(\w+)\s*[=!]", labels))
    for name in _NAME.findall(_SELECTOR.sub(" ", query)):
        if name not in _WORDS:
            found.metrics.setdefault(name, set())
    return found
