"""What an installation stands on, looked at one by one: each look says what it found and, when that is wrong, what to do about it.

Nothing here changes anything, and nothing that people wrote is read. The looks are put together by `bookbag doctor`.
"""

import asyncio
import json
import shutil
import ssl
import stat
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import unquote, urlsplit

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from joserfc.jwk import OKPKey

from bookbag.chassis.database import Database
from bookbag.chassis.migrate import ready as migrations_ready
from bookbag.chassis.problems import DependencyAway, NoEntry
from bookbag.chassis.service import Service
from bookbag.chassis.settings import Platform, ServiceSettings
from bookbag.chassis.wake import REDIS_SECONDS

OLDEST_POSTGRES = 16
OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (7, 2)
OLDEST_KAFKA = (3, 0)

SKEW = timedelta(seconds=5)
"""Clocks may differ so much. Tokens allow a minute; leases do not care, because they live on the database's clock alone."""

ROOM_BYTES = 200 * 1024 * 1024
ROOM_SHARE = 0.1

PATIENCE = 5.0
"""Seconds for each answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. `unknown` is what cannot be told from here and counts as no fault."""

    what: str
    state: Literal["ok", "wrong", "unknown"]
    found: str
    do: str = ""


Look: TypeAlias = "Callable[[], Awaitable[Sequence[Finding]]]"


def ok(what: str, found: str) -> Finding:
    return Finding(what, "ok", found)


def wrong(what: str, found: str, do: str) -> Finding:
    return Finding(what, "wrong", found, do)


async def postgres_role(what: str, url: str, variable: str, *, sees_all: bool = False) -> list[Finding]:
    """Whether one role comes in, to a server of a known kind whose clock is ours, with the rights that it needs and no more; `sees_all`
    is for the role that takes backups, which row security must not bind."""
    async with _database(url) as database:
        try:
            began = datetime.now(UTC)
            row = await database.fetchrow(
                "select current_setting('server_version_num')::int as version, clock_timestamp() as now,"
                " (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as above_all"
            )
            ended = datetime.now(UTC)
        except DependencyAway as away:
            return [_no_entry(what, away, variable)]
    assert row is not None
    version, skew = row["version"] // 10_000, apart(row["now"], began, ended)
    if version < OLDEST_POSTGRES:
        return [wrong(what, f"PostgreSQL {version}", f"Bookbag needs PostgreSQL {OLDEST_POSTGRES} or newer.")]
    if sees_all and not row["above_all"]:
        do = "Give it bypassrls: what row security hides would be in no backup."
        return [wrong(what, "the role does not see every school", do)]
    if row["above_all"] and not sees_all:
        do = "Take superuser and bypassrls from it: row security must hold for it."
        return [wrong(what, "the role sees every school", do)]
    if abs(skew) > SKEW:
        found = f"its clock is {skew.total_seconds():+.0f} s from ours"
        return [wrong(what, found, "Keep both machines' clocks with NTP.")]
    return [ok(what, f"PostgreSQL {version}, clock {skew.total_seconds() * 1000:+.0f} ms")]


def apart(theirs: datetime, asked: datetime, answered: datetime) -> timedelta:
    """How far a clock surely is from ours, that was read at some moment between asking and answer: nothing, if it may be the same."""
    return min(theirs - asked, timedelta(0)) or max(theirs - answered, timedelta(0))


def _no_entry(what: str, away: DependencyAway, variable: str) -> Finding:
    """Whether nobody answers, or somebody answers and refuses."""
    reason = type(away.__cause__).__name__
    if reason in {"InvalidPasswordError", "InvalidAuthorizationSpecificationError"}:
        return wrong(what, "refuses the password", f"Correct the password in {variable}, or the role's in PostgreSQL.")
    if reason == "TooManyConnectionsError":
        do = "Raise max_connections of PostgreSQL, or end what holds them: docs/runbooks/ConnectionsExhausted.md."
        return wrong(what, "has no connection left", do)
    if reason == "InvalidCatalogNameError":
        return wrong(what, "has no such database", f"Make the database that {variable} names.")
    return wrong(what, "does not answer", f"See that PostgreSQL runs and that the address in {variable} is right.")


async def migrations(service: Service, settings: ServiceSettings) -> list[Finding]:
    """Whether a database is as new as this program."""
    what = f"migrations {service.name}"
    async with _database(settings.app_url.get_secret_value()) as database:
        try:
            await migrations_ready(database, service.migrations)
        except DependencyAway as away:
            if away.name != "migrations":
                return [Finding(what, "unknown", "its database does not answer")]
            return [wrong(what, "older than this program", f"Run `bookbag migrate {service.name}`.")]
    return [ok(what, "up to date")]


