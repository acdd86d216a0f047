"""Types the commands of docs/install-kubernetes.md, in a folder of their own and under the names that are true of this cluster."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from bookbag.local.postgres import binaries
from tests.cluster.place import ROOT, run
from tests.support.install_page import ALIAS, VALUES, Block, block

TYPED: set[Block] = set()
"""What was typed and succeeded in this run."""

NEVER: Mapping[tuple[str, int], str] = {
    ("1. The image", 0): "the images are built before the tests begin, by the same program; there is no registry",
    ("Upgrade", 0): "the same",
    ("Trying it out", 0): "it makes a cluster; these tests are given one",
}
"""Blocks that no test types, and why."""


class Page:
    """`names` are put in the place of the page's, one after the other."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self.folder = folder
        self._names = names
        for own in (".venv", "deploy"):
            (folder / own).symlink_to(ROOT / own)

    def write_values(self) -> None:
        """Make the file of values as the page begins it."""
        (self.folder / VALUES).write_text(self._named(block("3. The values", language="yaml").text))

    def change_values(self, heading: str) -> None:
        """Say in it what stands under a heading."""
        file = self.folder / VALUES
        said = yaml.safe_load(self._named(block(heading, language="yaml").text))
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | said))

    def values(self) -> dict:
        return yaml.safe_load((self.folder / VALUES).read_text())

    def type(self, heading: str, number: int = 0, *, names: Mapping[str, str] | None = None) -> str:
        """Type a block of commands, under still other names; what was printed. Raises Failed with it."""
        one = block(heading, number)
        text = one.text
        for name, ours in (names or {}).items():
            assert name in text, f"{name} is not in the block"
            text = text.replace(name, ours)
        begun = (
            f"exec 2>&1; cd {self.folder}; export PYTHONPATH={ROOT} PATH=$PATH:{binaries()}; shopt -s expand_aliases"
        )
        said = run("bash", "-euo", "pipefail", "-c", f"{begun}\n{ALIAS}\n{self._named(text)}", within=420)
        print(f"\n{self._named(text)}\n{said}")
        TYPED.add(one)
        return said

    def _named(self, text: str) -> str:
        for name, ours in self._names.items():
            text = text.replace(name, ours)
        return text
