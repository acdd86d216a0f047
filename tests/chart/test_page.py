"""docs/install-kubernetes.md where no cluster is: its values are taken by its commands, its images are built. `make cluster-test` types all."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.chart.charts import CHART, KUBERNETES, run
from tests.support.install_page import Block, block, blocks
from tools import image

pytestmark = pytest.mark.req("OPS-4")
VALUES = block("3. The values", language="yaml").text
NEW = block("All of it comes back", language="yaml").text


def commands(one: Block) -> list[list[str]]:
    """The words of each command of a block, what is piped apart."""
    joined = re.sub(r"\\\n|(?<=\|)\n", " ", one.text)
    return [shlex.split(part, comments=True) for line in joined.splitlines() for part in line.split(" | ")]


def all_of(program: str) -> list[list[str]]:
    """Every command of the page that begins with a word."""
    found = [words for one in blocks() if one.language == "sh" for words in commands(one)]
    return [words for words in found if words and words[0] == program]


@pytest.mark.parametrize(
    "words", [words for words in all_of("helm") if words[1] in {"install", "upgrade", "template"}], ids=" ".join
)
@pytest.mark.parametrize(
    "values", [VALUES, yaml.safe_dump(yaml.safe_load(VALUES) | yaml.safe_load(NEW))], ids=["begun", "anew"]
)
def test_the_values_of_the_page_are_taken_by_each_of_its_commands(
    words: list[str], values: str, tmp_path: Path
) -> None:
    (tmp_path / "my-values.yaml").write_text(values)
    said = {"deploy/helm/bookbag": str(CHART), "my-values.yaml": str(tmp_path / "my-values.yaml")}
    given = [said.get(word, word) for word in words[2:]]
    if ">" in given:
        given = given[: given.index(">")]
    done = run("helm", "template", "--kube-version", KUBERNETES, *[word for word in given if word != "--wait"])
    assert done.returncode == 0, done.stderr
    assert "registry.example/bookbag:1" in done.stdout


def test_the_images_of_the_page_are_built_by_the_options_there_are() -> None:
    options = [word.removeprefix("ARGS=") for words in all_of("make") for word in words if word.startswith("ARGS=")]
    assert [image._parser().parse_args(shlex.split(one)).tag for one in options] == [
        f"registry.example/bookbag:{n}" for n in (1, 2)
    ]
