"""Makes the Ed25519 keys of one installation: identity signs people's tokens, each service signs its own calls and, by another key, how
far its record has come.

Run as a program in a process of its own: the cryptography it loads would double the supervisor's memory for a moment's work.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bookbag.local.files import write_private


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where the keys of an installation lie: three public files and a folder of private ones."""

    user_keys: Path
    service_keys: Path
    signing_keys: Path
    audit_keys: Path


def key_files(folder: Path) -> KeyFiles:
    return KeyFiles(
        folder / "user_keys.json", folder / "service_keys.json", folder / "private", folder / "audit_keys.json"
    )  # fmt: skip


def ensure_keys(folder: Path, services: Sequence[str]) -> KeyFiles:
    """Make the keys that are missing, leave those that exist. Raises CalledProcessError."""
    files = key_files(folder)
    private = [files.signing_keys / f"{kind}-{name}.json" for kind in ("service", "audit") for name in services]
    known: list[dict[str, object]] = [_read(file) for file in (files.service_keys, files.audit_keys)]
    lacking = any(set(services) - set(each) for each in known)
    if lacking or not all(key.exists() for key in (files.user_keys, files.signing_keys / "users.json", *private)):
        command = [sys.executable, "-m", "bookbag.local.keys", str(folder), *services]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return files


def make_keys(folder: Path, services: Sequence[str]) -> None:
    """Complete a folder of keys: private ones first, then the public files that follow from them."""
    files = key_files(folder)
    for place in (folder, files.signing_keys):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = _public_of(files.signing_keys / "users.json")
    of_services = {name: _public_of(files.signing_keys / f"service-{name}.json") for name in services}
    write_private(files.user_keys, json.dumps({"keys": [users]}, indent=1))
    write_private(files.service_keys, json.dumps(of_services, indent=1))
    of_record = _read(files.audit_keys)
    for name in services:
        key = _public_of(files.signing_keys / f"audit-{name}.json")
        kept: list[dict[str, object]] = of_record.get(name, {"keys": []})["keys"]
        # Anchors outlive keys: what an earlier key has signed must stay verifiable.
        of_record[name] = {"keys": [*(each for each in kept if each["kid"] != key["kid"]), key]}
    write_private(files.audit_keys, json.dumps(of_record, indent=1))


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text()) if file.exists() else {}


def _public_of(path: Path) -> dict[str, object]:
    """The public half of the private key at `path`, which is made when it is missing."""
    from joserfc.jwk import OKPKey

    if path.exists():
        key = OKPKey.import_key(json.loads(path.read_text()))
    else:
        key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": "Ed25519"}, auto_kid=True)
        write_private(path, json.dumps(key.as_dict(private=True)))
    return dict(key.as_dict(private=False))


if __name__ == "__main__":
    make_keys(Path(sys.argv[1]), sys.argv[2:])
