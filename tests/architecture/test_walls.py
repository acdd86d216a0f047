"""The import walls of pyproject.toml hold in a tree of the intended shape, and each turns red on a planted import."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A small tree of the intended shape: two services, one of them grown into capabilities.
SHAPE = {
    "bookbag/__init__.py": "",
    "bookbag/chassis/__init__.py": "",
    "bookbag/chassis/database.py": "import asyncpg",
    "bookbag/school/__init__.py": "",
    "bookbag/school/roles.py": "",
    "bookbag/directory/__init__.py": "",
    "bookbag/directory/store.py": "import asyncpg\nfrom bookbag.chassis import database",
    "bookbag/cli/__init__.py": "",
    "bookbag/cli/main.py": "from bookbag.local import supervisor",
    "bookbag/local/__init__.py": "",
    "bookbag/local/supervisor.py": "",
    "bookbag/post/__init__.py": "",
    "bookbag/post/v1/__init__.py": "",
    "bookbag/post/v1/events_pb2.py": "",
    "services/__init__.py": "",
    **{
        f"services/{service}/{file}": text
        for service in ("post", "roster/pupils")
        for file, text in {
            "__init__.py": "",
            "model.py": "from bookbag.school import roles",
            "store.py": "import asyncpg\nfrom . import model",
            "access.py": "from bookbag.directory import store as known\nfrom . import model, store",
            "actions.py": "from . import access, model, store",
            "api.py": "import fastapi\nfrom . import actions, model",
            "rpc.py": "from bookbag.post.v1 import events_pb2\nfrom . import actions, model",
            "events.py": "",
            "jobs.py": "from . import actions",
            "service.py": "from . import api, jobs, rpc",
        }.items()
    },
    "services/roster/__init__.py": "",
}

PLANTED = [
    ("services-apart", "services/post/actions.py", "from services.roster.pupils import model"),
    ("services-apart", "services/post/rpc.py", "from services.roster.pupils import actions"),
    ("chassis-knows-no-school", "bookbag/chassis/database.py", "from bookbag.school import roles"),
    ("chassis-knows-no-school", "bookbag/chassis/database.py", "from bookbag.directory import store"),
    ("chassis-knows-no-school", "bookbag/chassis/database.py", "from services.post import model"),
    ("school-is-pure", "bookbag/school/roles.py", "from bookbag.chassis import database"),
    ("school-is-pure", "bookbag/school/roles.py", "import asyncpg"),
    ("directory-below-services", "bookbag/directory/store.py", "from services.post import model"),
    ("services-do-not-know-how-they-run", "services/post/service.py", "from bookbag.local import supervisor"),
    ("model-is-pure", "services/post/model.py", "import asyncpg"),
    ("model-is-pure", "services/roster/pupils/model.py", "from bookbag.chassis import database"),
    ("model-is-pure", "services/roster/pupils/model.py", "from . import store"),
    ("doors-never-touch-the-store", "services/post/api.py", "from . import store"),
    ("doors-never-touch-the-store", "services/roster/pupils/rpc.py", "from services.roster.pupils import store"),
    ("store-below-actions", "services/post/store.py", "from . import access"),
    ("actions-below-doors", "services/post/actions.py", "from . import api"),
    ("http-only-in-api", "services/post/actions.py", "import fastapi"),
    ("sql-only-in-stores", "services/post/actions.py", "import asyncpg"),
    ("one-machine-run-stands-alone", "bookbag/directory/store.py", "from bookbag.local import supervisor"),
]


def _contracts() -> set[str]:
    return {
        wall["id"] for wall in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    }


def _lint(tree: Path, *contracts: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo", "--no-cache"]
        + [part for wall in contracts for part in ("--contract", wall)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in SHAPE.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_intended_shape_keeps_every_wall(tree: Path) -> None:
    code, said = _lint(tree)
    assert code == 0, said


@pytest.mark.parametrize(("wall", "path", "planted"), PLANTED, ids=lambda value: str(value)[:40])
def test_a_planted_import_turns_the_wall_red(tree: Path, wall: str, path: str, planted: str) -> None:
    file = tree / path
    file.write_text(f"{file.read_text()}\n{planted}\n")
    code, said = _lint(tree, wall)
    assert code == 1, said
    assert "BROKEN" in said, said


def test_every_wall_has_a_planted_violation() -> None:
    assert {wall for wall, *_ in PLANTED} == _contracts()
