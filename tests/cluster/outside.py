"""The servers that an operator brings, as real ones of this machine at an address that pods reach: PostgreSQL, Valkey, Kafka, S3 and a mail
server whose mails become files."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from bookbag.local import ports
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.parts import wait_ready
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.process import end, last_lines, spawn, wait_until
from bookbag.local.provision import database_of
from bookbag.local.seaweed import EmbeddedSeaweed
from bookbag.local.smtp_outbox import SmtpOutbox
from bookbag.local.valkey import EmbeddedValkey
from tests.cluster.place import ROOT

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PORTS = {"postgresql": 5432, "redis": 6379, "kafka": 9092, "objects": 8333, "mail": 2525}
"""Where pods find each, and nowhere else."""


@dataclass(frozen=True)
class Outside:
    """Addresses as pods have them, and what the tests themselves ask."""

    host: str
    folder: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    seaweed: EmbeddedSeaweed

    def at(self, server: str) -> str:
        return f"{self.host}:{PORTS[server]}"

    @property
    def redis_url(self) -> str:
        return self.valkey.address.url().replace(f"{ports.LOOPBACK}:{self.valkey.address.port}", self.at("redis"))

    @property
    def object_store(self) -> str:
        return f"s3://bookbag?endpoint=http://{self.at('objects')}&region=us-east-1&path_style=true"

    def asked(self, service: str, question: str) -> list[str]:
        """What the administrator of a service's database is answered, a line for each row."""
        return self.postgres.address.run(question, database=database_of(service)).splitlines()

    def s3(self) -> "S3Client":
        """The object store, asked by nothing of ours."""
        store = self.seaweed.address
        return boto3.client(
            "s3", endpoint_url=store.endpoint, region_name="us-east-1", aws_access_key_id=store.access_key,
            aws_secret_access_key=store.secret_key,
        )  # fmt: skip

    @property
    def mails(self) -> Path:
        return self.folder / "mails"


@contextmanager
def running(host: str, folder: Path) -> Generator[Outside]:
    """All of them, until the block ends. `host` is an address of this machine."""
    smtp = ports.choose_one()
    postgres = EmbeddedPostgres(folder / "postgres", max_connections=600)
    valkey = EmbeddedValkey(folder / "valkey")
    kafka = EmbeddedKafka(folder / "kafka", advertised=f"{host}:{PORTS['kafka']}")
    seaweed = EmbeddedSeaweed(folder / "seaweed")
    mail = SmtpOutbox(folder / "mails", smtp)
    with ExitStack() as stack:
        mail.begin()
        stack.callback(mail.stop)
        for part in (kafka, seaweed, postgres, valkey):
            stack.callback(part.stop)
            part.begin()
        for part in (kafka, seaweed, postgres, valkey):
            wait_ready(part)
        mail.wait_ready()
        targets = {
            "postgresql": postgres.address.port,
            "redis": valkey.address.port,
            "kafka": kafka.address.port,
            "objects": int(seaweed.address.endpoint.rpartition(":")[2]),
            "mail": smtp,
        }
        pairs = [f"{PORTS[server]}={target}" for server, target in targets.items()]
        command = [sys.executable, "-m", "tests.cluster.forward", host, *pairs]
        forward = spawn(command, folder=ROOT, environment=os.environ, log=folder / "forward.log")
        stack.callback(end, forward)
        assert wait_until(lambda: "ready" in "".join(last_lines(folder / "forward.log")), 30, every=0.1)
        yield Outside(host, folder, postgres, valkey, seaweed)
