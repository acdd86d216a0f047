"""Policy documents for tests: a preset with some settings changed, as the JSON that travels by the access feed."""

import copy
import json
from typing import Any

from bookbag.school.policy.parse import as_data, checked
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.reading import read

OPEN = {
    "messages.families.hours": "always",
    "messages.staff.hours": "always",
    "messages.staff.in_lessons": "send",
    "staff.access.hours": "always",
    "staff.notifications.hours": "always",
    "staff.notifications.in_lessons": "ring",
}
"""Everybody may write and be rung at any hour: for tests that are not about hours."""


def document(preset: str = "b", **changed: Any) -> str:
    """A preset as JSON; `changed` sets values by path, dots written as two underscores: `messages__families__hours="always"`."""
    return document_with(preset, {path.replace("__", "."): value for path, value in changed.items()})


def document_with(preset: str, changed: dict[str, Any]) -> str:
    """A preset as JSON, with values set by path."""
    data = copy.deepcopy(read(preset_text(preset)).data)
    for path, value in changed.items():
        *steps, last = path.split(".")
        place = data
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return json.dumps(as_data(checked(data)))
