"""Where backups lie: a folder, or a bucket that S3 serves. A file is there whole or not at all, and nothing is ever written twice.

Streams are cut into parts and never gathered whole, neither in memory nor on this machine's disk.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar, final
from urllib.parse import unquote, urlsplit

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.objects import S3Place, place_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

T = TypeVar("T")

PIECE = 256 * 1024
PART = 16 * 1024 * 1024
"""Bytes of one part of an upload; S3 takes ten thousand of them."""


class _Ask(Protocol):
    async def __call__(self, question: Callable[[], T], /) -> T: ...


class Writer(Protocol):
    """Takes the bytes of one file in order."""

    async def write(self, piece: bytes) -> None: ...


class Depot(Protocol):
    """One backup's place. Raises BackupRefused in words whatever is wrong with it."""

    @property
    def said(self) -> str:
        """How people write where it is."""
        ...

    def writing(self, name: str) -> AbstractAsyncContextManager[Writer]:
        """A block that writes a file; it is there when the block has ended well."""
        ...

    def reading(self, name: str) -> AsyncGenerator[bytes]:
        """The bytes of a file in pieces. Raises FileNotFoundError."""
        ...

    async def inside(self) -> list[str]:
        """Names of the folders right inside."""
        ...

    async def has(self, name: str) -> bool: ...

    def at(self, name: str) -> Depot:
        """A place inside this one."""
        ...


def depot_of(where: str, keys: tuple[str, str] | None) -> Depot:
    """Read `/folder`, `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…&path_style=true`. Raises BackupRefused."""
    if "://" not in where:
        return FolderDepot(Path(where).expanduser().resolve())
    parts = urlsplit(where)
    try:
        if parts.scheme == "file":
            place_of(where)
            return FolderDepot(Path(unquote(parts.path)))
        query = f"?{parts.query}" if parts.query else ""
        place = place_of(f"{parts.scheme}://{parts.netloc}{query}")
    except ValueError as error:
        raise BackupRefused(
            f"{where} is no place for backups ({error}): give a folder or s3://bucket/prefix?endpoint=…&region=…"
        ) from error
    assert isinstance(place, S3Place)
    return S3Depot(place, unquote(parts.path).strip("/"), keys)


@final
class FolderDepot:
    """See `Depot`. For this user's eyes only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def said(self) -> str:
        return str(self._folder)

    def at(self, name: str) -> FolderDepot:
        return FolderDepot(self._folder / name)

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncGenerator[_FileWriter]:
        path = self._folder / name
        beside = path.with_name(f".{path.name}.part")
        with _in_words(self.said):
            for folder in (self._folder, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        try:
            yield _FileWriter(file, self.said)
            with _in_words(self.said):
                file.flush()
                os.fsync(file.fileno())
                beside.rename(path)
                _force(path.parent)
        finally:
            file.close()
            beside.unlink(missing_ok=True)

    async def reading(self, name: str) -> AsyncGenerator[bytes]:
        with (self._folder / name).open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    async def inside(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(entry.name for entry in self._folder.iterdir() if entry.is_dir())

    async def has(self, name: str) -> bool:
        return (self._folder / name).is_file()


class _FileWriter:
    def __init__(self, file: BinaryIO, said: str) -> None:
        self._file = file
        self._said = said

    async def write(self, piece: bytes) -> None:
        with _in_words(self._said):
            await asyncio.to_thread(self._file.write, piece)


@contextmanager
def _in_words(said: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise BackupRefused(f"{said} cannot be written: {error.strerror or type(error).__name__}.") from error


def _force(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@final
class S3Depot:
    """See `Depot`."""

    def __init__(
        self, place: S3Place, prefix: str, keys: tuple[str, str] | None, client: S3Client | None = None
    ) -> None:
        from bookbag.chassis.objects_s3 import (
            client_of,  # its library is large: only who keeps backups there pays for it
        )

        self._place = place
        self._prefix = prefix
        self._keys = keys
        self._client = client or client_of(place, keys, attempts=4)

    @property
    def said(self) -> str:
        return f"s3://{self._place.bucket}/{self._prefix}".rstrip("/")

    def at(self, name: str) -> S3Depot:
        return S3Depot(self._place, self._key(name), self._keys, self._client)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    async def _ask(self, question: Callable[[], T]) -> T:
        """Put a question in a thread. Each ends by the client's own time limits."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.to_thread(question)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("NoSuchKey", "404", "NotFound"):
                raise FileNotFoundError(self.said) from error
            raise BackupRefused(
                f"{self.said} refuses ({code}): see that the bucket is there and that our keys may use it."
            ) from error
        except (BotoCoreError, OSError) as error:
            raise BackupRefused(
                f"{self.said} does not answer ({type(error).__name__}): see that its address is right."
            ) from error

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncGenerator[_PartWriter]:
        writer = _PartWriter(self._client, self._ask, self._place.bucket, self._key(name))
        try:
            yield writer
            await writer.end()
        except BaseException:
            await writer.abandon()
            raise

    async def reading(self, name: str) -> AsyncGenerator[bytes]:
        bucket, key = self._place.bucket, self._key(name)
        body = (await self._ask(lambda: self._client.get_object(Bucket=bucket, Key=key)))["Body"]
        try:
            while piece := await self._ask(lambda: body.read(PIECE)):
                yield piece
        finally:
            body.close()

    async def inside(self) -> list[str]:
        prefix = f"{self._prefix}/" if self._prefix else ""

        def look() -> list[str]:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._place.bucket, Prefix=prefix, Delimiter="/"
            )
            found = [one.get("Prefix", "") for page in pages for one in page.get("CommonPrefixes", [])]
            return sorted(one.removeprefix(prefix).rstrip("/") for one in found)

        return await self._ask(look)

    async def has(self, name: str) -> bool:
        try:
            await self._ask(lambda: self._client.head_object(Bucket=self._place.bucket, Key=self._key(name)))
        except FileNotFoundError:
            return False
        return True


class _PartWriter:
    """Gathers bytes until a part is full. What fits into one part is put as it is; only longer files are sent in parts."""

    def __init__(self, client: S3Client, ask: _Ask, bucket: str, key: str) -> None:
        self._client = client
        self._ask = ask
        self._bucket = bucket
        self._key = key
        self._waiting = bytearray()
        self._upload: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    async def write(self, piece: bytes) -> None:
        self._waiting += piece
        while len(self._waiting) > PART:
            part = bytes(self._waiting[:PART])
            del self._waiting[:PART]
            await self._send(part)

    async def end(self) -> None:
        """Send what is left; from now on the file is there."""
        rest, bucket, key = bytes(self._waiting), self._bucket, self._key
        if self._upload is None:
            await self._ask(lambda: self._client.put_object(Bucket=bucket, Key=key, Body=rest))
            return
        await self._send(rest)
        upload = self._upload
        await self._ask(
            lambda: self._client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": self._parts}
            )
        )

    async def abandon(self) -> None:
        """Let the store forget the parts, as far as it can be reached."""
        upload, bucket, key = self._upload, self._bucket, self._key
        if upload is not None:
            with suppress(BackupRefused, FileNotFoundError):
                await self._ask(lambda: self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload))

    async def _send(self, part: bytes) -> None:
        bucket, key, number = self._bucket, self._key, len(self._parts) + 1
        if self._upload is None:
            begun = await self._ask(lambda: self._client.create_multipart_upload(Bucket=bucket, Key=key))
            self._upload = begun["UploadId"]
        upload = self._upload
        sent = await self._ask(
            lambda: self._client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)
        )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
