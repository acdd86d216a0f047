"""The five source policies clause by clause: what the product does today, and what is still to come."""

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from bookbag.school.policy.document import Policy
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.reading import read
from bookbag.school.policy.rules import SchoolRules
from bookbag.school.policy.values import build
from bookbag.school.roles import Role
from tests.conformance import checks
from tools.conformance import CLAUSES, Clause, clauses

pytestmark = pytest.mark.req("POL-12")

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "build" / "results" / "conformance.json"
ROWS = clauses()
CHECKED = [row for row in ROWS if row.check]
MUTANTS = [(row, mutant) for row in CHECKED for mutant in row.mutants]


def school(row: Clause, mutant: dict[str, Any] | None = None) -> checks.School:
    """The row's preset; with a mutant, the rule switched off in one way, whatever else that contradicts."""
    mutant = dict(mutant or {})
    treats = {Role(one): Role(other) for one, other in mutant.pop("treats", {}).items()}
    data = copy.deepcopy(read(preset_text(row.preset)).data)
    for path, value in mutant.items():
        _set(data, path.split("."), value)
    return checks.School(SchoolRules(build(Policy, data)), treats)


def _set(data: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        data = data[int(step)] if isinstance(data, list) else data[step]
    if value is None:
        del data[path[-1]]
    elif isinstance(data, list):
        data[int(path[-1])] = value
    else:
        data[path[-1]] = value


def holds(row: Clause, mutant: dict[str, Any] | None = None) -> bool:
    try:
        getattr(checks, row.check)(school(row, mutant))
    except AssertionError:
        return False
    return True


def said(row: Clause, path: str) -> Any:
    value: Any = read(preset_text(row.preset)).data
    for step in path.split("."):
        value = value[step]
    return value


def test_every_clause_of_the_five_policies_has_a_row() -> None:
    assert [row.id for row in ROWS] == [f"{letter}{n}" for letter, last in CLAUSES.items() for n in range(1, last + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_row_says_what_is_exercised_or_what_it_waits_for(row: Clause) -> None:
    assert row.says.endswith(".")
    assert row.settings or row.check
    assert row.check or row.pending
    assert not row.check or row.mutants, "a check without a mutant could be one that cannot fail"
    assert row.pending or row.switched_off, (
        "a clause holds only where a run of the product without the rule is seen to fail"
    )
    for test in (*row.shown_by, *row.switched_off):
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in text, test
        assert test not in row.switched_off or re.search(rf"\b{row.id}\b", text), f"{test} does not name {row.id}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.settings], ids=lambda row: row.id)
def test_the_preset_says_what_the_clause_says(row: Clause) -> None:
    assert {path: said(row, path) for path in row.settings} == row.settings


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: row.id)
def test_the_rules_decide_as_the_clause_says(row: Clause) -> None:
    getattr(checks, row.check)(school(row))


@pytest.mark.parametrize(("row", "mutant"), MUTANTS, ids=lambda value: value.id if isinstance(value, Clause) else "")
def test_with_the_rule_switched_off_the_check_turns_red(row: Clause, mutant: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        getattr(checks, row.check)(school(row, mutant))


def test_the_results_are_written_from_what_was_run() -> None:
    table = [result(row) for row in ROWS]
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    unfinished = RESULT.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(RESULT)
    assert [one["id"] for one in table if one["raw"]["decided"] is False] == []


def result(row: Clause) -> dict[str, Any]:
    """A clause holds when its check passes, each mutant turns it red, nothing is pending, and the services run its mutants too."""
    red = [not holds(row, mutant) for mutant in row.mutants]
    decided = holds(row) and all(red) if row.check else None
    return {
        "id": row.id,
        "what": row.says,
        "value": sum(red),
        "unit": "mutants that turn the check red",
        "goal": f"{len(red)}, and nothing pending" if row.check else "a check, and nothing pending",
        "holds": bool(decided) and bool(row.switched_off) and not row.pending,
        "raw": {
            "preset": row.preset,
            "state": str(row.state),
            "decided": decided,
            "check": row.check,
            "mutants": list(row.mutants),
            "settings": row.settings,
            "shown_by": list(row.shown_by),
            "switched_off": list(row.switched_off),
            "pending": row.pending,
        },
    }


def test_a_clause_without_a_mutant_or_with_something_pending_does_not_hold() -> None:
    row = CHECKED[0]
    blind = Clause(id="A1", says="x.", check=row.check, mutants=({"points.negative": True},))
    assert result(blind)["holds"] is False
    assert result(row)["holds"] is (not row.pending)
