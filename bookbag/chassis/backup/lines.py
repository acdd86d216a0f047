"""Lines of text in and out of a depot: packed, counted and hashed on the way.

COPY writes a row as one line of text, whatever is in it, and so does the index of files. The hash does not depend on their order, because
a database owes us none.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import Depot, Writer
from bookbag.chassis.backup.manifest import Hash

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


class Digest:
    """The sum of the SHA-256 of each line, modulo 2^256. Finds what was lost, doubled or damaged; it is no signature."""

    def __init__(self) -> None:
        self._sum = 0
        self._rows = 0
        self._begun = b""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes, wherever they are cut."""
        *lines, self._begun = (self._begun + piece).split(b"\n")
        for line in lines:
            self._sum += int.from_bytes(hashlib.sha256(line).digest())
        self._rows += len(lines)

    def result(self) -> Hash:
        """What was fed; a line that never ended makes it differ from every other."""
        cut = f" cut after {len(self._begun)} bytes" if self._begun else ""
        return Hash(rows=self._rows, digest=f"{self._sum % 2**256:064x}{cut}")


class Packed:
    """Takes lines, hashes them, and writes them packed."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self.digest = Digest()

    async def write(self, piece: bytes) -> None:
        self.digest.feed(piece)
        if packed := self._packer.compress(piece):
            await self._writer.write(packed)

    async def end(self) -> None:
        await self._writer.write(self._packer.flush())


@asynccontextmanager
async def packing(depot: Depot, name: str) -> AsyncGenerator[Packed]:
    """A block that writes lines into a file of a depot."""
    async with depot.writing(name) as writer:
        packed = Packed(writer)
        yield packed
        await packed.end()


async def unpacking(depot: Depot, name: str, wanted: Hash) -> AsyncGenerator[bytes]:
    """The lines of a file in pieces, cut anywhere. Raises BackupRefused at the end when they are not those that were put down, so
    believe nothing before it has ended."""
    unpacker, digest = zlib.decompressobj(_GZIP), Digest()
    try:
        async for packed in depot.reading(name):
            if piece := unpacker.decompress(packed):
                digest.feed(piece)
                yield piece
    except FileNotFoundError as error:
        raise BackupRefused(f"{name} is missing in {depot.said}: take another backup.") from error
    except zlib.error as error:
        raise BackupRefused(f"{name} in {depot.said} is damaged: take another backup.") from error
    if not unpacker.eof or unpacker.unused_data or digest.result() != wanted:
        raise BackupRefused(f"{name} in {depot.said} is not what was put down: take another backup.")
