"""The files of a backup: each under a number, and an index that says which key it had.

Anchors of the record that are newer than the rows stay behind: they speak of entries that the backup does not have, and the chain that goes
on after a restore would meet them as forgeries of itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.audit.anchors import entry_of
from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import Depot
from bookbag.chassis.backup.lines import packing, unpacking
from bookbag.chassis.backup.manifest import INDEX, Hash, file_of_number
from bookbag.chassis.objects import BadName, Kept, Key, NoSuchObject, ObjectStore


@dataclass(frozen=True, slots=True)
class _Line:
    """One file of the index."""

    number: int
    key: Key
    size: int
    content_type: str
    sha256: str

    def text(self) -> bytes:
        said = {
            "number": self.number,
            "key": str(self.key),
            "size": self.size,
            "type": self.content_type,
            "sha256": self.sha256,
        }
        return json.dumps(said).encode() + b"\n"

    @classmethod
    def read(cls, text: bytes) -> _Line:
        """Raises BackupRefused."""
        try:
            said = json.loads(text)
            return cls(
                int(said["number"]), Key.parse(said["key"]), int(said["size"]), str(said["type"]), str(said["sha256"])
            )
        except (ValueError, KeyError, TypeError, BadName) as error:
            raise BackupRefused("The index of files cannot be read: take another backup.") from error


async def put_down(
    objects: ObjectStore, depot: Depot, schools: Collection[UUID], heads: Mapping[tuple[str, UUID], int]
) -> tuple[Hash, int]:
    """Copy the files of these schools. Gives the hash of the index and how many bytes they have. Raises DependencyAway."""
    number, size = 0, 0
    async with packing(depot, INDEX) as index:
        for school in sorted(schools):
            async for kept in _all(objects, school):
                if not _is_newer(kept.key, heads):
                    line = await _copy(objects, depot, kept.key, number)
                    if line is not None:
                        await index.write(line.text())
                        number, size = number + 1, size + line.size
    return index.digest.result(), size


async def put_back(objects: ObjectStore, depot: Depot, wanted: Hash) -> None:
    """Put every file under its key again. Safe to repeat. Raises BackupRefused, DependencyAway."""
    async for line in _index(depot, wanted):
        try:
            await objects.put_stream(line.key, _sound(depot, line), line.content_type)
        except FileNotFoundError as error:
            raise BackupRefused(
                f"{file_of_number(line.number)} is missing in {depot.said}: take another backup."
            ) from error


async def _sound(depot: Depot, line: _Line) -> AsyncGenerator[bytes]:
    """The bytes of a file. Raises BackupRefused at the end when they are not those that were put down: then nothing is put back."""
    read = hashlib.sha256()
    async for piece in depot.reading(file_of_number(line.number)):
        read.update(piece)
        yield piece
    if read.hexdigest() != line.sha256:
        raise BackupRefused(f"{file_of_number(line.number)} in {depot.said} is damaged: take another backup.")


async def foreign(objects: ObjectStore, depot: Depot, wanted: Hash, *, only: UUID | None = None) -> Key | None:
    """A file that lies where this backup's files go and is none of them; None when there is none. Raises BackupRefused, also when the
    backup should have files of `only` one school and has others."""
    known: dict[UUID, set[str]] = {only: set()} if only is not None else {}
    async for line in _index(depot, wanted):
        if only is not None and line.key.school != only:
            raise BackupRefused(f"{INDEX} in {depot.said} names files of another school: take another backup.")
        known.setdefault(line.key.school, set()).add(line.key.name)
    for school, names in known.items():
        async for kept in _all(objects, school):
            if kept.key.name not in names:
                return kept.key
    return None


async def _index(depot: Depot, wanted: Hash) -> AsyncGenerator[_Line]:
    begun = b""
    async for piece in unpacking(depot, INDEX, wanted):
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            yield _Line.read(line)


async def _all(objects: ObjectStore, school: UUID) -> AsyncGenerator[Kept]:
    after: str | None = None
    while True:
        page = await objects.list(school, after=after)
        for kept in page.items:
            yield kept
        if page.next is None:
            return
        after = page.next


def _is_newer(key: Key, heads: Mapping[tuple[str, UUID], int]) -> bool:
    anchor = entry_of(key)
    return anchor is not None and anchor[1] > heads.get((anchor[0], key.school), 0)


async def _copy(objects: ObjectStore, depot: Depot, key: Key, number: int) -> _Line | None:
    """One file; None when it was removed meanwhile, in which case its number is given again."""
    read, size = hashlib.sha256(), 0
    try:
        head = await objects.head(key)
        async with depot.writing(file_of_number(number)) as writer:
            async for piece in objects.stream(key):
                read.update(piece)
                size += len(piece)
                await writer.write(piece)
    except NoSuchObject:
        return None
    return _Line(number, key, size, head.content_type, read.hexdigest())
