"""`bookbag stack up`: every service and every worker as a process of its own, against the servers an operator would bring.

The order: the servers; databases, keys and certificate; migrations; all our processes at once; the gateway, which is the one address.
Everything is watched as in `up`, and ends in the opposite order.
"""

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bookbag.local import environment, ports, stack_plan
from bookbag.local.certificate import ensure_certificate
from bookbag.local.data_folder import DataFolder
from bookbag.local.environment import REPOSITORY, SERVICES
from bookbag.local.gateway import Behind, EmbeddedGateway
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.keys import ensure_keys
from bookbag.local.parts import Part, ServiceProcess, wait_ready
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.provision import provision
from bookbag.local.refusals import CannotStart
from bookbag.local.seaweed import EmbeddedSeaweed
from bookbag.local.smtp_outbox import SmtpOutbox
from bookbag.local.stack_plan import Plan
from bookbag.local.stack_state import Known, forget_state, note_state
from bookbag.local.steps import BOOKBAG, Once, Options, Run, announce, migrate_and_seed, settle, until_stopped
from bookbag.local.supervisor import Supervisor
from bookbag.local.terminal import Terminal
from bookbag.local.valkey import EmbeddedValkey

DATA: Final = Path(".bookbag-stack")
PORT: Final = 8443
_READY_WITHIN: Final = 120.0
"""Seconds: so many processes that start at once share the machine's cores."""


@dataclass(frozen=True, slots=True)
class StackOptions(Options):
    """What the person asked for."""

    data: Path = DATA
    port: int = PORT
    instances: Mapping[str, int] = field(default_factory=dict[str, int])


def stack(
    options: StackOptions,
    *,
    services: Sequence[str] = SERVICES,
    terminal: Terminal | None = None,
) -> int:
    """Start everything, watch it until somebody says stop, end everything. The exit code: 0 asked to stop, 1 refused.

    Call it from the main thread.
    """

    def body(folder: DataFolder, run: Run, asked: threading.Event) -> None:
        try:
            _stack(options, services, folder, run, asked)
        finally:
            forget_state(folder.path)

    return until_stopped(options, body, stop_within=15.0, terminal=terminal or Terminal())


