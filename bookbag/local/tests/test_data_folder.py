"""Whose data folder it is, and that nothing but a Bookbag folder is ever touched."""

import json
import os
import stat

import pytest

from bookbag.local.data_folder import LAYOUT, SMALLEST_FREE, open_folder
from bookbag.local.refusals import CannotStart


@pytest.fixture
def made(tmp_path):
    with open_folder(tmp_path / "data") as folder:
        folder.create(demo=True)
    return tmp_path / "data"


def test_a_missing_folder_is_made_and_is_not_complete_until_created(tmp_path):
    with open_folder(tmp_path / "a" / "b") as folder:
        assert not folder.is_complete
        folder.create(demo=False)
        assert folder.is_complete
        assert stat.S_IMODE(folder.place("keys").stat().st_mode) == 0o700


def test_a_second_instance_is_refused_with_the_pid_of_the_first(made):
    with open_folder(made), pytest.raises(CannotStart, match=rf"already running on .*process {os.getpid()}\)"):
        open_folder(made)
    open_folder(made).close()


def test_a_folder_of_a_newer_layout_is_refused_and_left_alone(made):
    (made / "bookbag.json").write_text(json.dumps({"product": "bookbag", "layout": LAYOUT + 1}))
    before = sorted(made.iterdir())
    with pytest.raises(CannotStart, match="made by a newer Bookbag"):
        open_folder(made)
    assert sorted(made.iterdir()) == before


@pytest.mark.parametrize("sheet", ["", "[]", "{}", '{"product": "other", "layout": 1}', '{"product": "bookbag"}'])
def test_a_damaged_or_foreign_sheet_is_refused(made, sheet):
    (made / "bookbag.json").write_text(sheet)
    with pytest.raises(CannotStart, match="not a Bookbag data folder"):
        open_folder(made)


def test_a_folder_with_other_files_is_never_taken_over(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(CannotStart, match=r"holds other files \(letters.txt\)"):
        open_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_file_in_place_of_the_folder_is_one_clear_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(CannotStart, match="is a file"):
        open_folder(tmp_path / "data")


def test_a_full_disk_is_one_clear_sentence_and_makes_nothing(tmp_path):
    with pytest.raises(CannotStart, match="is full: free at least 200 MB"):
        open_folder(tmp_path / "data", free=lambda _: SMALLEST_FREE - 1)
    assert not (tmp_path / "data").exists()
    open_folder(tmp_path / "data", free=lambda _: SMALLEST_FREE).close()


def test_a_demo_is_a_demo_only_when_it_was_made_as_one(tmp_path, made):
    with open_folder(made) as demo, open_folder(tmp_path / "plain") as plain:
        plain.create(demo=False)
        assert demo.is_demo
        assert not plain.is_demo


def test_emptying_removes_everything_and_goes_through_no_link(tmp_path, made):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").write_text("precious")
    (made / "link").symlink_to(outside)
    (made / "postgres").mkdir()
    (made / "postgres" / "row").write_text("x")
    with open_folder(made) as folder:
        folder.empty()
        assert not folder.is_complete
        assert not folder.is_demo
        assert [path.name for path in made.iterdir()] == ["lock"]
    assert (outside / "photo").read_text() == "precious"


def test_a_start_that_was_interrupted_while_making_the_folder_can_be_repeated(tmp_path):
    (tmp_path / "lock").write_text("1")
    (tmp_path / "demo").write_text("")
    with open_folder(tmp_path) as folder:
        assert not folder.is_complete
