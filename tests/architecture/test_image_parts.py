"""What building the image takes out of compiled modules is nothing that they are run from."""

import importlib.util
import shutil
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.req("OPS-2")
ROOT = Path(__file__).resolve().parents[2]

WORK = {
    "uvloop": "import asyncio, uvloop; print(uvloop.run(asyncio.sleep(0, 'done')))",
    "asyncpg": "import asyncpg.protocol.protocol, asyncpg.pgproto.pgproto; print('done')",
    "greenlet": "import greenlet; print(greenlet.greenlet(lambda: 'done').switch())",
}
"""Modules whose wheels are mostly for debuggers, and what shows that one works."""


def finish() -> ModuleType:
    spec = importlib.util.spec_from_file_location("finish", ROOT / "deploy" / "docker" / "finish.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied(package: str, to: Path) -> Path:
    """A package of this environment in a folder of its own."""
    found = next(file for file in files(package) or () if file.name == "__init__.py")
    shutil.copytree(Path(str(found.locate())).parent, to / package)
    return to / package


@pytest.mark.parametrize("package", WORK)
def test_a_module_works_without_what_debuggers_read(package: str, tmp_path: Path) -> None:
    modules = list(copied(package, tmp_path).rglob("*.so"))
    before = sum(module.stat().st_size for module in modules)
    finish().strip(tmp_path)
    assert sum(module.stat().st_size for module in modules) < before / 2
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {WORK[package]}; print(sys.modules[{package!r}].__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["done", str(tmp_path / package / "__init__.py")]


def test_a_module_that_does_not_load_stops_the_build(tmp_path: Path) -> None:
    """As would one that the cut has harmed."""
    module = next(copied("greenlet", tmp_path).rglob("*.so"))
    module.write_bytes(module.read_bytes().replace(b"libc.so.6\0", b"libx.so.6\0"))
    with pytest.raises(OSError, match="libx"):
        finish().strip(tmp_path)


def test_what_is_no_compiled_module_stays_as_it_is() -> None:
    assert finish().loaded(b"not one of them") == b"not one of them"
