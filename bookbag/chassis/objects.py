"""The port to where files are kept, for all that is too large or too lasting for a row: pictures, exports, anchors.

Two implementations keep one contract: S3 (`objects_s3`) and a folder of one machine (`objects_disk`). A key always begins with the
school, so a school's files can be listed, moved and erased as one. Large files never pass through a service: a client puts and gets
them by signed URLs that hold for one key and a short time, and an upload also for one exact length and type.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from bookbag.chassis.clock import Clock
    from bookbag.chassis.settings import Platform

HOLD_LIMIT = 32 * 1024 * 1024
"""Bytes that `get` gives at once; what is larger is streamed."""

UPLOAD_LIMIT = 5 * 1024**3
"""Bytes that S3 takes in one request."""

LIFE_LIMIT = timedelta(hours=1)
"""No signed URL holds longer."""

PAGE_LIMIT = 1000
PIECE = 256 * 1024
"""Bytes of one piece of a stream."""

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
_NAME = re.compile(rf"{_PART}(/{_PART}){{0,9}}")
_PREFIX = re.compile(rf"({_PART}/){{0,9}}({_PART})?")
_TYPE = re.compile(r"[a-z0-9]{1,30}/[a-z0-9][a-z0-9.+-]{0,90}")


class BadName(ValueError):
    """Not a name that an object can have."""


class NoSuchObject(Exception):
    """There is nothing under this key."""


class OutsideObject(Exception):
    """The range that was asked for lies behind the object's end."""


class TooLargeToHold(Exception):
    """The object is larger than `HOLD_LIMIT`: stream it."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where an object is: its school, and a name of up to ten parts between slashes, each of letters, digits, `.`, `_` and `-` and not
    beginning with a dot. Raises BadName for anything else, so no name reaches outside its school."""

    school: UUID
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadName(
                "an object's name has up to ten parts of letters, digits, . _ - and no part begins with a dot"
            )

    def __str__(self) -> str:
        return f"{self.school}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """The key that `str` gave. Raises BadName."""
        school, _, name = text.partition("/")
        try:
            key = cls(UUID(school), name)
        except ValueError:
            raise BadName("not a key of ours") from None
        if str(key) != text:
            raise BadName("not a key of ours")
        return key


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an object without reading it."""

    key: Key
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of one object, with the type it was put under."""

    size: int
    content_type: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects and where to go on; `next` is None at the end. The order is the store's own."""

    items: Sequence[Kept]
    next: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """How a client puts one object: this method to this address with exactly these headers, and as many bytes as was said."""

    url: str
    headers: Mapping[str, str]
    method: str = "PUT"


class ObjectStore(Protocol):
    """Keeps objects. Each call ends within seconds: whatever is wrong with the store becomes `DependencyAway("object store")`.

    An object is there whole or not at all, and durable when a call that puts it returns.
    """

    async def put(self, key: Key, content: bytes, content_type: str) -> None:
        """Put an object, or replace the one that is there."""
        ...

    async def put_stream(self, key: Key, pieces: AsyncIterable[bytes], content_type: str) -> int:
        """Put an object of any length. When `pieces` raises, nothing was put. Gives its size."""
        ...

    async def put_if_absent(self, key: Key, content: bytes, content_type: str) -> bool:
        """Put an object unless there is one, which is never touched. False when there is; among many at once one gets True."""
        ...

    async def get(self, key: Key, *, first: int = 0, last: int | None = None) -> bytes:
        """An object, or its bytes from `first` to `last`, both counted from 0 and included. Raises NoSuchObject, OutsideObject when
        it ends before `first`, TooLargeToHold."""
        ...

    def stream(self, key: Key, *, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes]:
        """As `get`, in pieces, of any length. Close it when you stop early."""
        ...

    async def head(self, key: Key) -> Head:
        """What is known of an object. Raises NoSuchObject."""
        ...

    async def delete(self, key: Key) -> None:
        """Remove an object; harmless when there is none."""
        ...

    async def list(self, school: UUID, prefix: str = "", *, limit: int = PAGE_LIMIT, after: str | None = None) -> Page:
        """Objects of a school whose names begin with `prefix`, at most `limit` (up to 1,000) at a time. Raises BadName."""
        ...

    def upload_url(self, key: Key, *, length: int, content_type: str, life: timedelta) -> Upload:
        """Leave to put an object of exactly this length and type, for a client that has no other right."""
        ...

    def download_url(self, key: Key, *, life: timedelta) -> str:
        """Leave to get an object, for as long as the address holds."""
        ...

    async def ready(self) -> None:
        """Raise DependencyAway unless objects can be listed."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DiskPlace:
    """A folder of this machine."""

    folder: Path


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket. Without an endpoint it is Amazon's own of the region."""

    bucket: str
    endpoint: str | None
    region: str
    path_style: bool


