"""Each history of a database is one line, and no migration breaks the code that runs while it comes, or keeps it waiting."""

import re
from pathlib import Path

import pytest

from tests.architecture.migration_rules import findings

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted({path.parent for root in ("bookbag", "services") for path in (ROOT / root).rglob("migrations/2*.py")})


def breaks(folder: Path) -> list[str]:
    """Revisions that do not follow the one before them. Which one is newest is told by names, so the line must be theirs too."""
    before, found = None, list[str]()
    for path in sorted(folder.glob("2*.py")):
        named = re.search(r'^down_revision = (?:"(.*)"|None)$', path.read_text(), re.MULTILINE)
        if named is None or named[1] != before:
            found.append(path.stem)
        before = path.stem
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_history_is_one_line_in_the_order_of_its_names(folder: Path) -> None:
    assert breaks(folder) == []


def test_two_that_follow_one_are_seen(tmp_path: Path) -> None:
    for name, follows in (("20260101_a", None), ("20260102_b", "20260101_a"), ("20260103_c", "20260101_a")):
        (tmp_path / f"{name}.py").write_text(f"down_revision = {follows!r}\n".replace("'", '"'))
    assert breaks(tmp_path) == ["20260103_c"]


FIRST = "no installation has run the code before it: it came before the first release"
LET_OFF = {
    ("20261125_the_record_is_read_and_anchored", "require-concurrent-index-creation"): FIRST,
    ("20261125_messages_wait_for_their_hour", "require-concurrent-index-creation"): FIRST,
    ("20261125_messages_wait_for_their_hour", "ban-drop-function"): FIRST,
    ("20261125_staff_are_rung_in_their_hours", "require-concurrent-index-creation"): FIRST,
    ("20261126_leaders_hear_of_broken_glass", "ban-drop-constraint"): FIRST,
    ("20261126_leaders_hear_of_broken_glass", "constraint-missing-not-valid"): FIRST,
    ("20261126_leaders_hear_of_broken_glass", "ban-drop-not-null"): FIRST,
    (
        "20261127_steps_need_no_look_at_their_head",
        "ban-drop-constraint",
    ): "no code, old or new, asks for what the key refused",
}
"""What a migration does all the same, and why it harms nobody."""

SQL = [file for folder in FOLDERS for file in sorted(folder.glob("2*.sql"))]


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("file", SQL, ids=lambda file: file.stem)
def test_no_migration_breaks_running_code_or_keeps_it_waiting(file: Path) -> None:
    found = {one.partition(":")[0]: one for one in findings(file.read_text())}
    let_off = {rule for name, rule in LET_OFF if name == file.stem}
    assert [one for rule, one in found.items() if rule not in let_off] == []
    assert let_off <= found.keys(), "what is let off and not done is no longer let off"


def test_every_exception_is_of_a_migration_that_there_is() -> None:
    assert {name for name, _ in LET_OFF} <= {file.stem for file in SQL}


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("create index leaf_by_colour on leaf (colour);", "require-concurrent-index-creation"),
        ("create index concurrently leaf_by_colour on leaf (colour);", "not-apart"),
        ("drop index leaf_by_colour;", "require-concurrent-index-deletion"),
        ("alter table leaf add column colour text not null;", "adding-required-field"),
        ("alter table leaf alter column colour set not null;", "adding-not-nullable-field"),
        ("alter table leaf drop column colour;", "ban-drop-column"),
        ("alter table leaf rename column colour to shade;", "renaming-column"),
        ("alter table leaf rename to blade;", "renaming-table"),
        ("alter table leaf alter column colour type varchar(9);", "changing-column-type"),
        ("alter table leaf add constraint short check (length(colour) < 9);", "constraint-missing-not-valid"),
        (
            "alter table leaf add constraint of_tree foreign key (tree_id) references tree (tree_id);",
            "adding-foreign-key-constraint",
        ),
        ("alter table leaf add constraint once unique (colour);", "disallowed-unique-constraint"),
        ("drop table leaf;", "ban-drop-table"),
        ("drop function shade(uuid);", "ban-drop-function"),
        ("drop view leaves;", "ban-drop-view"),
        ("drop policy school on leaf;", "policy-in-use-dropped"),
        ("drop trigger revision on leaf;", "trigger-in-use-dropped"),
        ("revoke insert on leaf from $app;", "right-in-use-revoked"),
        ("update leaf set colour = 'green';", "all-rows-changed"),
        ("delete from leaf;", "all-rows-changed"),
        ("lock table leaf in exclusive mode;", "table-locked"),
        ("-- apart: in use\ncreate index concurrently leaf_by_colour on leaf (colour);\n", "not-repeatable"),
        ("-- apart: in use\nalter table leaf add column colour text;\n", "not-only-apart"),
    ],
)
def test_what_breaks_running_code_or_keeps_it_waiting_is_seen(sql: str, rule: str) -> None:
    assert rule in {one.partition(":")[0] for one in findings(sql)}


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    "sql",
    [
        "alter table leaf add column colour text;",
        "alter table leaf add column weight bigint not null default 1;",
        "alter table leaf add constraint short check (length(colour) < 9) not valid;",
        "alter table leaf validate constraint short;",
        "create table twig (twig_id uuid primary key);\ncreate index twig_by_id on twig (twig_id);\nrevoke all on twig from public;",
        (
            "create function shade() returns text language plpgsql as $$ begin update leaf set colour = ''; return 'x'; end $$;\n"
            "revoke all on function shade from public;\ngrant execute on function shade to $app;"
        ),
        (
            "-- apart: in use\n\ndrop index concurrently if exists leaf_by_colour;\n"
            "create index concurrently leaf_by_colour on leaf (school_id, colour);\n"
        ),
    ],
)
def test_the_safe_forms_are_let_through(sql: str) -> None:
    assert findings(sql) == []
