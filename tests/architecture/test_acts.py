"""Every act that a service may put on a school's record has words in the web client."""

import re
from pathlib import Path

import pytest

from bookbag.cli.services import named

_CODE = re.compile(r'^\s+"?([a-z][a-z0-9-]*)"?: msg`', re.MULTILINE)


def acts_with_words(text: str) -> set[str]:
    return set(_CODE.findall(text.partition("actWords")[2].partition("};")[0]))


@pytest.mark.req("PRV-4")
def test_every_act_on_the_record_has_words() -> None:
    known = acts_with_words(Path("web/src/words/acts.ts").read_text())
    assert {act for service in named("all") for act in service.records} <= known


def test_an_act_without_words_is_missed() -> None:
    text = Path("web/src/words/acts.ts").read_text().replace('"guardian-suspended": msg', '"other": msg')
    assert "guardian-suspended" not in acts_with_words(text)
    assert "membership-added" in acts_with_words(text)