@dataclass(frozen=True, slots=True)
class _Servers:
    """What is not ours."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    kafka: EmbeddedKafka
    seaweed: EmbeddedSeaweed

    @classmethod
    def in_folder(cls, folder: DataFolder, plan: Plan) -> "_Servers":
        return cls(
            EmbeddedPostgres(folder.place("postgres"), max_connections=plan.connections),
            EmbeddedValkey(folder.place("valkey")),
            EmbeddedKafka(folder.place("kafka")),
            EmbeddedSeaweed(folder.place("seaweed")),
        )

    @property
    def all(self) -> tuple[Part, ...]:
        return self.kafka, self.seaweed, self.postgres, self.valkey  # those that take longest begin first

    @property
    def of_migrations(self) -> tuple[Part, ...]:
        return self.kafka, self.postgres, self.valkey

    def told(self) -> dict[str, str]:
        """Where they are, as settings. One that is not ready yet may still move."""
        return stack_plan.servers(
            redis_url=self.valkey.address.url(), kafka=self.kafka.address, objects=self.seaweed.address
        )

    def known(self, folder: DataFolder) -> list[Known]:
        """Each with its port. Call it once they are ready."""
        where = (
            ("postgresql", self.postgres, "postgres/postgres.log", self.postgres.address.port),
            ("valkey", self.valkey, "valkey/valkey.log", self.valkey.address.port),
            ("kafka", self.kafka, "kafka/kafka.log", self.kafka.address.port),
            ("seaweedfs", self.seaweed, "seaweed/seaweed.log", int(self.seaweed.address.endpoint.rpartition(":")[2])),
        )
        return [Known(part, name, name, folder.path / log, {name: port}) for name, part, log, port in where]


def _stack(
    options: StackOptions, services: Sequence[str], folder: DataFolder, run: Run, asked: threading.Event
) -> None:
    began, terminal = time.monotonic(), run.terminal
    terminal.say(f"Bookbag as many processes on this machine, in {folder.path}")
    settle(folder, options, terminal)
    plan = Plan.of(services, options.instances)
    servers = _Servers.in_folder(folder, plan)
    run.outbox = SmtpOutbox(folder.place("outbox"), plan.smtp)
    run.outbox.begin()
    # All begin before the first is waited for, and what needs none of them is done meanwhile.
    run.begin(*servers.all)
    keys = ensure_keys(folder.place("keys"), services)
    tls = ensure_certificate(folder.place("tls"))
    table = _routes()
    for part in servers.of_migrations:
        with terminal.step(part.name, since=began):
            wait_ready(part)
    with terminal.step("Mail outbox", since=began):
        run.outbox.wait_ready()
    address = f"https://{ports.LOOPBACK}:{options.port}"

    def installation() -> dict[str, str]:
        return stack_plan.installation(
            plan, folder=folder.path, public_url=address, servers=servers.told(), keys=keys,
            demo=folder.is_demo and options.demo, web=environment.web_files(),
        )  # fmt: skip

    databases = provision(servers.postgres.address, folder.place("postgres"), services)
    once = stack_plan.of_operators(installation(), databases, keys)
    # Migrations make the topics too, so a broker that lost its disk wants them again. The store, which takes longest, is not theirs.
    migrate_and_seed(folder, Once(), once, services, terminal, demo=options.demo, also=servers.kafka.cluster)
    with terminal.step(servers.seaweed.name, since=began):
        wait_ready(servers.seaweed)
    told = installation()
    operators = stack_plan.of_operators(told, databases, keys)
    environment.note_settings(folder.path, operators)
    logs, signing = folder.place("logs"), folder.place("keys") / "of"

    def process(name: str, words: tuple[str, str], settings: Mapping[str, str], admin: int) -> ServiceProcess:
        child = environment.for_child(settings)
        return ServiceProcess(name, (*BOOKBAG, *words), environment=child, port=admin, folder=REPOSITORY, logs=logs)

    ours = [
        process(
            each.name, (each.command, each.service),
            stack_plan.of_process(told, each, databases, stack_plan.keys_of(each, keys, signing)), each.admin,
        )
        for each in plan.processes
    ]  # fmt: skip
    web = process("web", ("serve", "web"), stack_plan.of_pages(told, plan), plan.web_admin)
    behind = Behind(plan.apis, plan.web_http)
    gateway = EmbeddedGateway(folder.place("gateway"), options.port, table=table, behind=behind, tls=tls)
    known = [
        *servers.known(folder),
        *(
            Known(part, each.name, each.service, part.log, _ports_of(each), each.admin)
            for part, each in zip(ours, plan.processes, strict=True)
        ),
        Known(web, "web", "web", web.log, {"http": plan.web_http, "admin": plan.web_admin}, plan.web_admin),
        Known(gateway, "gateway", "gateway", gateway.log, {"https": options.port}, gateway.admin_port),
    ]
    serving = time.monotonic()
    run.begin(*ours, web, gateway)
    note_state(folder.path, address, known)
    for part in (*ours, web, gateway):
        with terminal.step(part.name, since=serving):
            wait_ready(part, within=_READY_WITHIN)
    announce(
        address, plan.apis["identity"][0], terminal, seconds=time.monotonic() - began, demo="BOOKBAG_DEMO" in told,
        hints=(f"The certificate is this machine's own; to trust it, import {tls.authority}", ""),
    )  # fmt: skip

    def tell(line: str) -> None:
        terminal.say(line)
        note_state(folder.path, address, known)

    note_state(folder.path, address, known)
    Supervisor(run.parts, tell=tell, asked=asked).watch()


def _ports_of(process: stack_plan.Planned) -> dict[str, int]:
    named = {"http": process.http, "grpc": process.grpc, "admin": process.admin}
    return {name: port for name, port in named.items() if port}


def _routes() -> dict[str, Any]:
    """The gateway's table, from a process of its own: reading the manifests would double this one's memory."""
    command = [*BOOKBAG, "routes", "--json"]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotStart(f"The gateway's table cannot be made: {last}")
    return json.loads(done.stdout)[0]
