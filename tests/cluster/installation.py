"""One installation of the chart as an operator makes it: databases, Secrets, values, `helm install`, the first school."""

import json
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from bookbag.local.process import wait_until
from bookbag.local.provision import urls_of
from tests.cluster import certificate, place
from tests.cluster.outside import PORTS, Outside
from tests.cluster.place import CHART, HOST, NAMESPACE, RELEASE, Place, helm, kubectl, pods, run
from tests.cluster.way import AsyncWay, Way

READY_WITHIN = "300s"
WAITED_FOR = {
    "requests": {"cpu": "400m", "memory": "128Mi", "ephemeral-storage": "0"},
    "limits": {"cpu": "2", "memory": "384Mi"},
}


@dataclass
class Installation:
    """What was installed. Made by `installed`."""

    place: Place
    outside: Outside
    folder: Path
    tls: certificate.Certificate
    seconds: float = 0.0
    """From `helm install` to all pods being ready."""

    @property
    def values(self) -> Path:
        return self.folder / "values.json"

    @property
    def files(self) -> tuple[str, ...]:
        """The values of this installation, as helm takes them."""
        return "--values", str(CHART / "ci" / "small.yaml"), "--values", str(self.values)

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

    def urls(self, service: str) -> dict[str, str]:
        """The addresses of a service's database, as this machine reaches it."""
        passwords = json.loads((self.folder / "prepared" / "passwords.json").read_text())
        return dict(urls_of(self.outside.postgres.address, service, passwords).items())

    def upgrade(self, image: str, *more: str) -> float:
        """Go to another image; the seconds until all pods of it are ready."""
        began = time.monotonic()
        repository, _, tag = image.partition(":")
        helm(
            "upgrade", RELEASE, str(CHART), *self.files,
            "--set", f"image.repository={repository},image.tag={tag}", *more, "--wait", "--timeout", READY_WITHIN,
        )  # fmt: skip
        return time.monotonic() - began

    def bookbag(self, *words: str, component: str = "identity-api") -> str:
        """An operator's command inside the cluster."""
        pod = place.name_of(pods(component, ready=True)[0])
        return kubectl("exec", pod, "--", "bookbag", *words)


def installed(given: Place, outside: Outside, folder: Path) -> Installation:
    """Install, and wait until everything is ready."""
    folder.mkdir(parents=True, exist_ok=True)
    installation = Installation(given, outside, folder, certificate.made(folder / "tls", HOST))
    _prepare(installation)
    repository, _, tag = given.images[0].partition(":")
    installation.values.write_text(
        json.dumps(_values(installation) | {"image": {"repository": repository, "tag": tag}})
    )
    began = time.monotonic()
    helm(
        "install", RELEASE, str(CHART), *installation.files, "--wait", "--timeout", READY_WITHIN,
    )  # fmt: skip
    installation.seconds = time.monotonic() - began
    with installation.http() as client:
        assert wait_until(lambda: _answers(client), 60, every=0.2), "the Gateway does not lead to the pods"
    return installation


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/openapi.json").status_code == 200
    except httpx2.TransportError:
        return False


def _prepare(installation: Installation) -> None:
    """What has to be there before: the namespace, databases and roles, the Secrets."""
    outside, folder = installation.outside, installation.folder / "prepared"
    run(
        sys.executable, "-m", "bookbag", "prepare", "--to", str(folder), "--postgresql", outside.at("postgresql"),
        "--redis", outside.redis_url, "--mail", f"smtp://{outside.at('mail')}",
    )  # fmt: skip
    outside.postgres.address.run((folder / "databases.sql").read_text())
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    run("kubectl", "create", "namespace", NAMESPACE)
    run("kubectl", "label", "namespace", NAMESPACE, restricted)
    kubectl("apply", "--filename", str(folder / "secrets.json"))
    keys = outside.seaweed.address
    kubectl(
        "create", "secret", "generic", "bookbag-object-store",
        f"--from-literal=access-key={keys.access_key}", f"--from-literal=secret-key={keys.secret_key}",
    )  # fmt: skip
    tls = installation.tls
    kubectl("create", "secret", "tls", "bookbag-tls", f"--cert={tls.certificate}", f"--key={tls.key}")


def _values(installation: Installation) -> dict[str, Any]:
    """What is true of this cluster only; all else is `ci/small.yaml`."""
    given, outside = installation.place, installation.outside
    to = [{"ipBlock": {"cidr": f"{given.host}/32"}}]
    return {
        "publicUrl": given.url,
        "kafka": {"brokers": outside.at("kafka"), "copies": 1},
        "objectStore": {"url": outside.object_store},
        # Once a year by the clock: the tests make jobs of it.
        "backup": {
            "enabled": True,
            "to": outside.object_store.replace("?", "/backups?", 1),
            "schedule": "0 3 1 1 *",
            "resources": {"requests": {"ephemeral-storage": "0"}},
        },
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
