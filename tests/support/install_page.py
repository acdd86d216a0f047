"""docs/install-kubernetes.md as data: its blocks of commands and of values, each under the heading that it stands under."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs" / "install-kubernetes.md"
VALUES = "my-values.yaml"


@dataclass(frozen=True)
class Block:
    """What stands between two fences. `number` tells the blocks of a heading and a language apart, from 0."""

    heading: str
    language: str
    number: int
    text: str


def blocks() -> list[Block]:
    """All of them, in their order."""
    found: list[Block] = []
    heading = ""
    for part in re.split(r"^(#+ [^\n]*\n|```\w+\n.*?^```\n)", FILE.read_text(), flags=re.MULTILINE | re.DOTALL):
        if part.startswith("#"):
            heading = part.strip("# \n")
        elif fenced := re.fullmatch(r"```(\w+)\n(.*)```\n", part, flags=re.DOTALL):
            language, text = fenced.groups()
            before = sum((one.heading, one.language) == (heading, language) for one in found)
            found.append(Block(heading, language, before, text))
    return found


def block(heading: str, number: int = 0, *, language: str = "sh") -> Block:
    """One of them, by the beginning of its heading. Raises StopIteration."""
    return next(
        one for one in blocks() if one.heading.startswith(heading) and (one.language, one.number) == (language, number)
    )


ALIAS = next(line for one in blocks() for line in one.text.splitlines() if line.startswith("alias "))
"""What stands for `bookbag` on the whole page."""
