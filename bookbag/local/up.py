"""`bookbag up`: the order in which one machine becomes a whole Bookbag, and the order in which it ends.

The second start has to be quick, so each step asks a note in the data folder whether there is anything to do before it costs
a process: keys exist, databases are provisioned, no migration is new, the demo school is there.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bookbag.local import environment, stack_plan
from bookbag.local.data_folder import DataFolder
from bookbag.local.environment import REPOSITORY, SERVICES, Ports
from bookbag.local.keys import KeyFiles, ensure_keys
from bookbag.local.parts import ServiceProcess, wait_ready
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.provision import provision
from bookbag.local.smtp_outbox import SmtpOutbox
from bookbag.local.steps import BOOKBAG, Once, Options, Run, announce, migrate_and_seed, settle, until_stopped
from bookbag.local.supervisor import Supervisor
from bookbag.local.terminal import Terminal
from bookbag.local.valkey import EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Commands(Once):
    """The programs this run is made of; these serve until SIGTERM."""

    api: tuple[str, ...] = (*BOOKBAG, "serve", "all")
    worker: tuple[str, ...] = (*BOOKBAG, "work", "all")
    stop_within: float = 10.0
    """Seconds that API and worker get to finish what they are doing."""


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
    programs = commands or Commands()

    def body(folder: DataFolder, run: Run, asked: threading.Event) -> None:
        _up(options, programs, services, folder, run, asked)

    return until_stopped(options, body, stop_within=programs.stop_within, terminal=terminal or Terminal())


def _up(
    options: Options,
    commands: Commands,
    services: Sequence[str],
    folder: DataFolder,
    run: Run,
    asked: threading.Event,
) -> None:
    began, terminal = time.monotonic(), run.terminal
    terminal.say(f"Bookbag on this machine, in {folder.path}")
    settle(folder, options, terminal)
    listen = Ports.choose(options.port)
    postgres = EmbeddedPostgres(
        folder.place("postgres"), max_connections=len(services) * sum(stack_plan.CONNECTIONS.values()) + 20
    )
    valkey = EmbeddedValkey(folder.place("valkey"))
    outbox = SmtpOutbox(folder.place("outbox"), listen.smtp)
    # All begin before the first is waited for.
    run.outbox = outbox
    outbox.begin()
    run.begin(postgres, valkey)
    keys = ensure_keys(folder.place("keys"), services)
    for part in (postgres, valkey):
        with terminal.step(part.name, since=began):
            wait_ready(part)
    with terminal.step("Mail outbox", since=began):
        outbox.wait_ready()
    shared = _settings(folder, options, services, listen, keys, postgres, valkey)
    migrate_and_seed(folder, commands, shared, services, terminal, demo=options.demo)
    environment.note_settings(folder.path, shared)
    processes = _processes(commands, shared, listen, folder.place("logs"))
    run.begin(*processes)
    serving = time.monotonic()
    for part in processes:
        with terminal.step(part.name, since=serving):
            wait_ready(part)
    demo = "BOOKBAG_DEMO" in shared
    announce(listen.address, listen.http, terminal, seconds=time.monotonic() - began, demo=demo)
    Supervisor(run.parts, tell=terminal.say, asked=asked).watch()


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


def _processes(commands: Commands, shared: Mapping[str, str], listen: Ports, logs: Path) -> list[ServiceProcess]:
    api = environment.for_child(shared, admin_port=listen.api_admin)
    worker = environment.for_child(shared, admin_port=listen.worker_admin)
    return [
        ServiceProcess("API", commands.api, environment=api, port=listen.http, folder=REPOSITORY, logs=logs),
        ServiceProcess(
            "Worker", commands.worker, environment=worker, port=listen.worker_admin, folder=REPOSITORY, logs=logs
        ),
    ]
