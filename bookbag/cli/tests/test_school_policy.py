"""What an operator reads, sets and asks about a school's rules, and how soon every process obeys."""

import os
import subprocess
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from bookbag.school.policy.presets import preset_text
from tests.support import commands
from tests.support.house import eventually
from tests.support.whole import Whole

pytestmark = pytest.mark.req("POL-2")


def bookbag(whole: Whole, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command with the settings of the product."""
    return commands.run("policy", *words, environment=os.environ | whole.environment)


@pytest.fixture(autouse=True)
def quiet_evenings(whole: Whole, tmp_path: Path) -> None:
    """The school keeps the preset's hours; schools of test products are otherwise open at any hour."""
    file = tmp_path / "preset.yaml"
    file.write_text(preset_text("quiet-evenings"))
    done = bookbag(whole, "set", "BRLA", str(file), "--after", "any", "--reason", "the hours of the preset")
    assert done.returncode == 0 or "says what the rules say already" in done.stderr


def test_an_instant_is_explained_for_a_person_in_each_role_they_have(whole: Whole) -> None:
    done = bookbag(whole, "explain", "BRLA", "--person", "Mr Okafor", "--at", "2026-11-27T18:00+00:00")
    assert done.returncode == 0, done.stderr
    assert "Mr Okafor, guardian, at Friday 27 November 2026 18:00 (Europe/London)" in done.stdout
    assert "may send: held. It is kept and will be seen Monday 08:00." in done.stdout
    assert "on duty: no. Back at work Monday 08:00." in done.stdout


def test_nobody_of_that_name_and_no_such_school_are_said_in_words(whole: Whole) -> None:
    nobody = bookbag(whole, "explain", "BRLA", "--person", "Nobody At All")
    assert (nobody.returncode, nobody.stderr.strip()) == (1, "Nobody here is called Nobody At All; give the id.")
    assert "No school here has the code NONE." in bookbag(whole, "show", "NONE").stderr
    assert "had no rules at" in bookbag(whole, "show", "BRLA", "--at", "2001-01-01").stderr


@pytest.fixture
def sami(whole: Whole) -> tuple[UUID, UUID]:
    """School and person of a pupil who signs in."""
    return whole.person("Sami", "pupil")


async def test_a_new_version_is_obeyed_by_another_service_within_five_seconds(
    whole: Whole, sami: tuple[UUID, UUID], tmp_path: Path
) -> None:
    shown = bookbag(whole, "show", "BRLA")
    heading, _, document = shown.stdout.partition("\n")
    assert heading.startswith("# version ")
    file = tmp_path / "rules.yaml"
    file.write_text(document.replace("outside: hold", "outside: later", 1))
    refused = bookbag(whole, "set", "BRLA", str(file), "--after", "any", "--reason", "a slip")
    assert refused.returncode == 1
    assert "messages.families.outside" in refused.stderr
    file.write_text(shown.stdout)
    assert "says what the rules say already" in bookbag(whole, "set", "BRLA", str(file), "--reason", "no change").stderr

    headers = whole.house.bearer(*sami, "pupil")
    with whole.client() as http:

        def code() -> str:
            answer: httpx2.Response = http.get("/notify/v1/preferences", headers=headers)
            return answer.json().get("code", "") if answer.status_code >= 400 else "let in"

        before = code()
        assert before != "terms-not-accepted"
        before_pupils, _, after_pupils = document.rpartition("version: 2026-09")
        text = f"{before_pupils}version: 2027-01{after_pupils}".replace(
            "I use my own sign-in, ", "I use my own sign-in and "
        )
        file.write_text(f"{heading}\n{text}")
        saved = bookbag(whole, "set", "BRLA", str(file), "--reason", "new words for pupils")
        assert saved.returncode == 0, saved.stderr

        async def obeyed() -> bool:
            return code() == "terms-not-accepted"

        await eventually(obeyed, seconds=5)


def test_a_document_does_not_overwrite_a_version_that_was_saved_since_it_was_read(whole: Whole, tmp_path: Path) -> None:
    read = bookbag(whole, "show", "BRLA").stdout
    heading, _, document = read.partition("\n")
    number = int(heading.removeprefix("# version ").partition(",")[0])
    mine, theirs = tmp_path / "mine.yaml", tmp_path / "theirs.yaml"
    mine.write_text(f"{heading}\n{document.replace('hours: 24', 'hours: 48', 1)}")
    theirs.write_text(f"{heading}\n{document.replace('per_child: 2', 'per_child: 3', 1)}")
    assert bookbag(whole, "set", "BRLA", str(theirs), "--reason", "grandparents").returncode == 0

    refused = bookbag(whole, "set", "BRLA", str(mine), "--reason", "more time to answer")

    assert refused.returncode == 1
    assert f"changes version {number}, and version {number + 1} (by operator: grandparents) was saved" in refused.stderr
    now = bookbag(whole, "show", "BRLA").stdout
    assert "per_child: 3" in now
    assert "hours_on_working_days, hours: 24}" in now
    assert now.count("# version") == 1
    newer = ["--after", str(number + 1), "--reason", "more time to answer"]
    assert bookbag(whole, "set", "BRLA", str(mine), *newer).returncode == 0


def test_a_document_that_does_not_say_what_it_changes_is_asked_to(whole: Whole, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(bookbag(whole, "show", "BRLA").stdout.partition("\n")[2].replace("per_child: 2", "per_child: 4", 1))
    refused = bookbag(whole, "set", "BRLA", str(file), "--reason", "for a test")
    assert refused.returncode == 1
    assert "does not say which version it changes. The newest is version" in refused.stderr
    assert (
        "bookbag policy set: error" in bookbag(whole, "set", "BRLA", str(file), "--reason", "x", "--after", "no").stderr
    )
