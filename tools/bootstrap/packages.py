"""Makes `.venv` and fills it with exactly the locked Python packages: by uv when it can be had, else by pip."""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.bootstrap.progress import ROOT, OutOfReach, Progress, Trouble, run
from tools.bootstrap.stamps import Stamp, fingerprint
from tools.bootstrap.system import Apt

VENV = ROOT / ".venv"
BIN = VENV / "bin"
RUN_LOCKS = ("requirements.txt", "requirements-local.txt")
TEST_LOCKS = (*RUN_LOCKS, "requirements-stack.txt", "requirements-test.txt")
_UV_LOCK = "requirements-bootstrap.txt"
# A run needs about 1 GB in .venv and the web client's folder together, the tests 0.5 GB more (measured).
_SPACE_NEEDED = 1_500_000_000


def ensure(progress: Progress, apt: Apt, *, tests: bool) -> bool:
    """Bring `.venv` to the locked state; True when something was installed."""
    run_mark = fingerprint([ROOT / name for name in RUN_LOCKS], also=_python_of_venv())
    test_mark = fingerprint([ROOT / name for name in TEST_LOCKS], also=_python_of_venv())
    run_stamp, test_stamp = (Stamp(VENV / f".bookbag-{name}", BIN / "python") for name in ("run", "test"))
    if _works() and (test_stamp.stands(test_mark) or (not tests and run_stamp.stands(run_mark))):
        return False
    free = shutil.disk_usage(ROOT).free
    if not VENV.exists() and free < _SPACE_NEEDED:
        raise Trouble(f"The disk is nearly full: setting up needs 1.5 GB, {free / 1e9:.1f} GB are free.")
    if not _works():
        with progress.step("environment .venv"):
            _make(apt)
    run_stamp.clear()
    test_stamp.clear()
    uv = _uv(progress)
    locks = TEST_LOCKS if tests else RUN_LOCKS
    count = sum(line.count("==") for name in locks for line in (ROOT / name).read_text().splitlines())
    with progress.step(f"Python packages with {'uv' if uv else 'pip'}", first=f"{count} pinned, by hash"):
        _install(uv, locks)
    _smoke()
    also = _python_of_venv()
    run_stamp.set(fingerprint([ROOT / name for name in RUN_LOCKS], also=also))
    if tests:
        test_stamp.set(fingerprint([ROOT / name for name in TEST_LOCKS], also=also))
    return True


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
