"""What the product says in its logs arrives there: a field that is not on the list of those allowed leaves no process."""

import ast
from collections.abc import Iterator

from bookbag.chassis.telemetry import ALLOWED
from tests.observability.test_pages import source

LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})


def lines(code: str) -> Iterator[tuple[str, set[str]]]:
    """The words of each log line and the names of its fields."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
            continue
        if node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value), {field.arg for field in node.keywords if field.arg} - {"exc_info"}


def dropped(code: str) -> dict[str, set[str]]:
    return {said: fields - ALLOWED for said, fields in lines(code) if fields - ALLOWED}


def test_no_log_line_has_a_field_that_is_dropped() -> None:
    assert {"engine away", "consumer stands still", "anchor differs"} <= {said for said, _ in lines(source())}
    assert dropped(source()) == {}


def test_a_field_that_is_dropped_is_seen() -> None:
    assert dropped('log.warning("engine away", engine="x", reason="y")') == {"engine away": {"reason"}}
