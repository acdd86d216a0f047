"""`bookbag policy`: what a leader's computer person types before saving a document."""

import json
from pathlib import Path

import pytest

from bookbag.cli.main import main
from bookbag.school.policy.presets import preset_text

pytestmark = pytest.mark.req("POL-2", "OPS-6")


def test_a_good_document_is_said_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(preset_text("b"))
    assert main(["policy", "check", str(file)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("ours.yaml is a policy. What it means for Bramley Lane Primary:")
    assert "The class teacher's phone stays silent until Monday 08:00." in said


def test_every_mistake_is_listed_with_its_line_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(preset_text("b").replace("per_child: 2", "per_child: two").replace("Europe/London", "London"))
    assert main(["policy", "check", str(file)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("ours.yaml: 2 mistakes\n")
    assert "calendar.zone: there is no time zone 'London'. Did you mean Europe/London?" in said
    assert "guardians.per_child: 'two' is text. Write a whole number." in said
    assert main(["policy", "check", str(file), "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["path"] for row in rows] == ["calendar.zone", "guardians.per_child"]
    assert rows[0]["line"] < rows[1]["line"]


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff\xfe", "not UTF-8"), (b"a: [", "not YAML"), (b"x" * 1_500_000, "Keep it within")]
)
def test_a_file_that_is_no_document_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    file = tmp_path / "ours.yaml"
    file.write_bytes(content)
    assert main(["policy", "check", str(file)]) == 1
    assert words in capsys.readouterr().out


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", str(tmp_path / "none.yaml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_preset_can_be_printed_changed_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "preset", "answer-slots"]) == 0
    file = tmp_path / "ours.yaml"
    file.write_text(capsys.readouterr().out)
    assert main(["policy", "check", str(file)]) == 0
