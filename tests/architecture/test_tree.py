"""What must hold of the checkout as a whole: locks name no place, every dependency has its line, files stay readable."""

import json
import re
import subprocess
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 450
"""Lines; past this a file wants to become a folder named for what it does."""

_ADDRESS = re.compile(r"https?://|git\+|ssh://|file:|@ \S+://", re.IGNORECASE)
_MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|root|home|Users)/[\w.]")
_PACKAGE_LOCKS = ("web/package-lock.json", "tools/node/package-lock.json")


def files_of_the_tree() -> list[Path]:
    """What git tracks or would track; a tarball without .git has nothing ignored in it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    ignored = {".venv", "node_modules", "build", "dist", "__pycache__", ".cache", ".bookbag"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not ignored & set(path.relative_to(ROOT).parts)]


def places_named(text: str) -> list[str]:
    return [line for line in text.splitlines() if _ADDRESS.search(line)]


def machine_paths_named(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if _MACHINE_PATH.search(line)]


def unlocated(lock: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    return [name for name, package in lock["packages"].items() if "resolved" in package]


def undocumented(wanted: Iterable[str], documented: Iterable[str]) -> tuple[set[str], set[str]]:
    """Give what has no line, and which lines nobody needs."""
    return set(wanted) - set(documented), set(documented) - set(wanted)


def direct_dependencies() -> set[str]:
    names: set[str] = set()
    for path in ROOT.glob("requirements*.in"):
        for line in path.read_text().splitlines():
            if line and line[0] not in "#-":
                names.add(re.split(r"[\[<>=!~; ]", line)[0])
    for path in (ROOT / "web" / "package.json", ROOT / "tools" / "node" / "package.json"):
        if path.exists():
            package = json.loads(path.read_text())
            names |= set(package.get("dependencies", {})) | set(package.get("devDependencies", {}))
    pom = ET.parse(ROOT / "tools" / "kafka" / "pom.xml")
    return names | {found.text or "" for found in pom.iterfind("dependencies/dependency/artifactId")}


def documented_dependencies() -> set[str]:
    return set(re.findall(r"^- \*\*(.+?)\*\*: \S", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_a_python_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not places_named(text)
    pins = re.findall(r"^[A-Za-z0-9][^\n]*==", text, re.MULTILINE)
    hashed = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)
    assert pins
    assert len(pins) == len(hashed)


@pytest.mark.parametrize("lock", _PACKAGE_LOCKS)
def test_an_npm_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    path = ROOT / lock
    packages = json.loads(path.read_text())
    assert not unlocated(packages)
    unhashed = [name for name, package in packages["packages"].items() if name and "integrity" not in package]
    assert not unhashed


def test_an_npm_install_runs_no_scripts_of_others() -> None:
    for lock in _PACKAGE_LOCKS:
        assert "ignore-scripts=true" in (ROOT / lock).with_name(".npmrc").read_text().split()


def test_an_address_in_a_lock_is_seen() -> None:
    assert places_named("asyncpg @ https://files.example/asyncpg.whl")
    assert places_named("--" + "index-url https://files.example/simple")
    assert unlocated({"packages": {"node_modules/a": {"resolved": "x"}, "node_modules/b": {"integrity": "y"}}})


def test_every_direct_dependency_has_its_line_and_every_line_its_dependency() -> None:
    missing, left_over = undocumented(direct_dependencies(), documented_dependencies())
    assert not missing, f"docs/dependencies.md has no line for {sorted(missing)}"
    assert not left_over, f"docs/dependencies.md still speaks of {sorted(left_over)}"


def test_a_missing_line_is_seen() -> None:
    assert undocumented({"a", "b"}, {"b", "c"}) == ({"a"}, {"c"})


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    named: list[str] = []
    for path in files_of_the_tree():
        if path.suffix in {
            ".py",
            ".md",
            ".toml",
            ".json",
            ".yaml",
            ".yml",
            ".txt",
            ".in",
            ".ts",
            ".tsx",
            ".sql",
            ".sh",
        }:
            found = machine_paths_named(path.read_text(encoding="utf-8", errors="replace"))
            named += [f"{path.relative_to(ROOT)}: {line[:100]}" for line in found]
    assert not named, "\n".join(named)


def test_a_machine_path_is_seen_and_a_route_is_not() -> None:
    assert machine_paths_named("see " + "/" + "root/notes.md")
    assert machine_paths_named("DATA=" + "/" + "home/ann/bookbag")
    assert not machine_paths_named("GET /messaging/v1/threads and https://school.example/work")


def test_files_stay_short_enough_to_read() -> None:
    for path in files_of_the_tree():
        generated = "_pb2" in path.name or ".gen." in path.name
        if path.suffix in {".py", ".ts", ".tsx"} and not generated:
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > LONGEST:
                warnings.warn(f"{path.relative_to(ROOT)} has {lines} lines, past {LONGEST}: split it", stacklevel=1)
            assert lines <= 2 * LONGEST, f"{path.relative_to(ROOT)} has {lines} lines: split it by what it does"


def test_generated_code_is_not_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert not [name for name in tracked if "_pb2" in name or ".gen." in name or "node_modules/" in name]
