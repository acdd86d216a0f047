"""Pins requirements*.in anew with hashes: in the order in which one file builds on another, wheels only, no address inside."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKED = (
    "requirements-bootstrap", "requirements", "requirements-local", "requirements-stack", "requirements-test", "requirements-image",
)  # fmt: skip
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:")
QUIET = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links")


def main(args: list[str]) -> int:
    """Lock every file; `--upgrade` (or other options of uv's) goes to each."""
    uv = ROOT / ".venv" / "bin" / "uv"
    for name in LOCKED:
        print(f"  {name}.in → {name}.txt", flush=True)
        command = [str(uv), "pip", "compile", *OPTIONS, *QUIET, *args, f"{name}.in", "-o", f"{name}.txt"]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code:
            print(f"  {name}.in cannot be resolved; the later files are unchanged.")
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
