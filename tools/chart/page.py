"""Keeps the table of values in the chart's README: what each is from the schema, its default from values.yaml."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tools.chart.forms import Form
from tools.chart.schema import schema

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "bookbag"
BEGIN: Final = "<!-- values: made by `make docs` from values.yaml and values.schema.json -->"
END: Final = "<!-- end of values -->"


def readme() -> str:
    """The README with its table made anew; the words around it are written by hand."""
    page = (FOLDER / "README.md").read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    defaults = yaml.safe_load((FOLDER / "values.yaml").read_text())
    rows = [f"| `{path}` | {default} | {says} |" for path, default, says in values(schema(), defaults)]
    return "\n".join([before + BEGIN, "| value | default | what it is |", "|---|---|---|", *rows, END]) + after


def values(form: Form, defaults: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, default and meaning of every value; what is alike for all services stands once, for NAME."""
    for name, entry in form.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        default = defaults.get(name) if isinstance(defaults, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if at == "global":
            continue
        if "properties" in entry and entry["properties"] and default != {}:
            yield from values(entry, default, at)
        elif "properties" in entry and not entry["properties"]:
            continue
        else:
            told = "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
            says: str = entry["description"].replace("|", "\\|")
            yield at, told, says
