"""What an operator reads, sets and asks about a school's rules, and how soon every process obeys."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from bookbag.school.policy.presets import preset_text
from tests.support.house import eventually
from tests.support.whole import Whole

pytestmark = pytest.mark.req("POL-2")


def bookbag(whole: Whole, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command with the settings of the product."""
    return subprocess.run(
        [sys.executable, "-m", "bookbag", "policy", *words],
        capture_output=True, text=True, check=False, env=os.environ | whole.environment,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def quiet_evenings(whole: Whole, tmp_path: Path) -> None:
    """The school keeps the preset's hours; schools of test products are otherwise open at any hour."""
    file = tmp_path / "preset.yaml"
    file.write_text(preset_text("quiet-evenings"))
    done = bookbag(whole, "set", "BRLA", str(file), "--reason", "the hours of the preset")
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
    document = "".join(line for line in shown.stdout.splitlines(keepends=True) if not line.startswith("# version"))
    file = tmp_path / "rules.yaml"
    file.write_text(document.replace("outside: hold", "outside: later", 1))
    refused = bookbag(whole, "set", "BRLA", str(file), "--reason", "a slip")
    assert refused.returncode == 1
    assert "messages.families.outside" in refused.stderr
    file.write_text(document)
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
        file.write_text(text)
        saved = bookbag(whole, "set", "BRLA", str(file), "--reason", "new words for pupils")
        assert saved.returncode == 0, saved.stderr

        async def obeyed() -> bool:
            return code() == "terms-not-accepted"

        await eventually(obeyed, seconds=5)
