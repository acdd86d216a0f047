"""What the stack consists of: which processes, on which ports, and what each is told. A process is told nothing that is another's.

In the embedded run all services share one environment. Here each gets its own database roles and its own signing key alone, so what
works here does not lean on a neighbour's secret.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bookbag.local import ports
from bookbag.local.kafka import KafkaAddress
from bookbag.local.keys import KeyFiles
from bookbag.local.provision import ServiceUrls
from bookbag.local.seaweed import S3Address

LARGEST: Final = 8
"""Instances of one service that one machine is asked to run."""

CONNECTIONS: Final = {"api": 20, "worker": 24}
"""Database connections a process of each kind may open (see `runtime.CONNECTIONS`)."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One process of a service. A worker has only the admin port."""

    name: str
    kind: Literal["api", "worker"]
    service: str
    admin: int
    http: int = 0
    grpc: int = 0

    @property
    def command(self) -> str:
        return {"api": "serve", "worker": "work"}[self.kind]


@dataclass(frozen=True, slots=True)
class Plan:
    """All processes of the services, the one that serves the pages, and where mail is taken."""

    services: tuple[str, ...]
    processes: tuple[Planned, ...]
    web_http: int
    web_admin: int
    smtp: int

    @classmethod
    def of(cls, services: Sequence[str], instances: Mapping[str, int]) -> "Plan":
        """Plan so many instances of each service, one where nothing is said; each is an API process and a worker."""
        count = sum(instances.get(service, 1) for service in services)
        free = iter(ports.choose_lasting(4 * count + 3))
        processes = tuple(_planned(services, instances, free))
        return cls(tuple(services), processes, next(free), next(free), next(free))

    @property
    def apis(self) -> dict[str, list[int]]:
        """The HTTP ports of each service."""
        return {
            name: [each.http for each in self.processes if each.service == name and each.http] for name in self.services
        }

    @property
    def peers(self) -> dict[str, str]:
        """The gRPC target of each service, which names all its instances."""
        found: dict[str, str] = {}
        for name in self.services:
            listen = [f"{ports.LOOPBACK}:{each.grpc}" for each in self.processes if each.service == name and each.grpc]
            found[name] = listen[0] if len(listen) == 1 else f"ipv4:{','.join(listen)}"
        return found

    @property
    def connections(self) -> int:
        """Database connections all of them may open together, and some for operators."""
        return sum(CONNECTIONS[each.kind] for each in self.processes) + 20


def _planned(services: Sequence[str], instances: Mapping[str, int], free: Iterator[int]) -> Iterator[Planned]:
    for service in services:
        for number in range(1, instances.get(service, 1) + 1):
            suffix = "" if number == 1 else f"-{number}"
            yield Planned(f"{service}-api{suffix}", "api", service, next(free), next(free), next(free))
            yield Planned(f"{service}-worker{suffix}", "worker", service, next(free))


def servers(*, redis_url: str, kafka: KafkaAddress, objects: S3Address) -> dict[str, str]:
    """Where the servers are that all processes may use."""
    return {
        "BOOKBAG_REDIS_URL": redis_url,
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": kafka.bootstrap,
        "BOOKBAG_KAFKA_COPIES": "1",
        "BOOKBAG_OBJECT_STORE": objects.url,
        "BOOKBAG_OBJECT_STORE_ACCESS_KEY": objects.access_key,
        "BOOKBAG_OBJECT_STORE_SECRET_KEY": objects.secret_key,
    }


def installation(
    plan: Plan,
    *,
    folder: Path,
    public_url: str,
    servers: Mapping[str, str],
    keys: KeyFiles,
    demo: bool,
    web: Path | None,
) -> dict[str, str]:
    """What all processes are told alike."""
    told = {
        "BOOKBAG_ENVIRONMENT": "stack",
        "BOOKBAG_DATA": str(folder),
        "BOOKBAG_HTTP_HOST": ports.LOOPBACK,
        "BOOKBAG_PUBLIC_URL": public_url,
        "BOOKBAG_TRUSTED_PROXIES": ports.LOOPBACK,
        "BOOKBAG_SMTP_URL": f"smtp://{ports.LOOPBACK}:{plan.smtp}",
        "BOOKBAG_PEERS": json.dumps(plan.peers),
        "BOOKBAG_USER_KEYS": str(keys.user_keys),
        "BOOKBAG_SERVICE_KEYS": str(keys.service_keys),
        "BOOKBAG_AUDIT_KEYS": str(keys.audit_keys),
    } | dict(servers)
    if web:
        told["BOOKBAG_WEB"] = str(web)
    if demo:
        told["BOOKBAG_DEMO"] = "1"
    return told


def of_operators(told: Mapping[str, str], databases: Mapping[str, ServiceUrls], keys: KeyFiles) -> dict[str, str]:
    """What migrations and the commands of operators are told: every role of every database."""
    urls = {
        f"BOOKBAG_{service.upper()}_{role.upper()}_URL": url
        for service, roles in databases.items()
        for role, url in roles.items()
    }
    return dict(told) | urls | {"BOOKBAG_SIGNING_KEYS": str(keys.signing_keys)}


def of_process(
    told: Mapping[str, str], process: Planned, databases: Mapping[str, ServiceUrls], signing_keys: Path
) -> dict[str, str]:
    """What one process is told. `signing_keys` holds those it may sign with."""
    mine, prefix = databases[process.service], f"BOOKBAG_{process.service.upper()}"
    own = {
        f"{prefix}_APP_URL": mine.app,
        "BOOKBAG_ADMIN_PORT": str(process.admin),
        "BOOKBAG_SIGNING_KEYS": str(signing_keys),
    }
    if process.kind == "worker":
        own[f"{prefix}_WORKER_URL"] = mine.worker
    else:
        own |= {
            f"{prefix}_READER_URL": mine.reader,
            "BOOKBAG_HTTP_PORT": str(process.http),
            "BOOKBAG_GRPC_PORT": str(process.grpc),
        }
    return dict(told) | own


def of_pages(told: Mapping[str, str], plan: Plan) -> dict[str, str]:
    """What the process of the web client is told: no database, no Redis, no key."""
    names = ("ENVIRONMENT", "DATA", "HTTP_HOST", "PUBLIC_URL", "WEB", "DEMO")
    public = {name: told[name] for name in (f"BOOKBAG_{each}" for each in names) if name in told}
    return public | {"BOOKBAG_HTTP_PORT": str(plan.web_http), "BOOKBAG_ADMIN_PORT": str(plan.web_admin)}


def keys_of(process: Planned, keys: KeyFiles, folder: Path) -> Path:
    """A folder with the keys this process may sign with: its service's own, the record's for a worker, people's for the API of identity."""
    own = folder / process.name
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [f"service-{process.service}.json"]
    if process.kind == "worker":
        names.append(f"audit-{process.service}.json")
    if process.service == "identity" and process.kind == "api":
        names.append("users.json")
    for name in names:
        link = own / name
        if not link.is_symlink():
            link.symlink_to(keys.signing_keys / name)
    return own
