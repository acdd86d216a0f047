"""Reads the YAML of a policy document into plain data with line numbers: no tags, no anchors, no duplicate keys, nothing large.

YAML 1.1 reads 16:00 as the number 960, `no` as false and a date as an object. Here a plain word is a number, true, false or
else text, so that a school finds in the document what it wrote.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from bookbag.school.policy.faults import THE_DOCUMENT, Fault, Path, PolicyRefused, dotted
from bookbag.school.policy.phrases import phrase

LARGEST = 256 * 1024
"""Characters. The presets have some 20,000."""
DEEPEST = 12
MOST_VALUES = 20_000

_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Read:
    """Plain data, and the line on which each value stands."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict[Path, int])


def read(text: str) -> Read:
    """Read one document. Raises PolicyRefused with all that is wrong with it as YAML."""
    if len(text) > LARGEST:
        much = phrase("it has {count:,} characters", count=len(text))
        raise PolicyRefused([Fault(THE_DOCUMENT, much, phrase("Keep it within {limit:,}.", limit=LARGEST))])
    try:
        reader = _Reader(yaml.parse(text, Loader=_Loader))
        data = reader.document()
    except yaml.YAMLError as error:
        raise PolicyRefused([_not_yaml(error)]) from error
    if reader.faults:
        raise PolicyRefused(reader.faults)
    return Read(data, reader.lines)


def _not_yaml(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or phrase("it cannot be read")
    line = mark.line + 1 if mark is not None else None
    return Fault(
        THE_DOCUMENT,
        phrase("it is not YAML: {problem}", problem=problem),
        phrase("Look for a missing colon, quote or space at the line's start."),
        line,
    )


class _TooMuch(Exception):
    """Reading has to stop: the fault is noted."""


class _Reader:
    """Builds values from parser events, so that anchors are refused before anything is expanded."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._events = events
        self._values = 0

    def document(self) -> Any:
        """The one document's value; None when there is none."""
        data: Any = None
        documents = 0
        try:
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._refuse(
                            (),
                            event,
                            phrase("there is a second document"),
                            phrase("Write one document, without a line of ---."),
                        )
                        break
                    data = self._value(next(self._events), ())
        except _TooMuch:
            return None
        return data

    def _value(self, event: Any, path: Path) -> Any:
        self._values += 1
        self.lines.setdefault(path, event.start_mark.line + 1)
        if self._values > MOST_VALUES:
            many = phrase("there are more than {count:,} values", count=MOST_VALUES)
            self._refuse(path, event, many, phrase("Shorten the document."))
            raise _TooMuch
        if len(path) > DEEPEST:
            deep = phrase("it goes more than {count} levels deep", count=DEEPEST)
            self._refuse(path, event, deep, phrase("No setting lies that deep."))
            raise _TooMuch
        self._plain_only(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return _scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _plain_only(self, event: Any, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse(path, event, phrase("it uses an anchor (& or *)"), phrase("Write the value out."))
        elif getattr(event, "tag", None) and event.tag != "!":
            self._refuse(path, event, phrase("it uses the tag {tag}", tag=event.tag), phrase("Write the plain value."))

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(path, event, phrase("a key must be a word"), phrase("Write `key: value`."))
                self._value(event, (*path, "?"))
                self._value(next(self._events), (*path, "?"))
                continue
            self._plain_only(event, path)
            key = str(event.value)
            here = (*path, key)
            if key in found:
                twice = phrase("{key} is written twice, first on line {line}", key=key, line=self.lines[here])
                self._refuse(here, event, twice, phrase("Keep one of them."))
                self._value(next(self._events), here)
                continue
            self.lines[here] = line
            found[key] = self._value(next(self._events), here)
        return found

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _refuse(self, path: Path, event: Any, problem: str, right: str) -> None:
        self.faults.append(Fault(dotted(path), problem, right, event.start_mark.line + 1))


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if event.style:  # quoted or a block: always text
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
