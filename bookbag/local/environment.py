"""The settings of the one-machine run: what the supervisor tells the processes it starts, and later commands on the folder."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bookbag.local import ports
from bookbag.local.files import write_private
from bookbag.local.keys import KeyFiles
from bookbag.local.provision import ServiceUrls

SERVICES: Final = ("identity", "messaging", "translate", "notify")
"""The services of one installation: each gets a database, roles and a key."""
REPOSITORY: Final = Path(__file__).resolve().parents[2]
_NOTE: Final = "environment.json"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens on loopback. All but `http` are chosen anew at each start."""

    http: int
    grpc: int
    api_admin: int
    worker_admin: int
    smtp: int

    @classmethod
    def choose(cls, http: int) -> "Ports":
        return cls(http, *ports.choose_lasting(4))

    @property
    def address(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.http}"


def web_files() -> Path | None:
    """The built web client, when there is one."""
    built = REPOSITORY / "web" / "dist"
    return built if (built / "index.html").exists() else None


def settings(
    folder: Path,
    *,
    listen: Ports,
    redis_url: str,
    keys: KeyFiles,
    databases: Mapping[str, ServiceUrls],
    demo: bool,
    web: Path | None,
) -> dict[str, str]:
    """The settings all processes of one run share. Holds passwords."""
    shared = {
        "BOOKBAG_ENVIRONMENT": "embedded",
        "BOOKBAG_DATA": str(folder),
        "BOOKBAG_HTTP_HOST": ports.LOOPBACK,
        "BOOKBAG_HTTP_PORT": str(listen.http),
        "BOOKBAG_GRPC_PORT": str(listen.grpc),
        "BOOKBAG_ADMIN_PORT": str(listen.api_admin),
        "BOOKBAG_WORKER_ADMIN_PORT": str(listen.worker_admin),  # for whoever looks at figures; a worker is told its own
        "BOOKBAG_REDIS_URL": redis_url,
        "BOOKBAG_PUBLIC_URL": listen.address,
        "BOOKBAG_SMTP_URL": f"smtp://{ports.LOOPBACK}:{listen.smtp}",
        "BOOKBAG_PEERS": json.dumps(dict.fromkeys(databases, f"{ports.LOOPBACK}:{listen.grpc}")),
        "BOOKBAG_USER_KEYS": str(keys.user_keys),
        "BOOKBAG_SERVICE_KEYS": str(keys.service_keys),
        "BOOKBAG_SIGNING_KEYS": str(keys.signing_keys),
        "BOOKBAG_AUDIT_KEYS": str(keys.audit_keys),
        "BOOKBAG_OBJECT_STORE": (folder / "objects").as_uri(),
    }
    if web:
        shared["BOOKBAG_WEB"] = str(web)
    if demo:
        shared["BOOKBAG_DEMO"] = "1"
    for service, urls in databases.items():
        shared |= {f"BOOKBAG_{service.upper()}_{role.upper()}_URL": url for role, url in urls.items()}
    return shared


def for_child(shared: Mapping[str, str], *, admin_port: int | None = None) -> dict[str, str]:
    """A child's whole environment: the person's own, then ours over it. Only our word makes a demo."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("BOOKBAG_DEMO", "BOOKBAG_WEB")}
    inherited.setdefault("PYTHONUNBUFFERED", "1")
    # Each of glibc's arenas keeps freed memory to itself; threads here wait more than they allocate.
    inherited.setdefault("MALLOC_ARENA_MAX", "2")
    own = {} if admin_port is None else {"BOOKBAG_ADMIN_PORT": str(admin_port)}
    return inherited | dict(shared) | own


def note_settings(folder: Path, shared: Mapping[str, str]) -> None:
    """Keep the settings of this run for commands that work on it from another terminal."""
    write_private(folder / _NOTE, json.dumps(dict(shared), indent=1))


def forget_settings(folder: Path) -> None:
    (folder / _NOTE).unlink(missing_ok=True)


def settings_of_running(folder: Path) -> dict[str, str] | None:
    """The settings of the run that uses this folder now; None when nothing runs on it."""
    try:
        return dict(json.loads((folder / _NOTE).read_text()))
    except FileNotFoundError:
        return None
