"""Policies for tests: plain data of a whole small one, and what a test wants to differ in it."""

import copy
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bookbag.school.policy.document import Policy
from bookbag.school.policy.parse import checked, parse
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.rules import SchoolRules
from bookbag.school.policy.values import build

LONDON = ZoneInfo("Europe/London")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def every_weekday(*spans: tuple[str, str], **more: Any) -> dict[str, Any]:
    day = [{"from": start, "to": end} for start, end in spans]
    return {**{name: copy.deepcopy(day) for name in WEEKDAYS}, **more}


def _terms() -> dict[str, Any]:
    return {"version": "1", "text": {"en": "I keep to the rules."}}


_SMALL: dict[str, Any] = {
    "format": 1,
    "school": {"name": "Testing Street Primary", "languages": ["en"], "office": {"number": "01632 960 100"}},
    "calendar": {
        "zone": "Europe/London",
        "terms": [
            {"name": "Autumn", "first": "2026-09-01", "last": "2026-12-18"},
            {"name": "Spring", "first": "2027-01-04", "last": "2027-03-25"},
        ],
        "holidays": [{"name": "Half-term", "first": "2026-10-26", "last": "2026-10-30"}],
        "closed_days": [
            {"date": "2026-11-20", "name": "Snow"},
            {"date": "2026-09-01", "name": "Training", "staff_work": True},
        ],
    },
    "staff": {"hours": every_weekday(("08:00", "16:30"))},
    "lessons": {"hours": every_weekday(("09:00", "12:00"), ("13:00", "15:00"))},
    "signposting": {"matters": {}},
    "safety": {"words": {"en": "Call 999."}},
    "conduct": {"ladder": []},
    "terms": {"guardians": _terms(), "staff": _terms()},
    "review": {"next": "2027-07-01"},
}


def small(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Plain data of a small policy; `changes` sets values by dotted path, a path ending in `-` removes one."""
    return changed(_SMALL, changes or {})


def changed(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(data)
    for path, value in changes.items():
        *before, last = path.removesuffix("-").split(".")
        here: Any = data
        for step in before:
            here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
        if path.endswith("-"):
            del here[int(last) if isinstance(here, list) else last]
        else:
            here[int(last) if isinstance(here, list) else last] = value
    return data


def rules(changes: dict[str, Any] | None = None) -> SchoolRules:
    return SchoolRules(checked(small(changes)))


def unchecked(data: dict[str, Any]) -> SchoolRules:
    """For random policies whose hours may contradict each other: the rules must be right all the same."""
    policy: Policy = build(Policy, data)
    return SchoolRules(policy)


def preset(letter: str) -> SchoolRules:
    return SchoolRules(parse(preset_text(letter)))


def london(text: str) -> datetime:
    """`2026-11-27 18:00` on London's wall."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)
