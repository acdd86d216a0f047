"""The schema of the chart's values is closed, asks nobody else, and knows all that is settable."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bookbag.chassis.settings import Platform
from bookbag.cli.services import named
from tools.chart import CHART
from tools.chart.schema import OURS, schema

FOLDER = Path(CHART)
SCHEMA: dict[str, Any] = json.loads((FOLDER / "values.schema.json").read_text())


def objects(form: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(form, dict):
        if form.get("type") == "object":
            yield path, form
        for key, one in form.items():
            yield from objects(one, f"{path}/{key}")
    elif isinstance(form, list):
        for number, one in enumerate(form):
            yield from objects(one, f"{path}/{number}")


def leaves(values: Any, path: str = "") -> Iterator[str]:
    if isinstance(values, dict) and values:
        for key, one in values.items():
            yield from leaves(one, f"{path}.{key}" if path else key)
    else:
        yield path


@pytest.mark.req("OPS-4")
def test_every_object_of_the_schema_is_closed() -> None:
    found = list(objects(SCHEMA))
    assert len(found) > 50
    for path, form in found:
        more = form.get("additionalProperties")
        assert more is False or (more == {"type": "string"} and "pattern" in form["propertyNames"]), path


def test_the_schema_asks_nobody_else() -> None:
    references = [line for line in json.dumps(SCHEMA, indent=0).splitlines() if '"$ref"' in line]
    assert references
    assert all(line.startswith('"$ref": "#/$defs/') for line in references)


def test_everything_that_can_be_set_says_what_it_is() -> None:
    for path, form in objects(schema()):
        for name, entry in form.get("properties", {}).items():
            assert entry.get("description", "").strip(), f"{path}/{name}"


def test_every_setting_of_the_product_can_be_set_or_is_made_by_the_chart() -> None:
    settings = SCHEMA["properties"]["settings"]["properties"]
    assert set(Platform.model_fields) == set(settings) | (set(Platform.model_fields) & OURS)
    for service in named("all"):
        entry = SCHEMA["properties"]["services"]["properties"][service.name]["properties"]
        own = set(entry["settings"]["properties"]) | set(entry["secretSettings"]["properties"])
        assert own == set(service.settings.model_fields) - OURS


def test_every_default_value_is_used_by_a_template() -> None:
    """By a word of its path: what no template says, changes nothing."""
    said = "\n".join(path.read_text() for path in (FOLDER / "templates").iterdir())
    values = yaml.safe_load((FOLDER / "values.yaml").read_text())
    own = {"services", "postgresql", "networkPolicy"}  # reached by their place in the table
    paths = [path for key, one in values.items() if key not in own for path in leaves(one, key)]
    assert len(paths) > 80
    assert [path for path in paths if not any(f".{word}" in said for word in path.split(".")[1:] or [path])] == []
