"""`bookbag up`: the order in which one machine becomes a whole Bookbag, and the order in which it ends.

The second start has to be quick, so each step asks a note in the data folder whether there is anything to do before it costs
a process: keys exist, databases are provisioned, no migration is new, the demo school is there.
"""

import hashlib
import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from bookbag.local import answers, environment, ports
from bookbag.local.data_folder import DataFolder, open_folder
from bookbag.local.environment import REPOSITORY, SERVICES, Ports
from bookbag.local.files import write_private
from bookbag.local.keys import KeyFiles, ensure_keys
from bookbag.local.parts import Part, ServiceProcess, end_leftovers, wait_ready
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.process import finish, last_lines, put_aside, spawn
from bookbag.local.provision import provision
from bookbag.local.refusals import CannotStart, disk_full, is_disk_full
from bookbag.local.smtp_outbox import SmtpOutbox
from bookbag.local.supervisor import StopRequested, Supervisor, ignore_stop_signals, stop_all, stop_signals
from bookbag.local.terminal import Terminal
from bookbag.local.valkey import EmbeddedValkey

_BOOKBAG: Final = (sys.executable, "-m", "bookbag")
_MIGRATED: Final = "migrated"
_SEEDED: Final = "seeded"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for."""

    data: Path = Path(".bookbag")
    port: int = 8000
    demo: bool = True
    fresh: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class Commands:
    """The programs this run is made of. `migrate` and `seed` end by themselves, the others serve until SIGTERM."""

    migrate: tuple[str, ...] = (*_BOOKBAG, "migrate", "all")
    seed: tuple[str, ...] = (*_BOOKBAG, "demo", "seed")
    api: tuple[str, ...] = (*_BOOKBAG, "serve", "all")
    worker: tuple[str, ...] = (*_BOOKBAG, "work", "all")
    stop_within: float = 10.0
    """Seconds that API and worker get to finish what they are doing."""
    migrations: tuple[Path, ...] = (REPOSITORY / "bookbag", REPOSITORY / "services")
    """Where folders named `migrations` are looked for, to know whether there is anything to migrate."""


@dataclass(slots=True)
class _Run:
    """What was started so far, so that whatever happens it can be ended."""

    terminal: Terminal
    stop_within: float
    parts: list[Part] = field(default_factory=list[Part])
    outbox: SmtpOutbox | None = None

    def stop(self) -> None:
        stop_all(self.parts, within=self.stop_within)
        if self.outbox is not None:
            self.outbox.stop()


def up(
    options: Options,
    *,
    commands: Commands | None = None,
    services: Sequence[str] = SERVICES,
    terminal: Terminal | None = None,
) -> int:
    """Start everything, watch it until somebody says stop, end everything. The exit code: 0 asked to stop, 1 refused.

    Call it from the main thread.
    """
    said, programs = terminal or Terminal(), commands or Commands()
    run = _Run(said, programs.stop_within)
    try:
        with stop_signals() as asked:
            try:
                with open_folder(options.data) as folder:
                    try:
                        _up(options, programs, services, folder, run, asked)
                    finally:
                        ignore_stop_signals()
                        _end(run, folder)
            except CannotStart as refusal:
                said.say(str(refusal))
            except OSError as error:
                if not is_disk_full(error):
                    raise
                said.say(str(disk_full(options.data)))
    except StopRequested:
        said.say("Bookbag has stopped.")
        return 0
    return 1


def _end(run: _Run, folder: DataFolder) -> None:
    if run.parts:
        run.terminal.say("Stopping …")
    run.stop()
    environment.forget_settings(folder.path)


def _up(
    options: Options,
    commands: Commands,
    services: Sequence[str],
    folder: DataFolder,
    run: _Run,
    asked: threading.Event,
) -> None:
    began, terminal = time.monotonic(), run.terminal
    terminal.say(f"Bookbag on this machine, in {folder.path}")
    _settle(folder, options, terminal)
    listen = Ports.choose(options.port)
    postgres, valkey = EmbeddedPostgres(folder.place("postgres")), EmbeddedValkey(folder.place("valkey"))
    outbox = SmtpOutbox(folder.place("outbox"), listen.smtp)
    # All begin before the first is waited for; each is noted before it begins, so that it is ended whatever happens.
    run.outbox = outbox
    outbox.begin()
    for part in (postgres, valkey):
        run.parts.append(part)
        part.begin()
    keys = ensure_keys(folder.place("keys"), services)
    for part in (postgres, valkey):
        with terminal.step(part.name, since=began):
            wait_ready(part)
    with terminal.step("Mail outbox", since=began):
        outbox.wait_ready()
    shared = _settings(folder, options, services, listen, keys, postgres, valkey)
    _migrate_and_seed(folder, commands, shared, services, terminal)
    environment.note_settings(folder.path, shared)
    for part in _processes(commands, shared, listen, folder.place("logs")):
        run.parts.append(part)
        part.begin()
    serving = time.monotonic()
    for part in run.parts[2:]:
        with terminal.step(part.name, since=serving):
            wait_ready(part)
    _announce(listen, terminal, seconds=time.monotonic() - began, demo="BOOKBAG_DEMO" in shared)
    Supervisor(run.parts, tell=terminal.say, asked=asked).watch()


def _settle(folder: DataFolder, options: Options, terminal: Terminal) -> None:
    """Make the folder ours alone: end what a killed run left, empty it when asked to, make it when it is new."""
    end_leftovers(folder.place("logs"))
    if not 1 <= options.port <= 65535:
        raise CannotStart(f"{options.port} is no port: choose one from 1 to 65535 by --port.")
    if not ports.is_free(options.port):
        raise CannotStart(f"Port {options.port} is in use: stop what uses it, or choose another by --port.")
    if options.fresh and folder.is_complete:
        if not options.yes and not terminal.ask(f"Remove everything in {folder.path} and start over?"):
            raise CannotStart("Nothing was removed and nothing was started.")
        EmbeddedPostgres(folder.place("postgres")).end_leftover()
        folder.empty()
    if not folder.is_complete:
        folder.create(demo=options.demo)
    elif options.demo and not folder.is_demo:
        terminal.say("  This folder was made without a demo school; `--fresh` or another `--data` makes one.")


def _settings(
    folder: DataFolder,
    options: Options,
    services: Sequence[str],
    listen: Ports,
    keys: KeyFiles,
    postgres: EmbeddedPostgres,
    valkey: EmbeddedValkey,
) -> dict[str, str]:
    folder.place("objects")
    return environment.settings(
        folder.path,
        listen=listen,
        redis_url=valkey.address.url(),
        keys=keys,
        databases=provision(postgres.address, folder.place("postgres"), services),
        demo=folder.is_demo and options.demo,
        web=environment.web_files(),
    )


def _migrate_and_seed(
    folder: DataFolder, commands: Commands, shared: Mapping[str, str], services: Sequence[str], terminal: Terminal
) -> None:
    """Run what changes the databases, each once: the notes lie beside the databases they speak of."""
    migrated, seeded = folder.place("postgres") / _MIGRATED, folder.place("postgres") / _SEEDED
    edition = edition_of(commands.migrations, services)
    if not migrated.exists() or migrated.read_text() != edition:
        with terminal.step("Database migrations", done="done"):
            _run_to_end("migrate", commands.migrate, shared, folder.place("logs"))
        write_private(migrated, edition)
    if folder.is_demo and not seeded.exists():
        with terminal.step("Demo school", done="made"):
            _run_to_end("seed", commands.seed, dict(shared) | {"BOOKBAG_DEMO": "1"}, folder.place("logs"))
        write_private(seeded, "")


def edition_of(roots: Sequence[Path], services: Sequence[str]) -> str:
    """A digest of all migrations below some folders: the same digest means there is nothing to migrate."""
    digest = hashlib.sha256(",".join(services).encode())
    for root in roots:
        for file in sorted(root.rglob("migrations/**/*")):
            if file.suffix in (".py", ".sql"):
                digest.update(f"\0{file.relative_to(root)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _run_to_end(name: str, command: tuple[str, ...], shared: Mapping[str, str], logs: Path) -> None:
    log = logs / f"{name}.log"
    put_aside(log)
    since = log.stat().st_size if log.exists() else 0
    process = spawn(command, folder=REPOSITORY, environment=environment.for_child(shared), log=log)
    try:
        code = process.wait()
    except BaseException:
        finish(process, within=0.0)
        raise
    if code != 0:
        last = (last_lines(log, 1, since=since) or ["it said nothing"])[0].strip()
        raise CannotStart(f"`{' '.join(command[1:])}` ended with code {code}: {last} (its log is {log}).")


def _processes(commands: Commands, shared: Mapping[str, str], listen: Ports, logs: Path) -> list[ServiceProcess]:
    api = environment.for_child(shared, admin_port=listen.api_admin)
    worker = environment.for_child(shared, admin_port=listen.worker_admin)
    return [
        ServiceProcess("API", commands.api, environment=api, port=listen.http, folder=REPOSITORY, logs=logs),
        ServiceProcess(
            "Worker", commands.worker, environment=worker, port=listen.worker_admin, folder=REPOSITORY, logs=logs
        ),
    ]


def _announce(listen: Ports, terminal: Terminal, *, seconds: float, demo: bool) -> None:
    terminal.say(f"\nBookbag is ready after {seconds:.1f} s: {listen.address}\n")
    if demo:
        for line in demo_lines(answers.get(listen.http, "/identity/v1/demo/people")):
            terminal.say(line)
        terminal.say(f"  Mails it would have sent: {listen.address}/dev/outbox\n")
    terminal.say("Ctrl-C stops everything.")


def demo_lines(answer: answers.Answer | None) -> list[str]:
    """The people one can sign in as, from the API's own answer; nothing when it does not give them."""
    if answer is None or answer.status != 200:
        return []
    content = cast("dict[str, Any]", json.loads(answer.body))
    people = cast("list[dict[str, str]]", content.get("people", []))
    widest = max((len(person["name"]) for person in people), default=0)
    lines = [
        f"    {person['name']:<{widest}}  {person['role']}, {person['language']}  {person.get('note') or ''}".rstrip()
        for person in people
    ]
    return [f"  {content['school']['name']} (demo): one tap on the sign-in page, no password", *lines, ""]
