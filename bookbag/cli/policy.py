"""`bookbag policy`: check a school's policy document before it is saved, and print a preset to begin from. Needs nothing that runs."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bookbag.cli.answers import reader_may_leave
from bookbag.school.policy.faults import Fault, PolicyRefused
from bookbag.school.policy.parse import parse
from bookbag.school.policy.presets import preset_text
from bookbag.school.policy.preview import summary
from bookbag.school.policy.reading import LARGEST
from bookbag.school.policy.rules import SchoolRules


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: lines for people and rows for programs."""

    faults: Sequence[Fault]
    text: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row a fault."""
        return [
            {"line": fault.line, "path": fault.path, "problem": fault.problem, "right": fault.right}
            for fault in self.faults
        ]


def check(file: Path) -> Checked:
    """Check one file. Raises OSError when it cannot be read."""
    content = file.read_bytes()[: LARGEST * 4 + 1]
    try:
        rules = SchoolRules(parse(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        fault = Fault("the document", "it is not UTF-8 text", "Save it as UTF-8.", line)
        return Checked([fault], str(fault))
    except PolicyRefused as refused:
        count = len(refused.faults)
        heading = f"{file.name}: {count} {'mistake' if count == 1 else 'mistakes'}"
        return Checked(refused.faults, "\n".join([heading, *(f"  {fault}" for fault in refused.faults)]))
    return Checked(
        [], f"{file.name} is a policy. What it means for {rules.policy.school.name}:\n\n{summary(rules, 'en')}"
    )


def run(asked: argparse.Namespace) -> int:
    """Run one action. Returns the exit code: 0 for a document without a fault, else 1."""
    if asked.action == "preset":
        with reader_may_leave():
            print(preset_text(asked.name), end="")
        return 0
    try:
        checked = check(asked.file)
    except OSError as error:
        print(f"{asked.file} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1
    with reader_may_leave():
        print(json.dumps(checked.rows, indent=1, ensure_ascii=False) if asked.json else checked.text)
    return 1 if checked.faults else 0
