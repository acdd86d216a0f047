"""What a page for operators has them type is understood, and what it tells them to look for is said: by a command, a metric, a log line."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bookbag.cli.main import parser
from bookbag.cli.services import NAMES
from tests.observability.test_rules import ROOT, RUNBOOKS, existing

PAGES = [
    *sorted(RUNBOOKS.glob("*.md")),
    *(ROOT / name for name in ("README.md", "docs/operate.md", "docs/install-kubernetes.md")),
]
FENCED = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (\S.*)$", re.MULTILINE)
BEHIND_MAKE = {
    "run": ["up"],
    "stack": ["stack", "up"],
    "stack-status": ["stack", "status"],
    "stack-logs": ["stack", "logs"],
}
ROLE = re.compile(rf"bookbag_(?:{'|'.join(NAMES)})(?:_[a-z]+)?")
ANY_ID = "00000000-0000-7000-8000-000000000000"

of_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def typed(text: str, *, indented: bool) -> Iterator[list[str]]:
    """The words of every command of a page; of a pipe, those of each part."""
    blocks = INDENTED.findall(text) if indented else FENCED.findall(text)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        for part in re.split(r"\s(?:\||&&|\|\|)\s", re.sub(r"<[^<>]+>", ANY_ID, line)):
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield words
    for command in re.findall(r"`(bookbag [a-z][^`]*)`", text):
        if "…" not in command:
            yield shlex.split(re.sub(r"<[^<>]+>", ANY_ID, command))


def not_understood(words: list[str]) -> str | None:
    """What is wrong with a command of ours; nothing is said of other programs."""
    ours: list[str] | None = None
    if words[0] == "bookbag":
        ours = words[1:]
    elif words[:3] == [".venv/bin/python", "-m", "bookbag"]:
        ours = words[3:]
    elif words[0] == "kubectl" and "bookbag" in words[words.index("--") + 1 :][:1] if "--" in words else False:
        ours = words[words.index("--") + 2 :]
    elif words[0] == "make" and len(words) > 1:
        if not re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.MULTILINE):
            return f"make has no {words[1]}"
        if words[1] in BEHIND_MAKE:
            given = dict(word.split("=", 1) for word in words[2:])
            ours = [*BEHIND_MAKE[words[1]], *shlex.split(given.get("ARGS", ""))]
            ours += ["--service", given["SERVICE"]] if "SERVICE" in given else []
    if ours is None:
        return None
    try:
        parser().parse_args(ours)
    except SystemExit as ended:
        return " ".join(words) if ended.code else None
    return None


@of_each_page
def test_the_commands_of_a_page_are_understood(page: Path) -> None:
    text = page.read_text()
    assert [wrong for words in typed(text, indented=page.parent == RUNBOOKS) if (wrong := not_understood(words))] == []
    if page.parent == RUNBOOKS:
        assert not re.search(r"^(?:bookbag|grep|curl|df|make) ", text, re.MULTILINE), "a command is indented"


@pytest.mark.parametrize(
    "line",
    ["bookbag outbox statsu", ".venv/bin/python -m bookbag feed status --folder x", "make stakc", 'make stack ARGS="--prot 9"',
     "grep x y | bookbag nothing", "kubectl exec deploy/x -- bookbag migrate nobody"],
)  # fmt: skip
def test_a_command_that_is_not_understood_is_seen(line: str) -> None:
    assert [wrong for words in typed(f"```sh\n{line}\n```", indented=False) if (wrong := not_understood(words))]
    assert [wrong for words in typed(f"    {line}\n", indented=True) if (wrong := not_understood(words))]


@of_each_page
def test_the_metrics_of_a_page_exist(page: Path) -> None:
    there = existing()
    words = set(re.findall(r"\b((?:bookbag|http_server|rpc|db_client|process)_\w+)", page.read_text()))
    assert [
        word for word in words if not ROLE.fullmatch(word) and not any(name.startswith(word) for name in there)
    ] == []


@of_each_page
def test_the_settings_of_a_page_exist(page: Path) -> None:
    known = (ROOT / "docs" / "settings.md").read_text() + "`BOOKBAG_WORKER_ADMIN_PORT` of the run on one machine"
    assert {
        name for name in re.findall(r"\bBOOKBAG_[A-Z_]*[A-Z]\b", page.read_text()) if f"`{name}`" not in known
    } == set()


@cache
def source() -> str:
    """All that the product can say."""
    files = (file for folder in ("bookbag", "services") for file in sorted((ROOT / folder).rglob("*.py")))
    return "\n".join(file.read_text() for file in files if "tests" not in file.parts)


def looked_for(text: str) -> set[str]:
    """What a page has one look for in a log, and the words of several it quotes that are no command."""
    patterns = re.findall(r"grep (?:-E )?('[^']+'|\S+) \S*logs/", text)
    said = {word.strip("'\" ") for pattern in patterns for word in pattern.split("|")} - {"<event>", 'level": "error'}
    quoted = re.findall(r"`([a-z]+(?: [a-z]+)+)`", text)
    commands = ("bookbag ", "make ")
    return said | {one for one in quoted if not one.startswith(commands) and not_understood(["bookbag", *one.split()])}


@of_each_page
def test_what_a_page_has_one_look_for_is_said_somewhere(page: Path) -> None:
    assert {word for word in looked_for(page.read_text()) if word not in source()} == set()


def test_a_line_that_nothing_logs_is_seen() -> None:
    page = "    grep -E 'event failed|event exploded' .bookbag/logs/worker.log\n`bucket sleeps`, `bucket waits`"
    assert {word for word in looked_for(page) if word not in source()} == {"event exploded", "bucket sleeps"}
