"""Fetches the broker's jars with Maven into the checkout's cache and lets none in that is not the one whose hash is listed."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tools.bootstrap.packages import BIN
from tools.bootstrap.progress import ROOT, OutOfReach, Progress, Trouble, run
from tools.bootstrap.system import Apt

POM = ROOT / "tools" / "kafka" / "pom.xml"
LIST = POM.with_name("jars.sha256")
_ARCHIVE = "classes.jsa"


def folder() -> Path:
    """Give the place of this list's jars; `bookbag.local.kafka` looks there."""
    return ROOT / ".cache" / "kafka" / hashlib.sha256(LIST.read_bytes()).hexdigest()[:16]


def ensure(progress: Progress, apt: Apt) -> bool:
    """Bring the jars in step with the list; True when they were fetched.

    Raises OutOfReach when Maven's repository does not answer, Trouble when Java or Maven is missing or a jar is not as listed.
    """
    target = folder()
    if target.exists():
        return False
    maven = shutil.which("mvn")
    if maven is None or not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        packages = ("openjdk-17-jre-headless", "maven")
        raise Trouble(f"Java and Maven, which bring it, are missing: {apt.command(*packages)} and run it again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    for old in target.parent.iterdir():  # of an earlier version, or half fetched
        shutil.rmtree(old)
    fresh = target.with_suffix(".new")
    try:
        with progress.step("Kafka's jars with Maven", first=f"{len(listed(LIST))} pinned, by hash"):
            command = [maven, "-q", "-B", "-f", POM, "dependency:copy-dependencies"]
            run([*command, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"], log="kafka")
    except OutOfReach:
        raise OutOfReach("Maven's repository is out of reach") from None
    wrong = differences(fresh, LIST)
    if wrong:
        raise Trouble(f"Kafka's jars are not those of tools/kafka/jars.sha256: {', '.join(wrong)[:150]}.")
    fresh.rename(target)
    _archive(progress)
    return True


def listed(names: Path) -> dict[str, str]:
    """Give the name and SHA-256 of each jar."""
    pairs = (line.split() for line in names.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def differences(place: Path, names: Path) -> list[str]:
    """Name the jars that are missing, unknown or altered."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in place.glob("*.jar")}
    return sorted({name for name, _ in found.items() ^ listed(names).items()})


def _archive(progress: Progress) -> None:
    """Have the JVM keep the broker's classes parsed. Without it a start only takes longer, so failing is no trouble."""
    program = "import sys, pathlib; from bookbag.local.kafka import make_class_archive as make; make(pathlib.Path(sys.argv[1]))"
    with tempfile.TemporaryDirectory(prefix="bookbag-kafka-") as scratch:
        try:
            with progress.step("class archive of Kafka"):
                run([BIN / "python", "-c", program, scratch], log="kafka-archive")
        except Trouble as trouble:
            progress.say(f"Kafka will start a little slower. {trouble}")


def why_no_broker(trouble: Trouble) -> str:
    """Say in one sentence what missing jars mean."""
    return f"There is no Kafka here, so nothing can run on it or be tested with it. {trouble}"
