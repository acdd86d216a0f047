"""The rules of invented schools, as a service's own copy of them has them."""

import json
from datetime import UTC, datetime
from typing import Any

from bookbag.school.policy.parse import as_data, parse
from bookbag.school.policy.presets import preset_text

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def known_policy(
    preset: str = "quiet-evenings", *, number: int = 1, since: datetime = LONG_AGO, **changed: Any
) -> dict[str, Any]:
    """Columns of `known_policy` beside school and revision. `changed` replaces whole sections of the preset."""
    document = as_data(parse(preset_text(preset))) | changed
    return {"number": number, "document": json.dumps(document), "made_at": since, "counts_from": since}
