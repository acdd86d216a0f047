"""Installs the few Debian packages that PyPI cannot give, when it may; else names the one command that does."""

import functools
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tools.bootstrap.progress import ROOT, Progress, Trouble, run

# After a failed attempt a run does not try again for this long; tests always try.
_RETRY_AFTER_S = 24 * 3600
_FAILED = ROOT / ".cache" / "apt-failed"


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """A Debian package, how to see that it is there, and what is missing without it."""

    name: str
    present: tuple[str, ...]
    purpose: str

    def installed(self) -> bool:
        """Tell whether one of its files or commands is on this machine."""
        return any(Path(sign).exists() if "/" in sign else shutil.which(sign) for sign in self.present)


APERTIUM = SystemPackage(
    "apertium-eng-spa", ("/usr/share/apertium/modes/eng-spa.mode",), "translation between English and Spanish"
)
WRK = SystemPackage("wrk", ("wrk",), "the load generator of the measurements")
JAVA = SystemPackage("openjdk-17-jre-headless", ("java",), "the Kafka broker of the stack and its tests")
MAVEN = SystemPackage("maven", ("mvn",), "fetching that broker")
CHROMIUM = SystemPackage("chromium", ("/usr/bin/chromium", "chromium"), "the browser of the end-to-end tests")


class Apt:
    """apt on this machine: as root, or through sudo where that asks nothing. BOOKBAG_APT=no leaves the system alone."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    @functools.cached_property
    def allowed(self) -> bool:
        """Tell whether packages can be installed without asking anybody."""
        if os.environ.get("BOOKBAG_APT", "yes").lower() in {"no", "0", "false"} or not shutil.which("apt-get"):
            return False
        return self._prefix is not None

    @functools.cached_property
    def _prefix(self) -> list[str] | None:
        if os.geteuid() == 0:
            return []
        sudo = shutil.which("sudo")
        if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
            return [sudo, "-n", "DEBIAN_FRONTEND=noninteractive"]
        return None

    def command(self, *packages: str) -> str:
        """Give the command for a person to type."""
        return f"sudo apt-get install {' '.join(packages)}"

    def install(self, *packages: str) -> None:
        """Install, with a fresh package list when the first try does not find them; raises Trouble."""
        prefix = self._prefix
        if prefix is None:
            raise Trouble(f"These packages are missing: {self.command(*packages)}")
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        wanted = [*prefix, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
        with self._one_at_a_time:
            try:
                run(wanted, log="apt", env=env)
            except Trouble:
                run([*prefix, "apt-get", "update", "-q"], log="apt-update", env=env)
                run(wanted, log="apt", env=env)


def ensure(progress: Progress, apt: Apt, *packages: SystemPackage, insist: bool) -> None:
    """Install what is missing or tell what to type; never stops the rest, since the product lives without."""
    missing = [package for package in packages if not package.installed()]
    if not missing:
        return
    names = [package.name for package in missing]
    without = " and ".join(package.purpose for package in missing)
    if apt.allowed and (insist or not _failed_lately()):
        try:
            with progress.step(f"system packages {' '.join(names)} with apt", first=f"for {without}"):
                apt.install(*names)
            _FAILED.unlink(missing_ok=True)
            return
        except Trouble as trouble:
            progress.say(str(trouble))
            _FAILED.parent.mkdir(exist_ok=True)
            _FAILED.touch()
    progress.say(f"Not installed: {' '.join(names)} ({without}). To add it: {apt.command(*names)}")


def _failed_lately() -> bool:
    try:
        return time.time() - _FAILED.stat().st_mtime < _RETRY_AFTER_S
    except OSError:
        return False
