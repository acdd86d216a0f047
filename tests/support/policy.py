"""The rules of invented schools, as a service's own copy of them has them."""

import copy
import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bookbag.school.policy.parse import as_data, checked, parse
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.reading import read
from bookbag.school.policy.rules import SchoolRules
from bookbag.school.time.week import DayKind

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def known_policy(
    preset: str = "quiet-evenings", *, number: int = 1, since: datetime = LONG_AGO, **changed: Any
) -> dict[str, Any]:
    """Columns of `known_policy` beside school and revision. `changed` replaces whole sections of the preset."""
    document = as_data(parse(preset_text(preset))) | changed
    return {"number": number, "document": json.dumps(document), "made_at": since, "counts_from": since}


def friday_ahead(preset: str) -> datetime:
    """The midnight that begins a Friday ahead, in the midst of four school days of a preset: for products whose clock is moved, which
    goes forward only."""
    rules = SchoolRules(parse(preset_text(preset)))
    zone = ZoneInfo(rules.policy.calendar.zone)
    today = datetime.now(zone).date()
    for day in (today + timedelta(days=ahead) for ahead in range(2, 366)):
        four = (day + timedelta(days=offset) for offset in (-1, 0, 3, 4))
        if day.isoweekday() == 5 and all(rules.calendar.kind(one.toordinal()) is DayKind.SCHOOL for one in four):
            return datetime.combine(day, time(), zone)
    raise AssertionError(f"preset {preset} has no school days ahead: it needs the terms of another year")


OPEN = {
    "messages.families.hours": "always",
    "messages.staff.hours": "always",
    "messages.staff.in_lessons": "send",
    "staff.access.hours": "always",
    "staff.notifications.hours": "always",
    "staff.notifications.in_lessons": "ring",
}
"""Everybody may write and be rung at any hour: for tests that are not about hours."""


def open_hours() -> str:
    """Preset B as YAML, open at any hour: what the schools of whole products have in tests that are not about hours."""
    return document_with("b", OPEN)


def demo_rules(folder: Path, policy: str | None = None) -> dict[str, str]:
    """The setting by which the demo of a data folder is founded with a document kept beside it; without one, open at any hour."""
    file = folder.with_name(f"{folder.name}-policy.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(policy or open_hours())
    return {"BOOKBAG_IDENTITY_DEMO_POLICY": str(file)}


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
