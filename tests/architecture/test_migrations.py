"""Each history of a database is one line: a revision follows the one whose name comes before its own."""

import re
from pathlib import Path

import pytest

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
