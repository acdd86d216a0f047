"""`bookbag prepare`: makes what an installation on Kubernetes needs before it is installed, in a folder: the keys, a script for the
administrator of PostgreSQL, and the Secrets that the chart asks for by name.

It changes nothing but that folder, and completes what is there: keys and passwords that exist stay as they are.
"""

import argparse
import base64
import json
from pathlib import Path
from typing import Any

from bookbag.cli.answers import Answer, Refused
from bookbag.cli.services import NAMES
from bookbag.local.files import write_private
from bookbag.local.keys import KeyFiles, key_files, make_keys
from bookbag.local.provision import database_of, kept_passwords, roles_of, script


def prepare(asked: argparse.Namespace) -> Answer:
    """Make the folder whole. Raises Refused."""
    folder: Path = asked.to
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passwords = kept_passwords(folder, NAMES)
        make_keys(folder / "keys", NAMES)
        write_private(folder / "databases.sql", script(NAMES, passwords) + "\n")
        items = [_keys(key_files(folder / "keys")), *(_database(name, passwords, asked) for name in NAMES)]
        items += [_secret(name, {"url": url}) for name, url in (("redis", asked.redis), ("mail", asked.mail)) if url]
        write_private(
            folder / "secrets.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
        )
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {error.strerror}.") from error
    text = f"""\
{folder / "databases.sql"}  for PostgreSQL's administrator: databases and roles
{folder / "secrets.json"}   for Kubernetes: the Secrets that the chart asks for
{folder / "keys"}           the keys in both; keep the folder where you keep secrets"""
    return Answer(text, [{"secrets": [item["metadata"]["name"] for item in items]}])


def _database(service: str, passwords: dict[str, str], asked: argparse.Namespace) -> dict[str, Any]:
    options = f"?{asked.options}" if asked.options else ""
    urls = {
        role: f"postgresql://{account}:{passwords[account]}@{asked.postgresql}/{database_of(service)}{options}"
        for role, account in roles_of(service).items()
    }
    return _secret(f"database-{service}", urls)


def _keys(files: KeyFiles) -> dict[str, Any]:
    """All keys in one Secret; of its files each pod is given those that it needs."""
    public = (files.user_keys, files.service_keys, files.audit_keys)
    return _secret(
        "keys", {file.name: file.read_text() for file in (*public, *sorted(files.signing_keys.glob("*.json")))}
    )


def _secret(name: str, data: dict[str, str]) -> dict[str, Any]:
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bookbag-{name}"},
        "type": "Opaque",
        "data": coded,
    }
