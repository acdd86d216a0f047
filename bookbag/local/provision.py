"""Gives each service its own database and five roles, each able to do its work and nothing more.

The owner changes the schema, `app` serves people, `worker` reads the infrastructure tables, `reader` the record, `backup`
everything; what each may do with a table is granted by the migration that makes the table.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bookbag.local.files import write_private
from bookbag.local.postgres import PostgresAddress

ROLES: Final = ("owner", "app", "worker", "reader", "backup")
_EDITION: Final = 2
"""Raise it when the statements below change, so that existing folders get them too."""


@dataclass(frozen=True, slots=True, repr=False)
class ServiceUrls:
    """How each role of one service reaches its database. Holds passwords: never printed."""

    owner: str
    app: str
    worker: str
    reader: str
    backup: str

    def items(self) -> list[tuple[str, str]]:
        return [("owner", self.owner), ("app", self.app), ("worker", self.worker), ("reader", self.reader),
                ("backup", self.backup)]  # fmt: skip


def provision(address: PostgresAddress, folder: Path, services: Sequence[str]) -> dict[str, ServiceUrls]:
    """Make databases and roles that are missing. Idempotent; costs nothing when `folder` says it was done.

    Passwords are kept in `folder` (0600), which therefore belongs to exactly one server. Raises CalledProcessError.
    """
    passwords = kept_passwords(folder, services)
    stamp, done = folder / "provisioned.json", {"edition": _EDITION, "services": sorted(services)}
    if not stamp.exists() or json.loads(stamp.read_text()) != done:
        alone = "revoke connect, temporary on database postgres, template1 from public;"
        address.run(f"{alone}\n{script(services, passwords)}")
        write_private(stamp, json.dumps(done))
    return {service: urls_of(address, service, passwords) for service in services}


def kept_passwords(folder: Path, services: Sequence[str]) -> dict[str, str]:
    """The password of each role, from `folder` (0600); those that are missing are made. Raises ValueError for a bad name."""
    for service in services:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", service):
            raise ValueError(f"not a service name: {service!r}")
    kept = folder / "passwords.json"
    passwords: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    missing = [role for service in services for role in roles_of(service).values() if role not in passwords]
    if missing:
        passwords |= {role: secrets.token_hex(24) for role in missing}
        write_private(kept, json.dumps(passwords, indent=1))
    return passwords


def roles_of(service: str) -> dict[str, str]:
    return {role: f"bookbag_{service}_{role}" for role in ROLES}


def database_of(service: str) -> str:
    return f"bookbag_{service}"


def urls_of(
    address: PostgresAddress, service: str, passwords: Mapping[str, str], *, database: str | None = None
) -> ServiceUrls:
    """The URLs of a service's roles; `database` when it is a copy of the service's own."""
    name = database or database_of(service)
    urls = {
        role: address.url(name, user=account, password=passwords[account])
        for role, account in roles_of(service).items()
    }
    return ServiceUrls(**urls)


def script(services: Sequence[str], passwords: Mapping[str, str]) -> str:
    """What an administrator gives to psql so that databases and roles are there. It may be repeated."""
    parts: list[str] = []
    for service in services:
        roles = roles_of(service)
        parts += [_make_role(role, passwords[role]) for role in roles.values()]
        parts.append(f"alter role {roles['backup']} bypassrls; grant pg_read_all_data to {roles['backup']};")
        parts.append(_make_database(database_of(service), roles["owner"]))
        parts.append(close_database(database_of(service), service))
    parts += [f"\\connect {database_of(service)}\n{_narrow_schema(service)}" for service in services]
    return "\n".join(parts)


def _make_role(role: str, password: str) -> str:
    return f"""
        select 'create role {role}' where not exists (select from pg_roles where rolname = '{role}') \\gexec
        alter role {role} login password '{password}'
            nosuperuser nobypassrls nocreatedb nocreaterole noreplication inherit;"""  # noqa: S608 - names were checked, passwords are hexadecimal


def _make_database(database: str, owner: str) -> str:
    return f"""
        select 'create database {database} owner {owner}'
        where not exists (select from pg_database where datname = '{database}') \\gexec"""  # noqa: S608 - names were checked


def close_database(database: str, service: str) -> str:
    """Statements that let only the roles of a service into a database. A copy of one needs them again."""
    roles = roles_of(service)
    return f"""
        alter database {database} owner to {roles["owner"]};
        revoke all on database {database} from public;
        grant connect on database {database} to {roles["app"]}, {roles["worker"]}, {roles["reader"]}, {roles["backup"]};"""


def _narrow_schema(service: str) -> str:
    roles = roles_of(service)
    return f"""
        alter schema public owner to {roles["owner"]};
        revoke all on schema public from public;
        grant usage on schema public to {roles["app"]}, {roles["worker"]}, {roles["reader"]}, {roles["backup"]};"""
