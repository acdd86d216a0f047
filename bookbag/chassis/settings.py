"""What an operator sets, read once from the environment and typed; secrets have no default and print masked.

`Listening` holds for every process and `Platform` for those of the services (`BOOKBAG_…`); each service adds its own class with the prefix
`BOOKBAG_<SERVICE>_`. Every field carries its text, from which the documentation is generated.
"""

from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bookbag.chassis.addresses import PeerAddress
from bookbag.chassis.objects import place_of


class Listening(BaseSettings):
    """Settings of every process, also of one that has neither databases nor keys."""

    model_config = SettingsConfigDict(env_prefix="BOOKBAG_", extra="ignore", frozen=True)

    environment: Literal["embedded", "stack", "cluster"] = Field("cluster", description="Where this process runs.")
    http_host: str = Field("127.0.0.1", description="Address the HTTP server binds to.")
    http_port: int = Field(8000, ge=0, le=65535, description="Port of the HTTP server.")
    admin_port: int = Field(8002, ge=0, le=65535, description="Port of health and metrics, never public.")
    public_url: str = Field("http://127.0.0.1:8000", description="The address people type, without a slash at the end.")
    trusted_proxies: str = Field(
        "",
        pattern=r"^[0-9a-fA-F.:/, ]*$",
        description="Addresses or networks, by commas, of the gateway whose `X-Forwarded-For` is believed; empty believes none.",
    )
    otlp_endpoint: str = Field("", description="OTLP/HTTP address for traces (`…/v1/traces`); empty sends none.")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="Share of the traces that begin here which are sent.")
    web: Path | None = Field(None, description="Folder of the built web client, when this process serves it.")
    data: Path | None = Field(None, description="Data folder of a run on one machine.")
    demo: bool = Field(False, description="Demo sign-ins and the outbox page; obeyed on one machine only.")

    @property
    def on_one_machine(self) -> bool:
        """Whether people reach all of it by this machine's loopback names."""
        return self.environment in {"embedded", "stack"}

    @property
    def is_demo(self) -> bool:
        """Demo conveniences need all of it: the switch, one machine, its loopback, and a data folder that was made as a demo."""
        return (
            self.demo
            and self.on_one_machine
            and self.http_host in {"127.0.0.1", "::1"}
            and self.data is not None
            and (self.data / "demo").exists()
        )


class Platform(Listening):
    """Settings that all processes of an installation share."""

    grpc_host: str = Field("127.0.0.1", description="Address the gRPC server binds to.")
    grpc_port: int = Field(8001, ge=0, le=65535, description="Port of the gRPC server.")
    redis_url: SecretStr = Field(description="Redis or Valkey, for what can be rebuilt: limits and wake-ups.")
    bus: Literal["outbox", "kafka"] = Field(
        "outbox", description="What carries events: the outbox of each service on one machine, Kafka everywhere else."
    )
    kafka_url: str = Field("127.0.0.1:9092", description="Kafka brokers to begin with: host:port, several by commas.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka is spoken to."
    )
    kafka_ca: Path | None = Field(None, description="Certificates (PEM) that Kafka's own is checked against.")
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How we sign in to Kafka, when the security says SASL."
    )
    kafka_user: str = Field("", description="Kafka user, when the security says SASL.")
    kafka_password: SecretStr = Field(SecretStr(""), description="The Kafka user's password.")
    kafka_prefix: str = Field(
        "",
        pattern=r"^[a-zA-Z0-9._-]{0,64}$",
        description="Put before the names of our topics and groups, where several installations share a Kafka.",
    )
    kafka_copies: int = Field(
        3, ge=1, le=9, description="Brokers that keep each event; with 3, one may be away. Counts when topics are made."
    )
    peers: dict[str, PeerAddress] = Field(
        default_factory=dict,
        description="gRPC address of each service, as JSON: host:port, several IP addresses with commas, or dns:///name:port.",
    )
    user_keys: Path = Field(description="Public keys (JWKS) that user tokens are verified with.")
    service_keys: Path = Field(description="Public key of each service (JSON of JWKs) for service tokens.")
    signing_keys: Path = Field(description="Folder with the private keys that this process may sign with.")
    audit_keys: Path | None = Field(
        None,
        description="Public keys of each service, present and past (JSON of JWKS), that anchors of the record are verified with.",
    )
    smtp_url: SecretStr = Field(SecretStr("smtp://127.0.0.1:25"), description="Mail server that takes outgoing mail.")
    mail_from: str = Field("Bookbag <no-reply@bookbag.invalid>", description="Sender of all outgoing mail.")
    object_store: str = Field(
        "", description="Where files are kept: `file:///folder` or `s3://bucket?endpoint=…&region=…&path_style=true`.",
    )  # fmt: skip
    object_store_access_key: SecretStr | None = Field(
        None, description="Access key of an S3 object store; without it the machine's own role is used."
    )
    object_store_secret_key: SecretStr | None = Field(None, description="Secret key of an S3 object store.")
    backup_access_key: SecretStr | None = Field(
        None, description="Access key of an S3 store that backups go to; without it that of the object store is used."
    )
    backup_secret_key: SecretStr | None = Field(None, description="Secret key of an S3 store that backups go to.")
    stuck_after_seconds: float = Field(
        30, ge=10, description="A worker whose consumer has events waiting and finishes none for so long ends, to be started again.",
    )  # fmt: skip
    faults: Path | None = Field(None, description="Folder where tests order faults; refused in a cluster.")
    trace_from_clients: bool = Field(
        False,
        description="Continue the trace named by an HTTP request; only behind a gateway that sets `traceparent` itself.",
    )

    @model_validator(mode="after")
    def _no_faults_among_people(self) -> Self:
        if self.faults is not None and self.environment == "cluster":
            raise ValueError("BOOKBAG_FAULTS is refused in a cluster: it lets tests kill processes")
        return self

    @field_validator("object_store")
    @classmethod
    def _readable(cls, url: str) -> str:
        if url:
            place_of(url)
        return url


class ServiceSettings(BaseSettings):
    """Settings of one service; its class adds its own fields."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    owner_url: SecretStr | None = Field(None, description="Database address of the owner role; migrations only.")
    app_url: SecretStr = Field(description="Database address of the app role, which sees one school at a time.")
    worker_url: SecretStr | None = Field(
        None, description="Database address of the worker role; worker processes only."
    )
    reader_url: SecretStr | None = Field(
        None,
        description="Database address of the role that reads the record; API processes and the audit commands only.",
    )
    backup_url: SecretStr | None = Field(
        None, description="Database address of the role that reads everything; `bookbag backup` only."
    )


T = TypeVar("T", bound=ServiceSettings)


def load(kind: type[T], service: str) -> T:
    """Read a service's settings from `BOOKBAG_<SERVICE>_…`. Raises pydantic's ValidationError naming each bad field."""
    # The fields come from the environment, which a type checker cannot see.
    make: Any = kind
    return make(_env_prefix=f"BOOKBAG_{service.upper()}_")
