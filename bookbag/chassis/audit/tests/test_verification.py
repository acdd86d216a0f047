"""Whoever changes, removes, moves or puts in a row of the record is found out, even with every right over the database."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bookbag.chassis import audit
from bookbag.chassis.audit.anchors import AnchorKeys, AnchorSigner, NotAnchored, anchor_heads, numbers, place_of
from bookbag.chassis.audit.chain import Entry, hash_of
from bookbag.chassis.audit.reading import standing
from bookbag.chassis.audit.tests.test_writing import TOY
from bookbag.chassis.audit.verification import Verdict, Verification
from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.local.keys import ensure_keys
from tests.support.house import House

pytestmark = pytest.mark.req("PRV-4")

STRANGE = 'quote " backslash \\ newline \n tab \t bell \x07 delete \x7f ünï 家 🎒 \u2028'


@dataclass
class Record:
    """The record of one school in the toy service, and a person with every right over its database."""

    house: House
    runtime: Runtime
    superuser: asyncpg.Connection
    school: UUID
    clock: MovableClock

    async def grow(self, entries: int = 1, *, reason: str = "because") -> None:
        for _ in range(entries):
            self.clock.move(timedelta(seconds=1))
            async with self.runtime.database.tenant(self.school) as tx:
                await audit.append(
                    tx, by=uuid4(), role="owner", act="toy-wound", kind="toy", about=uuid4(), reason=reason
                )

    async def anchor(self) -> None:
        await anchor_heads(self.runtime)

    async def verdict(self) -> Verdict:
        keys = AnchorKeys.read(self.house.keys.audit_keys)
        return await Verification("toy", self.runtime.record, self.runtime.objects, keys).judge(self.school)

    async def run(self, sql: str) -> None:
        await self.superuser.execute(sql.replace("$school", f"'{self.school}'"))

    async def rechain(self, first: int) -> None:
        """Make all hashes fit again from an entry on, as somebody would who knows how they are made."""
        rows = await self.superuser.fetch("select * from audit_entry where school_id = $1 order by seq", self.school)
        last = rows[first - 2]["hash"] if first > 1 else b""
        for row in rows[first - 1 :]:
            entry = Entry(*(last if name == "previous_hash" else row[name] for name in row.keys()))  # noqa: SIM118
            last = hash_of(entry)
            await self.superuser.execute(
                "update audit_entry set previous_hash = $3, hash = $4 where school_id = $1 and seq = $2",
                self.school, row["seq"], entry.previous, last,
            )  # fmt: skip
        await self.superuser.execute(
            "update audit_head set seq = $2, hash = $3 where school_id = $1", self.school, len(rows), last
        )


@pytest.fixture
async def record(house: House, servers) -> AsyncIterator[Record]:
    clock = MovableClock(datetime(2026, 11, 25, 8, 0, 0, 123456, UTC))
    superuser = await asyncpg.connect(servers.postgres.url(house.databases.databases["toy"]))
    async with house.runtime(TOY, clock=clock) as runtime:
        yield Record(house, runtime, superuser, uuid4(), clock)
    await superuser.close()


@asynccontextmanager
async def _anchored(record: Record, entries: int = 6) -> AsyncIterator[None]:
    await record.grow(entries)
    await record.anchor()
    assert await record.verdict() == Verdict(entries, entries, record.clock.now(), None)
    yield


async def test_a_record_as_it_was_written_is_whole_up_to_its_anchor(record: Record) -> None:
    async with _anchored(record):
        await record.grow(2)
    verdict = await record.verdict()
    assert (verdict.entries, verdict.anchored, verdict.fault) == (8, 6, None)


async def test_a_record_too_fresh_for_an_anchor_says_so(record: Record) -> None:
    await record.grow(2)
    assert await record.verdict() == Verdict(2, 0, None, None)


async def test_a_school_without_a_record_is_whole(record: Record) -> None:
    assert await record.verdict() == Verdict(0, 0, None, None)


async def test_the_hash_is_made_alike_by_database_and_verification_whatever_is_written(record: Record) -> None:
    await record.grow(reason=STRANGE)
    await record.grow(reason="")
    async with record.runtime.database.tenant(record.school) as tx:
        await audit.append(tx, by=None, role="operator", act="toy-wound", kind="toy", about=None)
    assert (await record.verdict()).fault is None


_FIELDS = {
    "reason": "reason = 'something else'",
    "act": "act = 'toy-dropped'",
    "role": "role = 'nobody'",
    "actor": "actor_id = null",
    "object": "object_id = gen_random_uuid()",
    "kind of object": "object_kind = 'ball'",
    "time by a microsecond": "at = at + interval '1 microsecond'",
    "one byte of its hash": "hash = set_byte(hash, 7, get_byte(hash, 7) # 1)",
}


@pytest.mark.parametrize("what", _FIELDS)
async def test_a_changed_row_is_found(record: Record, what: str) -> None:
    async with _anchored(record):
        await record.run(f"update audit_entry set {_FIELDS[what]} where school_id = $school and seq = 3")
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (3, "was changed: its hash does not fit what it says")


async def test_a_row_whose_hash_was_made_to_fit_breaks_the_next(record: Record) -> None:
    async with _anchored(record):
        await record.run("update audit_entry set reason = 'other' where school_id = $school and seq = 3")
        row = await record.superuser.fetchrow(
            "select * from audit_entry where school_id = $1 and seq = 3", record.school
        )
        fitting = hash_of(Entry(*row))
        await record.superuser.execute(
            "update audit_entry set hash = $2 where school_id = $1 and seq = 3", record.school, fitting
        )
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what.partition(":")[0]) == (4, "does not follow the entry before it")


@pytest.mark.parametrize("seq", [1, 3, 5])
async def test_a_removed_row_is_found(record: Record, seq: int) -> None:
    async with _anchored(record):
        await record.run(f"delete from audit_entry where school_id = $school and seq = {seq}")
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (seq, f"is missing; the next there is has number {seq + 1}")


async def test_a_tail_cut_off_is_found_by_the_head(record: Record) -> None:
    await record.grow(6)
    await record.run("delete from audit_entry where school_id = $school and seq > 4")
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (5, "is missing; the head of the chain stands at 6")


_TO_FOUR = """
    update audit_head h set seq = 4, hash = e.hash from audit_entry e
    where e.school_id = $school and e.seq = 4 and h.school_id = $school