async def redis(platform: Platform) -> list[Finding]:
    """Whether Redis or Valkey answers, in time, in a version we know."""
    import redis.asyncio as client
    from redis.exceptions import AuthenticationError, RedisError, ResponseError

    what = "redis"
    connect: Any = getattr(client.Redis, "from_url")  # noqa: B009 - its options are untyped
    connection: Any = connect(
        platform.redis_url.get_secret_value(), socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )
    try:
        told: dict[str, Any] = await connection.info("server")
        took = min([await _seconds(connection.ping) for _ in range(5)])
    except (AuthenticationError, ResponseError):
        return [wrong(what, "refuses the password", "Correct the password in BOOKBAG_REDIS_URL.")]
    except (RedisError, OSError, TimeoutError):
        do = "See that Redis or Valkey runs and that BOOKBAG_REDIS_URL is right. Until then all is a little slower."
        return [wrong(what, "does not answer", do)]
    finally:
        await connection.aclose()
    name, version, oldest = "Redis", str(told["redis_version"]), OLDEST_REDIS
    if "valkey_version" in told:
        name, version, oldest = "Valkey", str(told["valkey_version"]), OLDEST_VALKEY
    if _numbers(version) < oldest:
        return [wrong(what, f"{name} {version}", f"Bookbag needs {name} {_dotted(oldest)} or newer.")]
    if took > REDIS_SECONDS:
        slow = f"{name} {version} took {took * 1000:.0f} ms"
        return [wrong(what, slow, "Calls to it are given up after 100 ms: bring it nearer.")]
    return [ok(what, f"{name} {version}")]


async def _seconds(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    await ask()
    return time.monotonic() - began


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version[:2]))


async def kafka(platform: Platform, services: Sequence[Service]) -> list[Finding]:
    """Whether the brokers answer in a version we know, and whether each topic is as our table says."""
    if platform.bus != "kafka":
        return [ok("bus", "the outboxes of the services; no Kafka is configured")]
    from bookbag.chassis import topics

    wanted = topics.topics_of(services)
    try:
        version = await asyncio.to_thread(topics.broker_version, platform)
        drift = await asyncio.to_thread(topics.compare, platform, wanted)
    except NoEntry as refusal:
        return [wrong("kafka", refusal.why, f"{refusal.do} Events wait meanwhile.")]
    except DependencyAway:
        do = "See that Kafka runs and that BOOKBAG_KAFKA_URL and BOOKBAG_KAFKA_SECURITY are right. Events wait meanwhile."
        return [wrong("kafka", "does not answer", do)]
    if version < OLDEST_KAFKA:
        found = [wrong("kafka", _dotted(version), f"Bookbag needs Kafka {_dotted(OLDEST_KAFKA)} or newer.")]
    else:
        # Brokers do not tell their version; the client sees which calls they understand, and knows none newer than itself.
        found = [ok("kafka", f"speaks as Kafka {_dotted(version)} or newer")]
    differs = {one.topic: one for one in drift}
    for topic in sorted(platform.kafka_prefix + name for name in wanted):
        one = differs.get(topic)
        if one is None:
            found.append(ok(f"topic {topic}", "as declared"))
        elif one.setting == "topic":
            found.append(wrong(f"topic {topic}", "missing", "Run `bookbag migrate`."))
        else:
            do = "Whoever runs Kafka brings it in line; bookbag/chassis/topics.py says with what."
            found.append(wrong(f"topic {topic}", f"{one.setting} is {one.found}, not {one.wanted}", do))
    return found


async def object_store(platform: Platform) -> list[Finding]:
    """Whether files can be kept, where a place for them is configured."""
    from bookbag.chassis.clock import SystemClock
    from bookbag.chassis.objects import opened

    what = "object store"
    if not platform.object_store:
        return [Finding(what, "unknown", "none is configured")]
    store = opened(platform, SystemClock())
    kind = urlsplit(platform.object_store).scheme
    try:
        async with asyncio.timeout(3 * PATIENCE):
            await store.ready()
    except (DependencyAway, TimeoutError):
        do = "See that it runs, that the bucket or folder exists, and that the keys are right."
        return [wrong(what, f"does not answer ({kind})", do)]
    finally:
        await store.close()
    return [ok(what, {"file": "a folder", "s3": "S3"}.get(kind, kind))]


async def mail(platform: Platform) -> list[Finding]:
    """Whether the mail server lets us in. No mail is sent."""
    import aiosmtplib

    parts, what = urlsplit(platform.smtp_url.get_secret_value()), "mail server"
    server = aiosmtplib.SMTP(
        hostname=parts.hostname or "", port=parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25),
        username=unquote(parts.username or "") or None, password=unquote(parts.password or "") or None,
        timeout=PATIENCE, use_tls=parts.scheme == "smtps",
        start_tls={"smtp+starttls": True, "smtp": None}.get(parts.scheme, False),
    )  # fmt: skip
    try:
        await server.connect()
        await server.quit()
    except aiosmtplib.SMTPAuthenticationError:
        do = "Correct user and password in BOOKBAG_SMTP_URL. Mails wait meanwhile."
        return [wrong(what, "refuses the password", do)]
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError):
        do = "See that it runs and that BOOKBAG_SMTP_URL is right. Mails wait meanwhile."
        return [wrong(what, "does not answer", do)]
    finally:
        server.close()
    return [ok(what, f"{parts.hostname}:{server.port}")]


async def peer(service: str, target: str) -> list[Finding]:
    """Whether each instance of a sibling that the address names says that it serves."""
    several = target.partition(":")[2].split(",") if target.startswith(("ipv4:", "ipv6:")) else [target]
    return [await _instance(f"gRPC {service} {one}", one) for one in several]


