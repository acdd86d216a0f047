"""Makes `.venv` and fills it with exactly the locked Python packages: by uv when it can be had, else by pip."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from tools.bootstrap.progress import ROOT, OutOfReach, Progress, Trouble, run
from tools.bootstrap.stamps import Stamp, fingerprint
from tools.bootstrap.system import Apt

VENV = ROOT / ".venv"
BIN = VENV / "bin"
Level = Literal["run", "stack", "test"]
_RUN = ("requirements.txt", "requirements-local.txt")
_STACK = (*_RUN, "requirements-stack.txt")
LOCKS: dict[Level, tuple[str, ...]] = {"run": _RUN, "stack": _STACK, "test": (*_STACK, "requirements-test.txt")}
"""What each level installs: all that the one before it does, and more."""
_UV_LOCK = "requirements-bootstrap.txt"
# A run needs about 1 GB in .venv and the web client's folder together, the tests 0.5 GB more (measured).
_SPACE_NEEDED = 1_500_000_000


def ensure(progress: Progress, apt: Apt, *, level: Level) -> bool:
    """Bring `.venv` to the locked state; True when something was installed."""
    stamps = {name: Stamp(VENV / f".bookbag-{name}", BIN / "python") for name in LOCKS}
    levels = list(LOCKS)
    wanted = levels.index(level)
    if _works() and any(stamps[name].stands(_mark(name)) for name in levels[wanted:]):
        return False
    free = shutil.disk_usage(ROOT).free
    if not VENV.exists() and free < _SPACE_NEEDED:
        raise Trouble(f"The disk is nearly full: setting up needs 1.5 GB, {free / 1e9:.1f} GB are free.")
    if not _works():
        with progress.step("environment .venv"):
            _make(apt)
    for stamp in stamps.values():
        stamp.clear()
    uv = _uv(progress)
    locks = LOCKS[level]
    count = sum(line.count("==") for name in locks for line in (ROOT / name).read_text().splitlines())
    with progress.step(f"Python packages with {'uv' if uv else 'pip'}", first=f"{count} pinned, by hash"):
        _install(uv, locks)
    _smoke()
    for name in levels[: wanted + 1]:
        stamps[name].set(_mark(name))
    return True


def _mark(level: Level) -> str:
    return fingerprint([ROOT / name for name in LOCKS[level]], also=_python_of_venv())


def _works() -> bool:
    return (BIN / "python").exists() and (VENV / "pyvenv.cfg").exists() and (BIN / "pip").exists()


def _python_of_venv() -> str:
    try:
        lines = (VENV / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("version")), "")


def _make(apt: Apt) -> None:
    base = Path(getattr(sys, "_base_executable", sys.executable) or sys.executable)
    if VENV.exists():
        shutil.rmtree(VENV)
    command = [base, "-m", "venv", VENV]
    try:
        run(command, log="venv")
    except Trouble:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        missing = subprocess.run(
            [str(base), "-c", "import ensurepip, venv"], capture_output=True, check=False
        ).returncode
        if not missing:
            raise
        if not apt.allowed:
            raise Trouble(f"Python's venv module is missing here: {apt.command(package)} and run it again.") from None
        shutil.rmtree(VENV, ignore_errors=True)
        apt.install(package)
        run(command, log="venv")


def _uv(progress: Progress) -> Path | None:
    uv = BIN / "uv"
    stamp = Stamp(VENV / ".bookbag-uv", uv)
    mark = fingerprint([ROOT / _UV_LOCK])
    if stamp.stands(mark):
        return uv
    try:
        with progress.step("installer uv"):
            run([*_pip_install(), "--retries", "2", "-r", _UV_LOCK], log="uv")
    except OutOfReach:
        raise OutOfReach(
            "The Python package index is out of reach: check the network or the proxy settings and run it again."
        ) from None
    except Trouble:
        progress.say("uv cannot be had here; pip does the same, only slower.")
        return None
    stamp.set(mark)
    return uv


def _install(uv: Path | None, locks: tuple[str, ...]) -> None:
    files = [part for name in locks for part in ("-r", name)]
    try:
        if uv is not None:
            python = ("--python", str(BIN / "python"))
            run([uv, "pip", "install", *python, "--require-hashes", "--only-binary", ":all:", *files], log="packages")
        else:
            run([*_pip_install(), *files], log="packages")
    except OutOfReach:
        raise OutOfReach(
            "The Python package index is out of reach: check the network or the proxy settings and run it again."
        ) from None


def _pip_install() -> list[str]:
    pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    return [*pip, "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"]


def _smoke() -> None:
    run([BIN / "python", "-c", "import asyncpg, fastapi, grpc"], log="smoke")
