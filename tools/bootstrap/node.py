"""Builds the web client and fetches the npm tools, with the Node that came as a Python package."""

import json
import os
import time
from pathlib import Path

from tools.bootstrap.packages import BIN
from tools.bootstrap.progress import LOGS, ROOT, OutOfReach, Progress, Trouble, run
from tools.bootstrap.stamps import Stamp, fingerprint

WEB = ROOT / "web"
DIST = WEB / "dist"
TOOLS = ROOT / "tools" / "node"
# An unreachable registry must not slow every start: it is asked again after this long, or at once by `make web`.
_RETRY_AFTER_S = 600
_FAILED = ROOT / ".cache" / "web-out-of-reach"
BUF = TOOLS / "node_modules" / ".bin" / "buf"


def ensure_web(progress: Progress, *, anew: bool = False, insist: bool = False) -> bool:
    """Bring web/dist in step with its sources; True when it was built. `insist` asks a registry that was away again.

    Raises OutOfReach when npm's registry does not answer, Trouble when the client does not build.
    """
    if not (WEB / "package.json").exists():
        return False
    mark = fingerprint([WEB])
    stamp = Stamp(ROOT / ".cache" / "web", DIST / "index.html")
    if not anew and stamp.stands(mark):
        return False
    if not (anew or insist) and _failed_lately(mark):
        raise OutOfReach("npm's registry was out of reach some minutes ago")
    stamp.clear()
    try:
        _install(progress, WEB, "packages of the web client")
    except OutOfReach:
        _FAILED.write_text(mark)
        raise
    _FAILED.unlink(missing_ok=True)
    with progress.step("web client"):
        run([BIN / "npm", "run", "build"], log="web", cwd=WEB, env=_env())
    stamp.set(mark)
    return True


def _failed_lately(mark: str) -> bool:
    try:
        return _FAILED.read_text() == mark and time.time() - _FAILED.stat().st_mtime < _RETRY_AFTER_S
    except OSError:
        return False


def ensure_tools(progress: Progress) -> bool:
    """Fetch the npm tools of the checks; True when something was installed. Raises like `ensure_web`."""
    return _install(progress, TOOLS, "npm tools of the checks")


def _install(progress: Progress, folder: Path, title: str) -> bool:
    mark = fingerprint([folder / "package.json", folder / "package-lock.json", folder / ".npmrc"])
    # npm writes this file last, so an interrupted install never counts as done.
    stamp = Stamp(ROOT / ".cache" / f"npm-{folder.name}", folder / "node_modules" / ".package-lock.json")
    if stamp.stands(mark):
        return False
    stamp.clear()
    try:
        with progress.step(title, first="npm ci"):
            _npm_ci(folder)
    except OutOfReach:
        raise OutOfReach("npm's registry is out of reach") from None
    stamp.set(mark)
    return True


def _npm_ci(folder: Path) -> None:
    """Install what the lock says.

    `npm ci` refuses a lock that lacks the optional packages of other platforms, which a registry mirror may not carry;
    then `npm install` takes the same versions with the same hashes, and the lock is left as it was.
    """
    log = f"npm-{folder.name}"
    _ask_registry(log)
    try:
        run([BIN / "npm", "ci", "--ignore-scripts"], log=log, cwd=folder, env=_env())
    except OutOfReach:
        raise
    except Trouble:
        said = (LOGS / f"{log}.log").read_text(encoding="utf-8", errors="replace")
        if "Missing:" not in said or "Invalid:" in said or not _lock_fits(folder):
            raise
        lock = folder / "package-lock.json"
        before = lock.read_bytes()
        try:
            run([BIN / "npm", "install", "--no-save", "--ignore-scripts"], log=log, cwd=folder, env=_env())
        finally:
            lock.write_bytes(before)


def _ask_registry(log: str) -> None:
    """Raise OutOfReach when the registry does not answer within seconds: `npm ci` itself took minutes to notice."""
    patience = {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "15000"}
    try:
        run([BIN / "npm", "ping"], log=log, env={**_env(), **patience})
    except OutOfReach:
        raise
    except Trouble:
        # A mirror need not know `ping`; it answered, which is all that was asked.
        return


def _lock_fits(folder: Path) -> bool:
    """Tell whether the lock was made from this very package.json."""
    wanted = json.loads((folder / "package.json").read_bytes())
    locked = json.loads((folder / "package-lock.json").read_bytes())["packages"][""]
    return all(wanted.get(kind, {}) == locked.get(kind, {}) for kind in ("dependencies", "devDependencies"))


def _env() -> dict[str, str]:
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_fetch_retries": "2",
        "npm_config_fetch_retry_mintimeout": "1000",
        "npm_config_fetch_retry_maxtimeout": "5000",
        "npm_config_update_notifier": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "CI": "true",
    }


def why_no_web(trouble: Trouble) -> str:
    """Say in one sentence what a missing web client means for a run."""
    if isinstance(trouble, OutOfReach):
        return f"{trouble}, so the web client is not built: Bookbag starts with its API and a page that tells how."
    return f"The web client is not built, Bookbag starts without it. {trouble}"


def why_no_tools(trouble: Trouble) -> str:
    """Say in one sentence what missing npm tools mean for the tests."""
    return f"The protocol files cannot be checked by buf. {trouble}"
