"""Writes a policy as the YAML document that reads back as the same data: for policies that were edited setting by setting."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from bookbag.school.policy.document import Policy
from bookbag.school.policy.parse import as_data
from bookbag.school.policy.shape import fields_of

LIKE_TIME = re.compile(r"[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}")


def written(policy: Policy) -> str:
    """Every setting with the value that counts, each section under what it is about."""
    data = as_data(policy)
    about = {field.key: field.text for field in fields_of(Policy)}
    return "\n".join(_section(key, value, about.get(key, "")) for key, value in data.items())


def _section(key: str, value: Any, about: str) -> str:
    heading = f"# {about[:1].upper()}{about[1:]}.\n" if about and isinstance(value, Mapping) else ""
    text: str = yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return heading + text


class _Dumper(yaml.SafeDumper):
    """Lists are set in under their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the library's own
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the reader takes no anchors
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Times and dates stand in quotation marks, each of them and not only those that YAML would misread."""
    style = '"' if LIKE_TIME.fullmatch(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)  # pyright: ignore[reportUnknownMemberType] - the stubs leave it open


_Dumper.add_representer(str, _text)
