"""Kafka (KRaft, one process that is broker and controller) on loopback: the real broker of `make stack` and of the tests.

Its jars come from Maven into the checkout's cache (`tools/kafka`), checked against the hashes listed there. The folder keeps the port,
the cluster's id and all that was published, so a broker that was killed comes back under the same address with everything it accepted.
"""

import base64
import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from bookbag.local import ports
from bookbag.local.files import write_private
from bookbag.local.process import end, end_remembered, exit_code, last_lines, pause, put_aside, remember, spawn
from bookbag.local.refusals import CannotStart, disk_full

REPOSITORY: Final = Path(__file__).resolve().parents[2]
JAVA: Final = 17
"""The oldest Java that Kafka 4 runs on."""

_READY: Final = "Kafka Server started"
_MEMORY: Final = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Measured: 290 MB; the quick compiler alone starts faster, and nothing here runs long enough to want the slow one."""

_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    # One broker holds everything once.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # A group that waits for more members before it begins, and a broker that waits out its own earlier life, only cost time here.
    "group.initial.rebalance.delay.ms": "0",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # Events are small: whoever sends more than this made a mistake.
    "message.max.bytes": str(1024 * 1024),
    "log.segment.bytes": str(64 * 1024 * 1024),
    "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
}

_LOGGING: Final = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def folder_of_jars() -> Path:
    """Where the jars of this checkout's version of the broker are kept, whether they are there or not."""
    mark = hashlib.sha256((REPOSITORY / "tools" / "kafka" / "jars.sha256").read_bytes()).hexdigest()[:16]
    return REPOSITORY / ".cache" / "kafka" / mark


@functools.cache
def java() -> str:
    """The Java that runs the broker. Raises CannotStart when there is none, or an old one."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    advice = f"install it (sudo apt-get install openjdk-{JAVA}-jre-headless)"
    if found is None or not Path(found).exists():
        raise CannotStart(f"Kafka needs Java {JAVA}: {advice}.")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA:
        raise CannotStart(f"Kafka needs Java {JAVA} or later and {found} is older: {advice}.")
    return found


def why_not() -> str | None:
    """Why no broker can be started on this machine, in a sentence; None when it can."""
    try:
        java()
        _class_path(folder_of_jars())
    except CannotStart as refusal:
        return str(refusal)
    return None


def _class_path(folder: Path) -> str:
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        raise CannotStart("Kafka's jars are missing: `make test` or `make stack` fetches them with Maven.")
    return ":".join(map(str, jars))


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where a broker listens, as clients are told it."""

    port: int

    @property
    def bootstrap(self) -> str:
        return f"{ports.LOOPBACK}:{self.port}"