"""
_CUTS = {"tail": (4, _TO_FOUR), "whole record": (0, "delete from audit_head where school_id = $school")}


@pytest.mark.parametrize("what", _CUTS)
@pytest.mark.parametrize("noted", [True, False])
async def test_a_cut_that_takes_the_head_along_is_found_by_the_anchors(record: Record, what: str, noted: bool) -> None:
    left, head = _CUTS[what]
    async with _anchored(record):
        await record.run(f"delete from audit_entry where school_id = $school and seq > {left}")
        await record.run(head)
        if not noted:
            await record.run("delete from audit_anchor where school_id = $school")
    verdict = await record.verdict()
    assert verdict.entries == left
    assert verdict.fault is not None
    assert (verdict.fault.seq, verdict.fault.what) == (left + 1, "is missing; an anchor knows entry 6")


async def test_rows_that_changed_places_are_found(record: Record) -> None:
    async with _anchored(record):
        await record.run(
            "update audit_entry set seq = -1 where school_id = $school and seq = 3;"
            " update audit_entry set seq = 3 where school_id = $school and seq = 4;"
            " update audit_entry set seq = 4 where school_id = $school and seq = -1"
        )
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what.partition(":")[0]) == (3, "does not follow the entry before it")


async def test_a_row_put_in_between_is_found(record: Record) -> None:
    async with _anchored(record):
        await record.run(
            "update audit_entry set seq = -seq where school_id = $school and seq > 3;"
            " update audit_entry set seq = 1 - seq where school_id = $school and seq < 0;"
            " insert into audit_entry select school_id, 4, at, actor_id, role, act, object_kind, object_id, 'planted', hash, hash"
            " from audit_entry where school_id = $school and seq = 3"
        )
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (4, "was changed: its hash does not fit what it says")


async def test_a_row_put_behind_the_head_is_found(record: Record) -> None:
    async with _anchored(record):
        await record.run(
            "insert into audit_entry select school_id, 7, at, actor_id, role, act, object_kind, object_id, reason, hash, hash"
            " from audit_entry where school_id = $school and seq = 6"
        )
        rows = await record.superuser.fetch("select * from audit_entry where school_id = $1 and seq = 7", record.school)
        await record.superuser.execute(
            "update audit_entry set hash = $2 where school_id = $1 and seq = 7", record.school, hash_of(Entry(*rows[0]))
        )
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (7, "was put in: the head of the chain stands at 6")


async def _changed(record: Record) -> None:
    await record.run("update audit_entry set reason = 'rewritten' where school_id = $school and seq = 5")
    await record.rechain(5)


async def _removed(record: Record) -> None:
    await record.run(
        "delete from audit_entry where school_id = $school and seq = 5;"
        " update audit_entry set seq = -seq where school_id = $school and seq > 5;"
        " update audit_entry set seq = -seq - 1 where school_id = $school and seq < 0"
    )
    await record.rechain(5)


async def _put_in(record: Record) -> None:
    await record.run(
        "update audit_entry set seq = -seq where school_id = $school and seq > 4;"
        " update audit_entry set seq = 1 - seq where school_id = $school and seq < 0;"
        " insert into audit_entry select school_id, 5, at, actor_id, role, act, object_kind, object_id, 'planted', hash, hash"
        " from audit_entry where school_id = $school and seq = 4"
    )
    await record.rechain(5)


@pytest.mark.parametrize("forge", [_changed, _removed, _put_in])
async def test_a_rewrite_with_all_its_hashes_is_found_by_the_anchors(
    record: Record, forge: Callable[[Record], Awaitable[None]]
) -> None:
    async with _anchored(record, 3):
        await record.grow(3)
        await record.anchor()
        await record.grow(3)
        await forge(record)
    verdict = await record.verdict()
    assert verdict.fault is not None
    assert (verdict.fault.seq, verdict.fault.what) == (
        4,
        "or a later one up to 6 was rewritten together with the hashes",
    )
    assert verdict.anchored == 3, "what was anchored before the rewrite still holds"


async def test_an_anchor_that_was_taken_away_is_missed(record: Record) -> None:
    async with _anchored(record):
        await record.runtime.objects.delete(place_of("toy", record.school, 6))
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (6, "was anchored, and its anchor is gone from the object store")


async def test_an_anchor_under_another_key_proves_nothing(record: Record, tmp_path) -> None:
    async with _anchored(record):
        strange = ensure_keys(tmp_path, ["toy"]).signing_keys / "audit-toy.json"
        row = await record.superuser.fetchrow("select seq, hash from audit_head where school_id = $1", record.school)
        _, forged = AnchorSigner("toy", strange, record.clock).sign(record.school, row["seq"], row["hash"])
        await record.runtime.objects.put(place_of("toy", record.school, 6), forged, "application/jose")
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (6, "has an anchor that is not signed by a key of this service")


@pytest.mark.parametrize("content", [b"", b"a.b.c", b"\xff" * 40, b"{}"])
async def test_what_is_no_anchor_at_all_proves_nothing(record: Record, content: bytes) -> None:
    async with _anchored(record):
        await record.runtime.objects.put(place_of("toy", record.school, 6), content, "application/jose")
    fault = (await record.verdict()).fault
    assert fault is not None
    assert fault.what == "has an anchor that is not signed by a key of this service"


async def test_an_anchor_of_another_entry_proves_nothing_for_this_one(record: Record) -> None:
    async with _anchored(record, 3):
        await record.grow(3)
        await record.anchor()
        objects = record.runtime.objects
        await objects.put(
            place_of("toy", record.school, 6), await objects.get(place_of("toy", record.school, 3)), "application/jose"
        )
    fault = (await record.verdict()).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (6, "has an anchor that speaks of another entry than the one it is named for")


async def test_anchors_of_an_earlier_key_stay_good_after_a_new_one(record: Record, tmp_path) -> None:
    files = ensure_keys(tmp_path, ["toy"])
    changed = {"BOOKBAG_SIGNING_KEYS": str(files.signing_keys)}
    await record.grow(3)
    async with record.house.runtime(TOY, clock=record.clock, **changed) as runtime:
        await anchor_heads(runtime)
    (files.signing_keys / "audit-toy.json").unlink()
    ensure_keys(tmp_path, ["toy"])
    kept = json.loads(files.audit_keys.read_text())["toy"]["keys"]
    assert len({key["kid"] for key in kept}) == 2
    assert "d" not in kept[0].keys() | kept[1].keys()
    keys = AnchorKeys.read(files.audit_keys)
    proof = Verification("toy", record.runtime.record, record.runtime.objects, keys)
    assert (await proof.judge(record.school)).anchored == 3
    await record.grow(1)
    async with record.house.runtime(TOY, clock=record.clock, **changed) as runtime:
        await anchor_heads(runtime)
    verdict = await proof.judge(record.school)
    assert (verdict.anchored, verdict.fault) == (4, None)


async def test_only_heads_that_moved_are_anchored_and_each_once(record: Record) -> None:
    async with _anchored(record, 2):
        await record.anchor()
        await record.grow(1)
        await record.anchor()
    assert await numbers(record.runtime.objects, "toy", record.school) == [2, 3]
    now = await standing(record.runtime.record, record.school)
    assert (now.entries, now.anchored, now.anchored_at) == (3, 3, record.clock.now())


async def test_an_anchor_that_was_put_and_not_noted_is_noted_later(record: Record) -> None:
    async with _anchored(record, 2):
        await record.run("delete from audit_anchor where school_id = $school")
        await record.anchor()
    assert (await standing(record.runtime.record, record.school)).anchored == 2


async def test_a_head_that_differs_from_its_anchor_is_never_anchored_again(record: Record) -> None:
    async with _anchored(record, 3):
        await record.run(
            "update audit_entry set reason = 'rewritten' where school_id = $school and seq = 3;"
            " delete from audit_anchor where school_id = $school"
        )
        await record.rechain(3)
        with pytest.raises(NotAnchored, match="audit verify"):
            await record.anchor()
    assert (await record.verdict()).fault is not None
    await record.run("delete from audit_head where school_id = $school")


async def test_a_worker_without_the_key_says_so(record: Record, tmp_path) -> None:
    await record.grow(1)
    async with record.house.runtime(TOY, BOOKBAG_SIGNING_KEYS=str(tmp_path)) as runtime:
        with pytest.raises(NotAnchored, match=r"audit-toy\.json"):
            await anchor_heads(runtime)
