"""What lines hash to: the same however they are ordered and cut, another for every difference."""

import random

import pytest

from bookbag.chassis.backup import BackupRefused
from bookbag.chassis.backup.depot import FolderDepot
from bookbag.chassis.backup.lines import Digest, packing, unpacking
from bookbag.chassis.backup.manifest import Hash
from bookbag.chassis.backup.session import Catalogue

pytestmark = pytest.mark.req("OPS-5")

LINES = [f"{number}\tsome words {number % 7}\\n\n".encode() for number in range(500)]


def hashed(lines: list[bytes], cut: int = 1000) -> Hash:
    digest, text = Digest(), b"".join(lines)
    for start in range(0, len(text), cut):
        digest.feed(text[start : start + cut])
    return digest.result()


@pytest.mark.parametrize("cut", [1, 7, 64, 100_000])
def test_neither_order_nor_cuts_count(cut: int) -> None:
    shuffled = LINES.copy()
    random.Random(4).shuffle(shuffled)
    assert hashed(shuffled, cut) == hashed(LINES)
    assert hashed(LINES).rows == len(LINES)


@pytest.mark.parametrize(
    "other",
    [LINES[1:], [*LINES, LINES[0]], [b"x", *LINES], [*LINES, b"\n"], [*LINES, b"cut off"], [*LINES[1:], LINES[1]], []],
)
def test_every_difference_does(other: list[bytes]) -> None:
    assert hashed(other) != hashed(LINES)


async def test_lines_are_packed_and_come_back(tmp_path) -> None:
    place = FolderDepot(tmp_path)
    async with packing(place, "lines.gz") as packed:
        for line in LINES:
            await packed.write(line)
    wanted = packed.digest.result()
    assert b"".join([piece async for piece in unpacking(place, "lines.gz", wanted)]) == b"".join(LINES)
    assert (tmp_path / "lines.gz").stat().st_size < len(b"".join(LINES)) / 3
    with pytest.raises(BackupRefused, match="is not what was put down"):
        _ = [piece async for piece in unpacking(place, "lines.gz", Hash(rows=500, digest="0" * 64))]


def test_tables_come_after_those_they_point_to() -> None:
    def catalogue(**references: frozenset[str]) -> Catalogue:
        return Catalogue(
            tables={}, sequences=[], own_sequences=[], numbered={}, forced=[], triggered=[], references=references
        )

    tree = catalogue(a=frozenset({"b", "a"}), b=frozenset({"c"}), c=frozenset())
    assert tree.in_order() == ["c", "b", "a"]
    with pytest.raises(LookupError, match="in a circle: a, b"):
        catalogue(a=frozenset({"b"}), b=frozenset({"a"})).in_order()
