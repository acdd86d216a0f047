"""Objects in S3, or in a store that speaks as it does. The client blocks, so it runs in threads, and every call has an end.

Only S3's oldest habits are relied on (PUT, GET, ranges, ListObjectsV2, signatures in the query) and one newer: `If-None-Match: *`, by
which an anchor that is there cannot be overwritten.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, final
from uuid import UUID

import boto3
import structlog
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bookbag.chassis.objects import (
    HOLD_LIMIT,
    PAGE_LIMIT,
    PIECE,
    Head,
    Kept,
    Key,
    NoSuchObject,
    OutsideObject,
    Page,
    S3Place,
    TooLargeToHold,
    Upload,
    checked_length,
    checked_life,
    checked_limit,
    checked_prefix,
    checked_type,
)
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

log = structlog.get_logger()

T = TypeVar("T")

AWAY = "object store"
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
"""Until the next bytes; a store that says nothing for so long is away."""

ATTEMPTS = 2
THREADS = 16
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a stream that are gathered in memory; what is longer is gathered in a file, because S3 wants to know a length."""

CONFLICTS = 5
"""How often a put is tried again that met another put of the same key (S3 says 409 while that one is under way)."""


def client_of(place: S3Place, keys: tuple[str, str] | None, *, attempts: int = ATTEMPTS) -> "S3Client":
    """A client whose calls end. Without keys the machine's own are used (a role, a service account)."""
    settings: Any = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if place.path_style else "virtual"},
        retries={"total_max_attempts": attempts, "mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=THREADS,
        tcp_keepalive=True,
        # Newer checksums are refused by many a store that speaks S3, and would bind a client that holds a signed URL to them.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    access, secret = keys or (None, None)
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "s3", endpoint_url=place.endpoint, region_name=place.region, aws_access_key_id=access,
        aws_secret_access_key=secret, config=settings,
    )  # fmt: skip


@final
class S3Store:
    """See `objects.ObjectStore`."""

    def __init__(self, place: S3Place, keys: tuple[str, str] | None) -> None:
        self._place = place
        self._keys = keys
        self._clients: dict[int, S3Client] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")

    def _client(self, attempts: int = ATTEMPTS) -> "S3Client":
        """Made on first use, one for each number of attempts. Clients may be shared by threads."""
        if attempts not in self._clients:
            self._clients[attempts] = client_of(self._place, self._keys, attempts=attempts)
        return self._clients[attempts]

    async def _ask(self, question: Callable[[], T], *, seconds: float = 2 * (CONNECT_SECONDS + READ_SECONDS)) -> T:
        """Put a question in a thread. Raises what `_refused` makes of its errors."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, question)
        except (ClientError, BotoCoreError, OSError, TimeoutError) as error:
            _refused(error)

    async def put(self, key: Key, content: bytes, content_type: str) -> None:
        put = partial(self._client().put_object, Bucket=self._place.bucket, Key=str(key), Body=content)
        await self._ask(partial(put, ContentType=checked_type(content_type)), seconds=60)

    async def put_stream(self, key: Key, pieces: AsyncIterable[bytes], content_type: str) -> int:
        extra = {"ContentType": checked_type(content_type)}
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as gathered:
            async for piece in pieces:
                await asyncio.to_thread(gathered.write, piece)
            size = gathered.tell()
            gathered.seek(0)
            upload = partial(self._client().upload_fileobj, gathered, self._place.bucket, str(key))
            # The parts of a large one go one after the other, each with the time limits of a call.
            await self._ask(partial(upload, ExtraArgs=extra, Config=TransferConfig(use_threads=False)), seconds=600)
        return size

    async def put_if_absent(self, key: Key, content: bytes, content_type: str) -> bool:
        # Sent once: after a lost answer a second sending would find the object of the first and call it another's.
        put = partial(
            self._client(attempts=1).put_object,
            Bucket=self._place.bucket, Key=str(key), Body=content, ContentType=checked_type(content_type), IfNoneMatch="*",
        )  # fmt: skip
        for turn in range(CONFLICTS):
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, put)
            except ClientError as error:
                if _status(error) == 412:
                    return False
                if _status(error) != 409:
                    _refused(error)
                await asyncio.sleep(0.05 * 2**turn)
            except (BotoCoreError, OSError) as error:
                _refused(error)
            else:
                return True
        raise DependencyAway(AWAY)

    async def get(self, key: Key, *, first: int = 0, last: int | None = None) -> bytes:
        body, size = await self._open(key, first, last)
        try:
            if size > HOLD_LIMIT:
                raise TooLargeToHold
            return await self._ask(body.read, seconds=60)
        finally:
            body.close()

    async def stream(self, key: Key, *, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes]:
        body, _ = await self._open(key, first, last)
        try:
            while piece := await self._ask(partial(body.read, PIECE)):
                yield piece
        finally:
            body.close()

    async def _open(self, key: Key, first: int, last: int | None) -> tuple["StreamingBody", int]:
        get = partial(self._client().get_object, Bucket=self._place.bucket, Key=str(key))
        if first or last is not None:
            get = partial(get, Range=f"bytes={first}-{'' if last is None else last}")
        got = await self._ask(get)
        return got["Body"], got["ContentLength"]

    async def head(self, key: Key) -> Head:
        found = await self._ask(partial(self._client().head_object, Bucket=self._place.bucket, Key=str(key)))
        return Head(found["ContentLength"], found["ContentType"], found["LastModified"])

    async def delete(self, key: Key) -> None:
        await self._ask(partial(self._client().delete_object, Bucket=self._place.bucket, Key=str(key)))

    async def list(self, school: UUID, prefix: str = "", *, limit: int = PAGE_LIMIT, after: str | None = None) -> Page:
        ask = partial(
            self._client().list_objects_v2,
            Bucket=self._place.bucket, Prefix=f"{school}/{checked_prefix(prefix)}", MaxKeys=checked_limit(limit),
        )  # fmt: skip
        found = await self._ask(ask if after is None else partial(ask, ContinuationToken=after))
        items = [
            Kept(Key.parse(one["Key"]), one["Size"], one["LastModified"])
            for one in found.get("Contents", [])
            if "Key" in one and "Size" in one and "LastModified" in one
        ]
        return Page(items, found.get("NextContinuationToken"))

    def upload_url(self, key: Key, *, length: int, content_type: str, life: timedelta) -> Upload:
        exactly = {"ContentLength": checked_length(length), "ContentType": checked_type(content_type)}
        url = self._client().generate_presigned_url(
            "put_object",
            Params={"Bucket": self._place.bucket, "Key": str(key), **exactly},
            ExpiresIn=checked_life(life),
        )
        return Upload(url, {"content-type": content_type, "content-length": str(length)})

    def download_url(self, key: Key, *, life: timedelta) -> str:
        where = {"Bucket": self._place.bucket, "Key": str(key)}
        return self._client().generate_presigned_url("get_object", Params=where, ExpiresIn=checked_life(life))

    async def ready(self) -> None:
        await self._ask(partial(self._client().list_objects_v2, Bucket=self._place.bucket, MaxKeys=1))

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        self._clients.clear()


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _refused(error: Exception) -> NoReturn:
    """Raise what an error of the client means to our callers."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "404", "NotFound"):
            raise NoSuchObject from error
        if _status(error) == 416:
            raise OutsideObject from error
        # Keys, rights or a bucket that are wrong are the operator's to mend: the code of S3 says which.
        log.error("object store refuses", dependency=AWAY, code=code)
    else:
        log.warning("object store is away", dependency=AWAY, error=type(error).__name__)
    raise DependencyAway(AWAY) from error
