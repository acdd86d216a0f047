"""The whole product as its users have it: one `bookbag up` in a folder of its own, and browsers that act as its people."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2

from bookbag.local import ports

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
    def people(self) -> list[dict[str, Any]]:
        return httpx2.get(f"{self.address}/identity/v1/demo/people").json()["people"]

    def person(self, name: str, role: str) -> dict[str, Any]:
        """A person of the demo school by a part of their name and by role."""
        return next(one for one in self.people if name in one["name"] and one["role"] == role)

    @contextmanager
    def client(self, name: str, role: str) -> Generator[httpx2.Client]:
        """An API client signed in as somebody."""
        who = {"person": self.person(name, role)["person"], "role": role}
        with httpx2.Client(base_url=self.address, timeout=10) as client:
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


@contextmanager
def running(folder: Path, *, options: tuple[str, ...] = ()) -> Generator[Product]:
    """Run the product until the block ends; then everything it started must be gone."""
    port = ports.choose(1)[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "bookbag", "up", "--data", str(folder), "--port", str(port), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    said: list[str] = []
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said.append(line)
            if re.search(rf"http://127\.0\.0\.1:{port}", line):
                break
        else:
            raise AssertionError("bookbag up ended before it was ready:\n" + "".join(said))
        yield Product(f"http://127.0.0.1:{port}", folder, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
