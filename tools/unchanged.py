"""Which suites passed already on exactly these files, so that a second `make test` runs only what a change can have spoiled.

Continuous integration asks nothing of this: it starts from a clean checkout and runs everything. So does whoever names suites.
"""

import hashlib
import subprocess
import sys

from tools.suites import RESULTS, ROOT, Suite

PASSED = RESULTS / "passed"


def state_of(suite: Suite) -> str | None:
    """A fingerprint of the interpreter and of every file that the suite may read, edited ones included. None outside a repository,
    where nobody knows which files belong to it."""
    found = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", *suite.ignores],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if found.returncode:
        return None
    state = hashlib.sha256(sys.version.encode())
    for name in sorted(set(found.stdout.split(b"\0")) - {b""}):
        path = ROOT / name.decode()
        state.update(name + b"\0" + (hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"gone"))
    return state.hexdigest()


def passed(suite: Suite) -> bool:
    """Whether the suite has passed since its files came to be as they are."""
    kept = PASSED / suite.name
    return kept.exists() and kept.read_text() == state_of(suite)


def remember(suite: Suite, state: str | None) -> None:
    """Note that the suite passed on the files as they were when it began."""
    if state is not None:
        PASSED.mkdir(parents=True, exist_ok=True)
        (PASSED / suite.name).write_text(state)


def forget(suite: Suite) -> None:
    """Note that the suite has to run again."""
    (PASSED / suite.name).unlink(missing_ok=True)