def place_of(url: str) -> DiskPlace | S3Place:
    """Read `file:///folder` or `s3://bucket?endpoint=…&region=…&path_style=true`. Raises ValueError that says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if parts.netloc or parts.query or not folder.is_absolute():
            raise ValueError("an object store on disk is file:/// and the whole path of a folder")
        return DiskPlace(folder)
    if parts.scheme != "s3" or not parts.netloc or parts.path not in ("", "/"):
        raise ValueError("an object store is file:///folder or s3://bucket?endpoint=…&region=…&path_style=true")
    if "@" in parts.netloc:
        raise ValueError("the keys of an object store are settings of their own, not part of its address")
    options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    unknown = options.keys() - {"endpoint", "region", "path_style"}
    if unknown:
        raise ValueError(f"an object store has no option {', '.join(sorted(unknown))}")
    endpoint = options.get("endpoint") or None
    if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValueError("the endpoint of an object store begins with https:// or http://")
    if options.get("path_style", "false") not in ("true", "false"):
        raise ValueError("path_style of an object store is true or false")
    return S3Place(parts.netloc, endpoint, options.get("region", "us-east-1"), options.get("path_style") == "true")


def opened(platform: Platform, clock: Clock) -> ObjectStore:
    """The object store of an installation. Connects to nothing yet. Raises LookupError when it has none."""
    if not platform.object_store:
        raise LookupError("set BOOKBAG_OBJECT_STORE: files are kept there")
    place = place_of(platform.object_store)
    if isinstance(place, DiskPlace):
        from bookbag.chassis.objects_disk import DiskStore

        return DiskStore(place.folder, platform.public_url, clock)
    from bookbag.chassis.objects_s3 import S3Store  # its library is large: only who keeps objects there pays for it

    access, secret = platform.object_store_access_key, platform.object_store_secret_key
    keys = (access.get_secret_value(), secret.get_secret_value()) if access and secret else None
    return S3Store(place, keys)


def checked_prefix(prefix: str) -> str:
    """A prefix of names. Raises BadName."""
    if not _PREFIX.fullmatch(prefix):
        raise BadName("a prefix is the beginning of an object's name")
    return prefix


def checked_type(content_type: str) -> str:
    """A type as `image/png`, without parameters. Raises ValueError."""
    if not _TYPE.fullmatch(content_type):
        raise ValueError("a content type is written like image/png, in small letters and without parameters")
    return content_type


def checked_length(length: int) -> int:
    """The length of an upload. Raises ValueError."""
    if not 0 <= length <= UPLOAD_LIMIT:
        raise ValueError(f"an upload has at most {UPLOAD_LIMIT} bytes")
    return length


def checked_life(life: timedelta) -> int:
    """How long a signed URL holds, in whole seconds. Raises ValueError."""
    if not timedelta(seconds=1) <= life <= LIFE_LIMIT:
        raise ValueError("a signed URL holds from one second to one hour")
    return int(life.total_seconds())


def checked_limit(limit: int) -> int:
    """The size of a page. Raises ValueError."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise ValueError(f"a page has 1 to {PAGE_LIMIT} objects")
    return limit
