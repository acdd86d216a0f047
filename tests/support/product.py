"""The whole product as its users have it, in a folder of its own: one `bookbag up`, or the stack; and browsers that act as its people."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import httpx2

from bookbag.local import ports
from bookbag.local.certificate import certificate_files
from tests.support.heard import Heard
from tests.support.policy import demo_rules, open_hours

CHROMIUM = Path(os.environ.get("BOOKBAG_CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@dataclass
class Product:
    """A running product. `people` are those of the demo school."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    @cached_property
    def trust(self) -> ssl.SSLContext | bool:
        """What an HTTP client verifies the product with: the stack has an authority of its own."""
        authority = certificate_files(self.folder / "tls").authority
        return ssl.create_default_context(cafile=str(authority)) if authority.exists() else True

    @property
    def flags(self) -> list[str]:
        """What Chromium is started with. It is told of the gateway's one key; every other bad certificate stays refused."""
        pin = certificate_files(self.folder / "tls").pin
        return [*FLAGS, f"--ignore-certificate-errors-spki-list={pin.read_text()}"] if pin.exists() else FLAGS

    def http(self) -> httpx2.Client:
        """An HTTP client that is nobody."""
        return httpx2.Client(base_url=self.address, timeout=10, verify=self.trust, trust_env=False)

    def moves_its_clock(self, to: datetime) -> None:
        """Let the product believe that it is this time from now on, in one step that every process sees whole."""
        whole = self.folder / "clock-shift.new"
        whole.write_text(str((to - datetime.now(UTC)).total_seconds()))
        whole.replace(self.folder / "clock-shift")

    @cached_property
    def people(self) -> list[dict[str, Any]]:
        with self.http() as client:
            return client.get("/identity/v1/demo/people").json()["people"]

    def person(self, name: str, role: str) -> dict[str, Any]:
        """A person of the demo school by a part of their name and by role."""
        return next(one for one in self.people if name in one["name"] and one["role"] == role)

    @contextmanager
    def client(self, name: str, role: str) -> Generator[httpx2.Client]:
        """An API client signed in as somebody."""
        who = {"person": self.person(name, role)["person"], "role": role}
        with self.http() as client:
            opened = client.post("/identity/v1/demo/sessions", json=who)
            assert opened.status_code == 201, opened.text
            token = client.post("/identity/v1/tokens", json=who).json()["token"]
            client.headers["authorization"] = f"Bearer {token}"
            yield client

    def mails(self) -> list[str]:
        """The mails that would have gone out, as text."""
        return [file.read_text() for file in sorted((self.folder / "outbox").glob("*.eml"))]

    def environment(self) -> dict[str, str]:
        """The settings of the run, for commands of operators."""
        return json.loads((self.folder / "environment.json").read_text())


COMMANDS = {"up": ("up",), "stack": ("stack", "up")}
READY_WITHIN = {"up": 90.0, "stack": 200.0}
"""Seconds. Two stacks that start side by side on two busy cores took 76."""
Kind = Literal["up", "stack"]


@contextmanager
def running(
    folder: Path,
    *,
    kind: Kind = "up",
    options: tuple[str, ...] = (),
    prefix: tuple[str, ...] = (),
    policy: str | None = open_hours(),
    **told: str,
) -> Generator[Product]:
    """Run the product until the block ends; then everything it started must be gone. `prefix` is a command that runs it, `told` are
    settings of all its processes. Its schools are open at any hour unless `policy` says otherwise (None: their presets). One that does
    not get ready is told with all that it said and logged."""
    port = ports.choose_lasting(1)[0]
    if policy is not None:
        told = demo_rules(folder, policy) | told
    product = [*prefix, sys.executable, "-m", "bookbag", *COMMANDS[kind]]
    command = [*product, "--data", str(folder), "--port", str(port), *options]
    heard = Heard.start(command, folder, told)
    try:
        address = heard.ready(rf"https?://127\.0\.0\.1:{port}", within=READY_WITHIN[kind])
        yield Product(address[0], folder, heard.process)
    finally:
        heard.end(within=60)
