"""What identity keeps of a school's rules, and the document a school is founded with; no I/O."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.school.policy.document import Policy
from bookbag.school.policy.parse import as_data
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.versions import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion(Version):
    """One version with its text: `document` is YAML as written, `data` the same as JSON with every effective value."""

    revision: int
    author_role: str
    document: str
    data: str


@dataclass(frozen=True, slots=True)
class OwnHours:
    """The hours to which a member of staff narrowed the school's: JSON of a week, empty for none. `version` is the ETag."""

    person: UUID
    revision: int
    week: str
    version: int


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Somebody came in outside hours or places for a reason, and may stay until then."""

    person: UUID
    role: str
    revision: int
    until: datetime


def founding_text(preset: str, *, name: str, zone: str) -> str:
    """A preset's document with the school's own name and zone in it; everything else is the preset's, for leaders to change.

    Raises UnknownPreset.
    """
    text = preset_text(preset)
    for key, value in (("name", name), ("zone", zone)):
        text = re.sub(
            rf"^  {key}: [^#\n]*",
            lambda _, key=key, value=value: f"  {key}: {json.dumps(value)}  ",
            text,
            count=1,
            flags=re.MULTILINE,
        )
    return text


def data_of(policy: Policy) -> str:
    """The document as the feed tells it."""
    return json.dumps(as_data(policy), ensure_ascii=False)
