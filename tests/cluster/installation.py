"""One installation of the chart as an operator makes it, by the commands of docs/install-kubernetes.md."""

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from bookbag.local.process import wait_until
from bookbag.local.provision import urls_of
from tests.cluster import certificate
from tests.cluster.outside import PORTS, Outside
from tests.cluster.page import Page
from tests.cluster.place import HOST, Place
from tests.cluster.way import AsyncWay, Way
from tests.support.install_page import VALUES

HERE = "here.json"
"""What is true of this cluster only; all else is `ci/small.yaml` and the values of the page."""
WAITED_FOR = {
    "requests": {"cpu": "400m", "memory": "128Mi", "ephemeral-storage": "0"},
    "limits": {"cpu": "2", "memory": "384Mi"},
}


@dataclass
class Installation:
    """What was installed. Made by `installed`."""

    place: Place
    outside: Outside
    page: Page
    tls: certificate.Certificate
    said: str = ""
    """What `helm install` printed."""
    seconds: float = 0.0
    """From `helm install` to all pods being ready."""

    @property
    def folder(self) -> Path:
        return self.page.folder

    @property
    def keys(self) -> Path:
        return self.folder / "my-installation" / "keys"

    @property
    def files(self) -> tuple[str, ...]:
        """The values of this installation, as helm takes them."""
        return tuple(word for file in _FILES for word in ("--values", str(self.folder / file)))

    def http(self) -> httpx2.Client:
        """A client that is nobody, through the Gateway."""
        return httpx2.Client(base_url=self.place.url, timeout=10, transport=Way(self.place, self.trust))

    def many(self) -> httpx2.AsyncClient:
        """The same for many requests at once."""
        limits = httpx2.Limits(max_connections=400, max_keepalive_connections=400)
        return httpx2.AsyncClient(
            base_url=self.place.url, timeout=20, transport=AsyncWay(self.place, self.trust, limits)
        )

    @property
    def trust(self) -> ssl.SSLContext:
        """The Gateway's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.tls.certificate))

    @property
    def flags(self) -> list[str]:
        """What Chromium is told: where the name leads, and the key it finds there."""
        return [
            f"--host-resolver-rules=MAP {HOST} {self.place.address.rpartition(':')[0]}",
            f"--ignore-certificate-errors-spki-list={self.tls.pin}",
        ]

    def urls(self, service: str, *, database: str | None = None) -> dict[str, str]:
        """The addresses of a service's database, or of its copy, as this machine reaches it."""
        passwords = json.loads((self.folder / "my-installation" / "passwords.json").read_text())
        return dict(urls_of(self.outside.postgres.address, service, passwords, database=database).items())

    def wait_until_it_answers(self) -> None:
        with self.http() as client:
            assert wait_until(lambda: _answers(client), 60, every=0.2), "the Gateway does not lead to the pods"


def installed(given: Place, outside: Outside, folder: Path) -> Installation:
    """Install, and wait until everything is ready."""
    installation = Installation(given, outside, Page(folder, _names(given, outside)), certificate.made(folder, HOST))
    page = installation.page
    for number in range(4):
        page.type("2. Keys, databases, Secrets", number)
    outside.s3().create_bucket(Bucket="bookbag-second")
    page.write_values()
    (folder / HERE).write_text(json.dumps(_values(installation)))
    began = time.monotonic()
    installation.said = page.type("4. Install")
    installation.seconds = time.monotonic() - began
    installation.wait_until_it_answers()
    return installation


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/openapi.json").status_code == 200
    except httpx2.TransportError:
        return False


_FILES = ("deploy/helm/bookbag/ci/small.yaml", VALUES, HERE)


def _names(given: Place, outside: Outside) -> dict[str, str]:
    """What the page's examples are called here."""
    keys = outside.seaweed.address
    return {
        "https://school.example": given.url,
        # One bucket for files and backups: each takes a third of what the store of the tests has room for.
        "s3://bookbag-backup/nightly": "s3://bookbag/backups",
        "registry.example/bookbag": given.images[0].partition(":")[0],
        f"-f {VALUES}": " ".join(f"-f {file}" for file in _FILES),
        "postgresql://postgres@db.example:5432/postgres": outside.postgres.address.url(),
        "db.example:5432": outside.at("postgresql"),
        " --options sslmode=require": "",
        "rediss://:password@redis.example:6379/0": outside.redis_url,
        "smtps://user:password@mail.example:465": f"smtp://{outside.at('mail')}",
        "kafka.example:9092": outside.at("kafka"),
        "copies: 3": "copies: 1",
        "endpoint=https://s3.example&region=eu-west-2": outside.object_store.partition("?")[2],
        "access-key=…": f"access-key={keys.access_key}",
        "secret-key=…": f"secret-key={keys.secret_key}",
    }


def _values(installation: Installation) -> dict[str, Any]:
    """What `here.json` says."""
    given = installation.place
    to = [{"ipBlock": {"cidr": f"{given.host}/32"}}]
    return {
        # Once a year by the clock: the tests make jobs of it.
        "backup": {"schedule": "0 3 1 1 *", "resources": {"requests": {"ephemeral-storage": "0"}}},
        "gateway": {
            "parentRefs": [],
            "trustedProxies": [f"{one}/32" for one in given.proxies],
            "create": {
                "enabled": True,
                "className": given.gateway_class,
                "port": given.listener,
                "certificate": "bookbag-tls",
            },
        },
        "networkPolicy": {
            "gateway": [{"ipBlock": {"cidr": f"{one}/32"}} for one in given.proxies],
            "servers": {name: {"to": to, "ports": [port]} for name, port in PORTS.items()},
        },
        # A node that cannot read its own disk's figures has none to give.
        **{
            kind: {"resources": {"requests": {"ephemeral-storage": "0"}}}
            for kind in ("api", "worker", "web", "migration")
        },
        # Two pods where a budget can refuse something, an autoscaler where it can read something.
        "services": {
            # What people wait for goes first where two cores are all there is.
            "messaging": {"api": {"replicas": 2, "resources": WAITED_FOR}},
            "identity": {"api": {"autoscaling": {"enabled": True, "min": 1, "max": 2}}},
        },
    }
