"""Objects in a folder of one machine: each is one file, written beside, forced to disk and only then given its name.

The first line of a file says the type; the bytes follow. Signed URLs of such a store are answered by `objects_route`, in the API process
of that machine; they are signed with a key that lies in the folder and never leaves it.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias, TypeVar, final
from urllib.parse import urlencode
from uuid import UUID

from bookbag.chassis.clock import Clock
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
    _Beside: TypeAlias = tempfile._TemporaryFileWrapper[bytes]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

T = TypeVar("T")

ROUTE: Final = "/objects"
_MARK: Final = "="
"""Before the last part of a name: no part begins so, hence `a` and `a/b` can both be objects."""

_TYPE_LIMIT: Final = 200
_LEFT_OVER_SECONDS: Final = 24 * 3600
"""Age at which a file that was never finished belongs to nobody."""


@final
class DiskStore:
    """See `objects.ObjectStore`. Several processes may use one folder."""

    def __init__(self, folder: Path, public_url: str, clock: Clock) -> None:
        self._folder = folder
        self._beside = folder / ".beside"
        self._public_url = public_url
        self._clock = clock
        self._secret: bytes | None = None

    async def put(self, key: Key, content: bytes, content_type: str) -> None:
        await _in_thread(lambda: self._keep(key, content, checked_type(content_type), absent=False))

    async def put_if_absent(self, key: Key, content: bytes, content_type: str) -> bool:
        return await _in_thread(lambda: self._keep(key, content, checked_type(content_type), absent=True))

    async def put_stream(self, key: Key, pieces: AsyncIterable[bytes], content_type: str) -> int:
        kind, size = checked_type(content_type), 0
        file = await _in_thread(lambda: self._open_beside(kind))
        try:
            async for piece in pieces:
                await _in_thread(lambda piece=piece: file.write(piece))
                size += len(piece)
            await _in_thread(lambda: self._name(file, key, absent=False))
        finally:
            _put_away(file)
        return size

    async def get(self, key: Key, *, first: int = 0, last: int | None = None) -> bytes:
        def read() -> bytes:
            with self._open(key) as file:
                count = _count(file, first, last)
                if count > HOLD_LIMIT:
                    raise TooLargeToHold
                return file.read(count)

        return await _in_thread(read)

    async def stream(self, key: Key, *, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes]:
        file = await _in_thread(lambda: self._open(key))
        try:
            left = _count(file, first, last)
            while left and (piece := await _in_thread(lambda left=left: file.read(min(PIECE, left)))):
                left -= len(piece)
                yield piece
        finally:
            file.close()

    async def head(self, key: Key) -> Head:
        def look() -> Head:
            with self._path(key).open("rb") as file:
                kind = file.readline(_TYPE_LIMIT)
                stat = os.fstat(file.fileno())
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                return Head(stat.st_size - len(kind), kind.decode().strip(), modified)

        return await _in_thread(look)

    async def delete(self, key: Key) -> None:
        await _in_thread(lambda: self._path(key).unlink(missing_ok=True))

    async def list(self, school: UUID, prefix: str = "", *, limit: int = PAGE_LIMIT, after: str | None = None) -> Page:
        checked_prefix(prefix)
        count = checked_limit(limit)
        if after is not None:
            Key(school, after)  # raises BadName: a place to go on from is a name we gave

        def look() -> Page:
            names = (name for name in _names(self._folder / str(school), prefix, "") if after is None or name > after)
            some = list(islice(names, count + 1))
            items = [kept for name in some[:count] if (kept := self._kept(Key(school, name))) is not None]
            return Page(items, some[count - 1] if len(some) > count else None)

        return await _in_thread(look)

    def upload_url(self, key: Key, *, length: int, content_type: str, life: timedelta) -> Upload:
        exactly = {"length": str(checked_length(length)), "type": checked_type(content_type)}
        return Upload(
            self._signed("PUT", key, life, exactly), {"content-type": content_type, "content-length": str(length)}
        )

    def download_url(self, key: Key, *, life: timedelta) -> str:
        return self._signed("GET", key, life, {})

    def holds(self, method: str, key: Key, said: dict[str, str], signature: str) -> bool:
        """Whether we signed this and it has not run out. `said` is the query without the signature."""
        if not hmac.compare_digest(self._sign(method, key, said).encode(), signature.encode()):
            return False
        return said.get("expires", "").isdigit() and self._now() < int(said["expires"])

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def ready(self) -> None:
        await _in_thread(lambda: self._beside.mkdir(mode=0o700, parents=True, exist_ok=True))

    async def close(self) -> None:
        """Nothing is held open."""

    def _path(self, key: Key) -> Path:
        *folders, last = key.name.split("/")
        return self._folder.joinpath(str(key.school), *folders, _MARK + last)

    def _open(self, key: Key) -> BinaryIO:
        """The file of an object, at its first byte."""
        file = self._path(key).open("rb")
        file.readline(_TYPE_LIMIT)
        return file

    def _kept(self, key: Key) -> Kept | None:
        with suppress(FileNotFoundError), self._path(key).open("rb") as file:
            stat, kind = os.fstat(file.fileno()), file.readline(_TYPE_LIMIT)
            return Kept(key, stat.st_size - len(kind), datetime.fromtimestamp(stat.st_mtime, UTC))
        return None  # removed since it was listed

    def _open_beside(self, content_type: str) -> "_Beside":
        self._beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._beside.iterdir():
            with suppress(FileNotFoundError):
                if self._now() - left.stat().st_mtime > _LEFT_OVER_SECONDS:
                    left.unlink()
        file = tempfile.NamedTemporaryFile(dir=self._beside, delete=False)  # noqa: SIM115 - whoever asked closes it
        file.write(f"{content_type}\n".encode())
        return file

    def _keep(self, key: Key, content: bytes, content_type: str, *, absent: bool) -> bool:
        file = self._open_beside(content_type)
        try:
            file.write(content)
            return self._name(file, key, absent=absent)
        finally:
            _put_away(file)

    def _name(self, file: "_Beside", key: Key, *, absent: bool) -> bool:
        """Force a file to disk and give it the name of its key, whole or not at all. False when the name must be free and is not."""
        file.flush()
        os.fsync(file.fileno())
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if absent:
            try:
                os.link(file.name, path)
            except FileExistsError:
                return False
        else:
            Path(file.name).replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return True

    def _signed(self, method: str, key: Key, life: timedelta, more: dict[str, str]) -> str:
        said = {"expires": str(int(self._now()) + checked_life(life)), **more}
        query = urlencode({**said, "signature": self._sign(method, key, said)})
        return f"{self._public_url}{ROUTE}/{key}?{query}"

    def _sign(self, method: str, key: Key, said: dict[str, str]) -> str:
        spoken = "\n".join([method, str(key), *(f"{name}={said[name]}" for name in sorted(said))])
        return hmac.new(self._key(), spoken.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        """The folder's key, made by whichever process asks first."""
        if self._secret is None:
            path = self._folder / ".key"
            if not path.exists():
                self._beside.mkdir(mode=0o700, parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=self._beside) as fresh:  # for the owner's eyes only
                    fresh.write(secrets.token_bytes(32))
                    fresh.flush()
                    os.fsync(fresh.fileno())
                    with suppress(FileExistsError):
                        os.link(fresh.name, path)
            self._secret = path.read_bytes()
        return self._secret