@final
class EmbeddedKafka:
    """One broker in one folder. Not thread safe; start it from the thread that lives longest (see `process.spawn`)."""

    name = "Kafka"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        archive_classes: Path | None = None,
        guarded: Mapping[str, str] | None = None,
        advertised: str | None = None,
    ) -> None:
        """`port` fixes the port; without it a free one is chosen and kept in the folder until somebody else takes it.

        `archive_classes` has the JVM write the archive of its classes when it stops (see `make_class_archive`). `guarded` are the
        settings of a second listener, GUARDED, for clients that speak TLS or sign in. `advertised` is the host:port that clients are
        sent to, where they do not reach loopback itself.
        """
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "kafka.log"
        self._fixed = port
        self._port = port or 0
        self._controller_port = 0
        self._archive_classes = archive_classes
        self._guarded = guarded
        self._guarded_port = 0
        self._advertised = advertised
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._log_from = 0

    @property
    def address(self) -> KafkaAddress:
        return KafkaAddress(self._port)

    @property
    def guarded_address(self) -> KafkaAddress:
        """Where the second listener is."""
        return KafkaAddress(self._guarded_port)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @property
    def log(self) -> Path:
        return self._log

    @property
    def cluster(self) -> str:
        """The id of the cluster in the folder: another one knows nothing of what was published. Empty before the first start."""
        try:
            found = re.search(r"^cluster\.id=(.+)$", (self._data / "meta.properties").read_text(), re.MULTILINE)
        except FileNotFoundError:
            return ""
        return found[1].strip() if found else ""

    def begin(self) -> None:
        """Start without waiting. Formats an empty folder, ends a broker an earlier run left behind."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_aside(self._log)
        end_remembered(self._folder / "pid", signal.SIGTERM, signal.SIGKILL, within=5.0)
        (self._folder / "log4j2.properties").write_text(_LOGGING)
        self._choose_ports()
        if not (self._data / "meta.properties").exists():
            self._format()
        self._spawn()

    def check(self) -> bool:
        """Whether it serves; starts it again over what passes by itself. Raises CannotStart."""
        if self._process is None:
            raise CannotStart("Kafka was not started.")
        if exit_code(self._process) is not None:
            self._start_over()
            return False
        if not self._was_ready and not self._said(_READY):
            return False
        self._was_ready = self._answers()
        return self._was_ready

    def stop(self) -> None:
        """A clean stop, usually within two seconds; what was accepted is kept. Harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            end(process, within=20.0)
        (self._folder / "pid").unlink(missing_ok=True)

    def wipe(self) -> None:
        """Forget everything that was published, as a broker does that lost its disk; the next start is another cluster."""
        self.stop()
        shutil.rmtree(self._data, ignore_errors=True)

    def _choose_ports(self) -> None:
        if self._was_ready:
            return
        kept = self._folder / "port"
        if self._port == 0 and kept.exists():
            with contextlib.suppress(ValueError):
                self._port = int(kept.read_text())
        if self._fixed is None and (self._port == 0 or not ports.is_free(self._port)):
            self._port = ports.choose_one()
            write_private(kept, str(self._port))
        # Nobody but the process itself speaks to the controller.
        self._controller_port = ports.choose_one()
        self._guarded_port = ports.choose_one() if self._guarded is not None else 0

    def _settings(self, data: Path) -> Path:
        broker, controller = (f"{ports.LOOPBACK}:{port}" for port in (self._port, self._controller_port))
        settings = _SETTINGS | {
            "log.dirs": str(data),
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"BROKER://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"BROKER://{self._advertised or broker}",
        }
        if self._guarded is not None:
            guarded = f"GUARDED://{ports.LOOPBACK}:{self._guarded_port}"
            settings |= dict(self._guarded) | {
                "listeners": f"{settings['listeners']},{guarded}",
                "advertised.listeners": f"{settings['advertised.listeners']},{guarded}",
            }
        path = self._folder / f"{data.name}.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _command(self, program: str, *arguments: str) -> list[str]:
        jars = folder_of_jars()
        command = [java(), *_MEMORY, "-XX:+ExitOnOutOfMemoryError"]
        archive = jars / "classes.jsa"
        if self._archive_classes is not None:
            command.append(f"-XX:ArchiveClassesAtExit={self._archive_classes}")
        elif archive.exists():
            command += [f"-XX:SharedArchiveFile={archive}", "-Xlog:disable", "-Xlog:all=error:stderr"]
        command.append(f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}")
        return [*command, "-cp", _class_path(jars), program, *arguments]

    def _format(self) -> None:
        """Give an empty folder its cluster's id; an interrupted attempt leaves nothing that looks formatted."""
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        command = self._command(
            "kafka.tools.StorageTool", "format", "-t", _new_cluster(), "-c", str(self._settings(fresh))
        )
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        process = spawn(command, folder=self._folder, environment=_environment(), log=self._log)
        if process.wait() != 0:
            raise self._refusal()
        fresh.rename(self._data)

    def _spawn(self) -> None:
        command = self._command("kafka.Kafka", str(self._settings(self._data)))
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        self._process = spawn(command, folder=self._folder, environment=_environment(), log=self._log)
        remember(self._folder / "pid", self._process.pid)

    def _said(self, words: str) -> bool:
        return any(words in line for line in last_lines(self._log, 40, since=self._log_from))

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((ports.LOOPBACK, self._port), 1.0):
            return True
        return False

    def _start_over(self) -> None:
        """Try again when what stopped it passes by itself: a port just taken, an earlier broker not quite gone."""
        if self._said("Address already in use"):
            if self._fixed is not None and not ports.is_free(self._fixed):
                raise CannotStart(f"Port {self._port}, wanted for Kafka, is in use: end what uses it, or give another.")
            self._choose_ports()
        elif not self._said("Failed to acquire lock"):
            raise self._refusal()
        pause(0.2)
        self._spawn()

    def _refusal(self) -> CannotStart:
        lines = last_lines(self._log, 60, since=self._log_from)
        if any("No space left on device" in line for line in lines):
            return disk_full(self._folder)
        telling = [line for line in lines if "ERROR" in line or "FATAL" in line or "Exception" in line] or lines[-1:]
        return CannotStart(f"Kafka does not start: {' '.join(telling[:1]).strip()[:300]} (its log is {self._log}).")


def _new_cluster() -> str:
    """A random id as Kafka writes them; one that begins with a dash would be taken for an option."""
    while (name := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ.get("PATH", "")}


def make_class_archive(folder: Path) -> None:
    """Start and stop a broker once in `folder` so that the JVM keeps its classes parsed: later starts take half the time.

    Raises CannotStart.
    """
    from bookbag.local.parts import start

    broker = EmbeddedKafka(folder, archive_classes=folder / "classes.jsa")
    start(broker)
    broker.stop()
    if (folder / "classes.jsa").exists():
        shutil.move(folder / "classes.jsa", folder_of_jars() / "classes.jsa")
