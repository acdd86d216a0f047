"""A suite is left out of a second run only when nothing that it may read is otherwise than when it passed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import unchanged
from tools.suites import Suite

SUITE = Suite("leaves", "leaves", lambda _: [], ignores=(":!docs",))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository: code, a page, and a file that git ignores."""
    monkeypatch.setattr(unchanged, "ROOT", tmp_path)
    monkeypatch.setattr(unchanged, "PASSED", tmp_path / "build" / "passed")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name, text in (("code.py", "1"), ("docs/page.md", "1"), (".gitignore", "build/\n"), ("build/out", "1")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def add(checkout: Path) -> None:
    (checkout / "more.py").write_text("")


def edit(checkout: Path) -> None:
    (checkout / "code.py").write_text("2")


def remove(checkout: Path) -> None:
    (checkout / "code.py").unlink()


def nothing_that_counts(checkout: Path) -> None:
    (checkout / "docs" / "page.md").write_text("2")
    (checkout / "build" / "out").write_text("2")


@pytest.mark.parametrize(
    ("change", "passed"), [(add, False), (edit, False), (remove, False), (nothing_that_counts, True)]
)
def test_what_passed_counts_until_a_file_that_matters_is_another(
    checkout: Path, change: Callable[[Path], None], passed: bool
) -> None:
    assert not unchanged.passed(SUITE)
    unchanged.remember(SUITE, unchanged.state_of(SUITE))
    assert unchanged.passed(SUITE)
    change(checkout)
    assert unchanged.passed(SUITE) is passed


def test_what_changed_while_it_ran_has_not_passed(checkout: Path) -> None:
    before = unchanged.state_of(SUITE)
    edit(checkout)
    unchanged.remember(SUITE, before)
    assert not unchanged.passed(SUITE)


def test_without_a_repository_nothing_is_left_out(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unchanged.remember(SUITE, unchanged.state_of(SUITE))
    monkeypatch.setattr(unchanged, "ROOT", tmp_path_factory.mktemp("copied"))
    assert unchanged.state_of(SUITE) is None
    unchanged.remember(SUITE, None)
    assert not unchanged.passed(SUITE)
