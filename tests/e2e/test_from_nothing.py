"""The first command of the README on a checkout that has nothing yet: only what the run itself needs is installed, and that suffices."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from bookbag.local import ports
from tests.architecture.test_tree import ROOT, files_of_the_tree


@pytest.mark.req("OPS-1")
@pytest.mark.timeout(400)
def test_make_run_needs_nothing_but_python_and_the_registries(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for file in files_of_the_tree():
        target = checkout / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    port = ports.choose_one()
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "BOOKBAG_", "PYTEST"))
    }
    run = subprocess.Popen(
        ["make", "run", f"ARGS=--port {port}"], cwd=checkout, env=bare | {"BOOKBAG_APT": "no", "PATH": _path_of_a_person()},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    try:
        assert run.stdout is not None
        for line in run.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        else:
            raise AssertionError("".join(said))
        page = httpx2.get(f"http://127.0.0.1:{port}/")
        assert page.status_code == 200
        assert re.search(r'<script[^>]+src="/', page.text), "the web client was built"
    finally:
        os.killpg(run.pid, signal.SIGINT)
        rest, _ = run.communicate(timeout=60)
    assert "Bookbag has stopped." in rest


def _path_of_a_person() -> str:
    """The PATH without this environment's own programs."""
    own = str(ROOT / ".venv")
    return os.pathsep.join(place for place in os.environ["PATH"].split(os.pathsep) if not place.startswith(own))
