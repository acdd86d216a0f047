"""Takes promtool, which checks the alert rules, out of Debian's package without installing it: its server would start by itself."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.bootstrap.progress import ROOT, Progress, Trouble, run
from tools.bootstrap.system import Apt

PROMTOOL = ROOT / ".cache" / "promtool" / "promtool"


def found() -> str | None:
    """Where promtool is on this machine, if it is."""
    return str(PROMTOOL) if PROMTOOL.exists() else shutil.which("promtool")


def ensure(progress: Progress, apt: Apt) -> bool:
    """Fetch it once; True when there was something to do. Raises Trouble where apt may not or cannot."""
    if found():
        return False
    if not apt.allowed:
        raise Trouble("promtool is missing")
    with progress.step("promtool with apt", first="to check the alert rules"), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # apt fetches as a user of its own
        run(["apt-get", "download", "-q", "prometheus"], log="apt-promtool", cwd=folder)
        (package,) = folder.glob("prometheus_*.deb")
        run(["dpkg-deb", "-x", package, folder / "files"], log="apt-promtool")
        PROMTOOL.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "files" / "usr" / "bin" / "promtool", PROMTOOL)
        subprocess.run([PROMTOOL, "--version"], check=True, capture_output=True)
    return True


def why_none(trouble: Trouble) -> str:
    """What it means that it could not be had."""
    return f"The alert rules are not checked ({trouble}). To add it: sudo apt-get install prometheus"