def _put_away(file: "_Beside") -> None:
    """Close a file and remove its first name, under which it is left when it was not given another."""
    file.close()
    Path(file.name).unlink(missing_ok=True)


def _count(file: BinaryIO, first: int, last: int | None) -> int:
    """Go to byte `first` of an opened object and tell how many are wanted."""
    begin = file.tell()
    size = os.fstat(file.fileno()).st_size - begin
    if first and first >= size:
        file.close()
        raise OutsideObject
    file.seek(begin + first)
    return (size if last is None else min(last + 1, size)) - first


def _names(folder: Path, prefix: str, within: str) -> Iterator[str]:
    """The names below a folder that begin with `prefix`, in order of their bytes, whatever the file system's order is."""
    try:
        entries = {
            within + (entry.name[1:] if entry.name.startswith(_MARK) else f"{entry.name}/"): entry.path
            for entry in os.scandir(folder)
        }
    except FileNotFoundError:
        return
    for name in sorted(entries):
        if name.endswith("/"):
            if name.startswith(prefix) or prefix.startswith(name):
                yield from _names(Path(entries[name]), prefix, name)
        elif name.startswith(prefix):
            yield name


async def _in_thread(work: Callable[[], T]) -> T:
    """Do what waits for the disk. A full disk, a lost mount or a missing right make the store away."""
    try:
        return await asyncio.to_thread(work)
    except FileNotFoundError:
        raise NoSuchObject from None
    except OSError as error:
        raise DependencyAway("object store") from error
