"""Reads matrix.yaml into rows, and says what is missing from it or said twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from bookbag.chassis.http import routes_of
from bookbag.chassis.service import Service
from bookbag.cli.services import named
from tests.security.world import PERSONAS

DOORS = {"token", "public", "cookie", "leave"}


@dataclass(frozen=True)
class Row:
    """One route and who gets which answer there."""

    route: str
    proves: Sequence[str]
    door: str
    answers: Mapping[str, str]
    """Persona → "200" or "404 not-found"."""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    send: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    unlike: str | None = None
    table: bool = False
    """Answers with a table (CSV), whose columns its own tests know."""
    fields: Sequence[str] | None = None
    empty: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    def place(self, objects: Mapping[str, str], **changed: str) -> str:
        """The path with its parameters filled in, and what is asked behind it."""

        def filled(said: Mapping[str, str]) -> dict[str, str]:
            values = {name: objects[value[1:]] if value.startswith("$") else value for name, value in said.items()}
            return values | {name: value for name, value in changed.items() if name in said}

        path = self.route.partition(" ")[2].format(**filled(self.path))
        return f"{path}?{urlencode(filled(self.query))}" if self.query else path

    def body(self, objects: Mapping[str, str], **changed: str) -> Any:
        if self.send is None:
            return None
        filled = {
            key: objects[value[1:]] if isinstance(value, str) and value[0] == "$" else value
            for key, value in self.send.items()
        }
        return filled | {key: value for key, value in changed.items() if key in filled}


@dataclass(frozen=True)
class RpcRow:
    """One RPC and whose token opens it."""

    rpc: str
    callers: Sequence[str]
    scope: str


class MatrixError(AssertionError):
    """The matrix does not say one thing about everybody."""


def _spread(names: Iterable[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    return [persona for name in names for persona in groups.get(name, (name,))]


def _answers(route: str, said: Mapping[Any, Sequence[str]], groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for answer, names in said.items():
        for persona in _spread([name for name in names if name != "others"], groups):
            if persona in answers or persona not in PERSONAS:
                raise MatrixError(f"{route}: {persona} twice or unknown")
            answers[persona] = str(answer)
    rest = [str(answer) for answer, names in said.items() if "others" in names]
    if len(rest) > 1:
        raise MatrixError(f"{route}: `others` twice")
    return answers | {persona: answer for answer in rest for persona in PERSONAS if persona not in answers}


def _row(said: dict[str, Any], groups: Mapping[str, Sequence[str]]) -> Row:
    empty: dict[str, list[str]] = {}
    for name, paths in said.pop("empty", {}).items():
        for persona in _spread([name], groups):
            empty.setdefault(persona, []).extend(paths)
    row = Row(**{**said, "answers": _answers(said["route"], said["answers"], groups), "empty": empty})
    if row.door not in DOORS:
        raise MatrixError(f"{row.route}: no door {row.door}")
    if row.door != "cookie" and set(row.answers) != set(PERSONAS):
        raise MatrixError(f"{row.route}: nothing said about {sorted(set(PERSONAS) - set(row.answers))}")
    if (
        any(answer in {"200", "201"} for answer in row.answers.values())
        and row.fields is None
        and "stream" not in row.route
        and not row.table
    ):
        raise MatrixError(f"{row.route}: no list of fields")
    return row


def read(text: str) -> tuple[list[Row], list[RpcRow]]:
    """The rows of a matrix. Raises MatrixError."""
    said = yaml.safe_load(text)
    rows = [_row(row, said["groups"]) for row in said["routes"]]
    rpcs = [RpcRow(**row) for row in said["rpcs"]]
    names = [row.route for row in rows] + [row.rpc for row in rpcs]
    if len(names) != len(set(names)):
        raise MatrixError(f"twice: {sorted(name for name in set(names) if names.count(name) > 1)}")
    return rows, rpcs


ROWS, RPCS = read((Path(__file__).parent / "matrix.yaml").read_text())


def routes_served(services: Iterable[Service]) -> set[str]:
    """Every route as `METHOD /service/path`, from the applications themselves."""
    return {
        f"{method} /{service.name}{route.path}"
        for service in services
        for route in routes_of(service)
        for method in route.methods or ()
    }


def rpcs_served(services: Iterable[Service]) -> set[str]:
    """Every RPC as `package.Service/Method`, from the descriptors of what the manifests serve."""
    from google.protobuf.descriptor_pool import Default

    return {
        f"{rpc.name}/{method.name}"
        for service in services
        for rpc in service.rpcs
        for method in Default().FindServiceByName(rpc.name).methods
    }


def missing(rows: Sequence[Row], rpcs: Sequence[RpcRow], services: Iterable[Service]) -> set[str]:
    """What is served without a row, and rows of what is not served."""
    services = list(services)
    return {row.route for row in rows} ^ routes_served(services) | {row.rpc for row in rpcs} ^ rpcs_served(services)


ALL = named("all")
