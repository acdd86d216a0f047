"""What a migration may not do while the code before it runs: what squawk finds, and the little that it does not look for.

A migration is judged by itself: what it does to a table that it makes itself harms nobody.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bookbag.chassis.migrate import is_apart, statements

ROOT = Path(__file__).resolve().parents[2]
SQUAWK = ROOT / ".venv" / "bin" / "squawk"

NOT_ABOUT_SAFETY = (
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-text-field", "prefer-timestamp-tz",
    "prefer-robust-stmts",
    # `bookbag migrate` sets it for every migration, and a test of it says so.
    "require-timeout-settings",
)  # fmt: skip

_ROLES = re.compile(r"\$(owner|app|worker|reader|backup)\b")
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
_MADE = re.compile(r"\bcreate\s+(?:table|view|function)\s+(?:if\s+not\s+exists\s+)?(\w+)", re.IGNORECASE)
_APART = re.compile(r"\s*(?:create\s+(?:unique\s+)?index|drop\s+index|reindex\s+\w+)\s+concurrently\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement that breaks running code or keeps it waiting; its group is what it is done to."""

    name: str
    pattern: re.Pattern[str]


def _rule(name: str, pattern: str) -> Rule:
    return Rule(name, re.compile(rf"(?:^|;)\s*{pattern}", re.IGNORECASE))


OURS = (
    # Running code may rely on it: a release later.
    _rule("right-in-use-revoked", r"revoke\b[^;]*?\bon\s+(?:table\s+|function\s+)?(\w+)"),
    _rule("trigger-in-use-dropped", r"drop\s+trigger\s[^;]*?\bon\s+(\w+)"),
    _rule("policy-in-use-dropped", r"drop\s+policy\s[^;]*?\bon\s+(\w+)"),
    # It keeps every row locked for as long as it takes: a job does it in steps.
    _rule("all-rows-changed", r"(?:update|delete\s+from|truncate(?:\s+table)?)\s+(\w+)"),
    _rule("table-locked", r"lock\s+(?:table\s+)?(\w+)"),
)


def ours(sql: str) -> list[str]:
    """What our own rules find, as `rule: what it is done to`."""
    bare = _BODY.sub("''", _COMMENT.sub("", sql))
    made = {name.lower() for name in _MADE.findall(bare)}
    found = [
        f"{rule.name}: {match[1]}"
        for rule in OURS
        for match in rule.pattern.finditer(bare)
        if match[1].lower() not in made
    ]
    if is_apart(sql):
        return found + _apart(bare)
    return found + [f"not-apart: {word}" for word in re.findall(r"\bconcurrently\b", bare, re.IGNORECASE)]


def _apart(bare: str) -> list[str]:
    """Outside any transaction a migration may end in the middle and run again: what was half made must go first, and what needs no
    such thing does not belong here."""
    dropped = set(re.findall(r"drop\s+index\s+concurrently\s+if\s+exists\s+(\w+)", bare, re.IGNORECASE))
    made = re.findall(r"create\s+(?:unique\s+)?index\s+concurrently\s+(\w+)", bare, re.IGNORECASE)
    others = [" ".join(part.split()[:3]) for part in statements(bare) if not _APART.match(part)]
    return [f"not-repeatable: {name}" for name in made if name not in dropped] + [
        f"not-only-apart: {words}" for words in others
    ]


def squawks(sql: str) -> list[str]:
    """What squawk finds, as `rule: line`. Fails when it cannot read the words at all."""
    text = _ROLES.sub(r"role_\1", sql)
    transaction = "--no-assume-in-transaction" if is_apart(sql) else "--assume-in-transaction"
    done = subprocess.run(
        [SQUAWK, "--reporter=json", "--pg-version=16", transaction, f"--exclude={','.join(NOT_ABOUT_SAFETY)}",
         "--stdin-filepath=migration.sql"],
        input=text, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip(), done.stderr
    return [f"{one['rule_name']}: {one['line'] + 1}" for one in json.loads(done.stdout)]


def findings(sql: str) -> list[str]:
    """Everything that is wrong with a migration."""
    return [*squawks(sql), *ours(sql)]