async def _instance(what: str, target: str) -> Finding:
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            do = "See that the service runs and that BOOKBAG_PEERS is right."
            return wrong(what, f"does not answer ({error.code().name})", do)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        return wrong(what, "is stopping", "Look again in a minute; then see its log.")
    return ok(what, "serves")


async def public_address(platform: Platform) -> list[Finding]:
    """Whether the address that people open answers from here, and whether its clock is ours."""
    what, parts = "public address", urlsplit(platform.public_url)
    secure = _trust(platform) if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(PATIENCE):
            began = datetime.now(UTC)
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
            writer.write(f"HEAD /openapi.json HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n\r\n".encode())
            head = (await reader.read(16_384)).decode("latin-1").split("\r\n\r\n")[0]
            ended = datetime.now(UTC)
            writer.close()
    except ssl.SSLError as error:
        do = "Give the gateway a certificate that browsers accept."
        return [wrong(what, f"its certificate is refused ({error.reason})", do)]
    except (OSError, TimeoutError):
        return [Finding(what, "unknown", f"{platform.public_url} does not answer from here; open it in a browser")]
    date = next((line[5:].strip() for line in head.split("\r\n") if line.lower().startswith("date:")), "")
    try:
        skew = apart(parsedate_to_datetime(date), began, ended)
    except ValueError:
        return [ok(what, f"{platform.public_url} answers")]
    if abs(skew) > SKEW:
        found = f"its clock is {skew.total_seconds():+.0f} s from ours"
        return [wrong(what, found, "Keep both machines' clocks with NTP.")]
    return [ok(what, f"{platform.public_url} answers")]


def _trust(platform: Platform) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if platform.environment == "stack":  # its certificate is its own, and nothing is told to it here
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def room(folder: Path) -> list[Finding]:
    """Whether there is room where data lies on this machine."""
    what = f"room at {folder}"
    if not folder.exists():
        return [
            wrong(what, "there is no such folder", "Start the run that uses it, or correct the setting that names it.")
        ]
    disk = shutil.disk_usage(folder)
    left = f"{disk.free / 1024**3:.1f} GB free, {disk.free / disk.total:.0%}"
    if disk.free < ROOM_BYTES or disk.free < ROOM_SHARE * disk.total:
        return [wrong(what, left, "Make room: when the disk is full, nothing can be saved.")]
    return [ok(what, left)]


def keys(platform: Platform, services: Sequence[str]) -> list[Finding]:
    """Whether the public keys can be read and fit the private ones that are here."""
    found: list[Finding] = []
    users = _read("user keys", platform.user_keys, "BOOKBAG_USER_KEYS", found)
    known = _read("service keys", platform.service_keys, "BOOKBAG_SERVICE_KEYS", found)
    public = {"users": cast("list[dict[str, Any]]", (users or {}).get("keys", []))}
    public |= {f"service-{name}": [key] for name, key in (known or {}).items()}
    if platform.audit_keys is not None:
        anchoring = _read("audit keys", platform.audit_keys, "BOOKBAG_AUDIT_KEYS", found)
        public |= {f"audit-{name}": each["keys"] for name, each in (anchoring or {}).items()}
    missing = [name for name in services if known is not None and name not in known]
    if missing:
        do = "Add its public key; nobody can verify its calls."
        found.append(wrong("service keys", f"none of {', '.join(missing)}", do))
    private = sorted(platform.signing_keys.glob("*.json"))
    found += [_private_key(file, public.get(file.stem, [])) for file in private]
    if not any(file.stem.startswith("service-") for file in private):
        do = "BOOKBAG_SIGNING_KEYS must hold service-<name>.json of the service that runs here."
        found.append(wrong("private keys", "none here", do))
    return found


def _read(what: str, path: Path, variable: str, found: list[Finding]) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        found.append(wrong(what, f"{path}: {error.strerror}", f"Correct {variable} or the file's permissions."))
        return None
    except ValueError:
        found.append(wrong(what, f"{path} is no JSON", "Write the file again from the private keys."))
        return None
    found.append(ok(what, str(path)))
    return content


def _private_key(file: Path, public: Sequence[dict[str, Any]]) -> Finding:
    what = f"private key {file.stem}"
    try:
        if file.stat().st_mode & stat.S_IROTH:
            return wrong(what, "everybody on this machine can read it", f"chmod 600 {file}")
        ours = OKPKey.import_key(json.loads(file.read_text())).as_dict(private=False)
    except (OSError, ValueError) as error:
        return wrong(what, f"cannot be read ({type(error).__name__})", "Correct the file or its permissions.")
    if not any(key.get("x") == ours["x"] and key.get("kid") == ours.get("kid") for key in public):
        do = "Publish it there; until then what it signs is refused."
        return wrong(what, "its public half is not among the public keys", do)
    return ok(what, "fits its public half")


@asynccontextmanager
async def _database(url: str) -> AsyncGenerator[Database]:
    database = Database(url, "bookbag doctor", size=1)
    try:
        yield database
    finally:
        await database.close()
