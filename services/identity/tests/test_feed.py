"""The access feed: in order, complete, numbered by one sequencer alone, and the same truth as a snapshot."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import grpc
import grpc.aio
import pytest

from bookbag.chassis.clock import SystemClock
from bookbag.chassis.lease import Leases
from bookbag.chassis.peers import Peers
from bookbag.chassis.rpc import RpcServer
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.tokens import ServiceSigner
from bookbag.identity.v1 import access_pb2 as facts
from bookbag.identity.v1 import service_pb2 as pb
from bookbag.identity.v1.service_pb2_grpc import IdentityServiceStub
from bookbag.school.roles import Role
from services.identity.feed import actions as feed
from services.identity.feed import store
from services.identity.roster import actions as roster
from services.identity.roster.model import OPERATOR
from services.identity.tests.conftest import MANY, Small, small_school
from tests.support.house import House, eventually

pytestmark = pytest.mark.req("ID-6")


@pytest.fixture
async def alone(house: House) -> AsyncIterator[Runtime]:
    """An identity whose feed nobody else writes to while a test runs."""
    async with house.runtime("identity", **MANY) as runtime:
        await number_all(runtime)
        yield runtime


async def number_all(runtime: Runtime) -> int:
    """Number what is committed, as the sequencer would."""
    leases = Leases(runtime.across_schools, "sequencer", ["feed"], str(runtime.state["holder"]))
    await leases.renew()
    fence = leases.held_of("feed")
    assert fence is not None
    numbered = await store.number(runtime.across_schools, leases.holder, fence, 10_000)
    await leases.give_back()
    return numbered


class Copy:
    """What a service keeps: the newest fact about each thing, whatever order facts come in."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], facts.AccessChange] = {}

    def apply(self, changes: Sequence[facts.AccessChange]) -> None:
        for change in changes:
            name = change.WhichOneof("fact")
            assert name is not None
            fact = getattr(change, name)
            ids = [str(getattr(fact, field.name)) for field in fact.DESCRIPTOR.fields if field.name.endswith("_id")]
            if name == "guardianship":
                ids = [fact.link_id]
            if name == "seat":
                ids = [fact.seat_id]
            key = (change.school_id, name, *ids, getattr(fact, "role", ""))
            if key not in self.kept or self.kept[key].revision < change.revision:
                plain = facts.AccessChange()
                plain.CopyFrom(change)
                plain.position = 0
                self.kept[key] = plain


async def test_changes_come_in_order_without_gaps(alone: Runtime):
    start = await store.position(alone.database)
    school = await small_school(alone)
    numbered = await number_all(alone)
    reading = await store.read(alone.database, start, 500)
    assert [change.position for change in reading.changes] == list(range(start + 1, start + numbered + 1))
    assert reading.head == start + numbered
    assert reading.changes[0].school.code == school.code
    kinds = [change.WhichOneof("fact") for change in reading.changes]
    assert {
        "school",
        "person",
        "membership",
        "school_class",
        "enrolment",
        "seat",
        "seat_holder",
        "guardianship",
        "policy_version",
    } == set(kinds)


async def test_a_late_commit_is_not_passed_over(alone: Runtime):
    school = await small_school(alone)
    await number_all(alone)
    seen = (await store.read(alone.database, 0, 500)).head
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def slow_writer() -> None:
        async with alone.database.tenant(school.id) as tx:
            await roster.open_class(tx, "Slow")
            wrote.set()
            await go_on.wait()

    writing = asyncio.create_task(slow_writer())
    await wrote.wait()
    async with alone.database.tenant(school.id) as tx:
        await roster.open_class(tx, "Quick")
    assert await number_all(alone) == 1
    first = await store.read(alone.database, seen, 500)
    assert [change.school_class.name for change in first.changes] == ["Quick"]
    go_on.set()
    await writing
    assert await number_all(alone) == 1
    second = await store.read(alone.database, first.changes[-1].position, 500)
    assert [change.school_class.name for change in second.changes] == ["Slow"]


async def test_nothing_is_told_of_what_was_rolled_back(alone: Runtime):
    school = await small_school(alone)
    await number_all(alone)
    with suppress(ZeroDivisionError):
        async with alone.database.tenant(school.id) as tx:
            await roster.open_class(tx, "Never")
            raise ZeroDivisionError
    assert await number_all(alone) == 0


async def test_a_sequencer_that_lost_its_lease_numbers_nothing(alone: Runtime):
    await small_school(alone)
    holder = str(alone.state["holder"])
    leases = Leases(alone.across_schools, "sequencer", ["feed"], holder)
    await leases.renew()
    fence = leases.held_of("feed")
    assert fence is not None
    await alone.across_schools.execute("update lease set expires_at = '-infinity' where name = 'sequencer/feed'")
    assert await store.number(alone.across_schools, holder, fence, 500) == 0
    await alone.across_schools.fetch("select take_leases(array['sequencer/feed'], 'another', 5)")
    assert await store.number(alone.across_schools, holder, fence, 500) == 0
    assert await store.number(alone.across_schools, "another", fence + 1, 500) > 0
    await alone.across_schools.execute("delete from lease")


async def test_while_changes_wait_for_their_number_nobody_is_told_to_have_heard_all(alone: Runtime):
    school = await small_school(alone)
    await number_all(alone)
    numbered = await store.position(alone.database)
    assert (await store.read(alone.database, numbered, 500)).head == numbered
    async with alone.database.tenant(school.id) as tx:
        await roster.open_class(tx, "Elm")
    waiting = await store.read(alone.database, numbered, 500)
    assert (waiting.changes, waiting.head) == ([], numbered + 1)


async def change_something(runtime: Runtime, school: Small, chance: random.Random) -> None:
    async with runtime.database.tenant(school.id) as tx:
        match chance.randrange(5):
            case 0:
                await roster.set_language(tx, school.guardian, chance.choice(["en", "es", "cy"]))
            case 1:
                await roster.renew_epochs(tx, school.guardian)
            case 2:
                await roster.suspend_guardian(tx, school.guardian, author=OPERATOR, reason="test")
            case 3:
                await roster.reinstate_guardian(tx, school.guardian, author=OPERATOR)
            case _:
                await roster.end_enrolment(tx, school.oak, school.pupil)


@asynccontextmanager
async def restless(runtime: Runtime, schools: Sequence[Small]) -> AsyncGenerator[None]:
    """Schools that change all the while, with two writers each that fight for the same rows, and a sequencer at work."""
    chance, stop = random.Random(7), asyncio.Event()

    async def keep_changing(school: Small) -> None:
        while not stop.is_set():
            await change_something(runtime, school, chance)

    async def keep_numbering() -> None:
        while not stop.is_set():
            await number_all(runtime)

    busy = [asyncio.create_task(keep_changing(school)) for school in schools for _ in range(2)]
    busy.append(asyncio.create_task(keep_numbering()))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*busy)
        await number_all(runtime)


async def test_a_snapshot_and_what_follows_it_give_the_truth_under_concurrent_writes(alone: Runtime):
    schools = [await small_school(alone) for _ in range(3)]
    begun = await store.position(alone.database)
    copy, position = Copy(), 0
    async with restless(alone, schools):
        await eventually(lambda: grown(alone, begun + 100))
        async for changes, at in feed.snapshot(alone):
            copy.apply(changes)
            position = at or position
        await eventually(lambda: grown(alone, position + 200))
    while (reading := await store.read(alone.database, position, 500)).changes:
        count = len(reading.changes)
        assert [change.position for change in reading.changes] == list(range(position + 1, position + 1 + count))
        copy.apply(reading.changes)
        position += count
    truth = Copy()
    async for changes, _ in feed.snapshot(alone):
        truth.apply(changes)
    assert copy.kept == truth.kept


async def grown(runtime: Runtime, beyond: int) -> bool:
    return await store.position(runtime.database) > beyond


async def test_watchers_hear_within_moments_and_a_beat_each_second(alone: Runtime):
    watching = feed.watch(alone, await store.position(alone.database))
    school = await small_school(alone)
    sequencing = asyncio.create_task(feed.sequence(alone))
    try:
        async with asyncio.timeout(10):
            copy = Copy()
            while len(copy.kept) == 0 or not any(key[1] == "guardianship" for key in copy.kept):
                copy.apply((await anext(watching)).changes)
            async with alone.database.tenant(school.id) as tx:
                await roster.open_class(tx, "Elm")
            alone.signal("changes")
            while not any(change.school_class.name == "Elm" for change in copy.kept.values()):
                copy.apply((await anext(watching)).changes)
            beat = await anext(watching)
            while beat.changes:
                beat = await anext(watching)
            assert beat.head == await store.position(alone.database)
    finally:
        sequencing.cancel()
        await asyncio.gather(sequencing, return_exceptions=True)
        await watching.aclose()  # type: ignore[attr-defined]


class Sibling:
    """Another service, calling identity over gRPC with its own key."""

    def __init__(self, house: House, name: str, port: int) -> None:
        signer = ServiceSigner(name, house.keys.signing_keys / f"service-{name}.json", SystemClock())
        self.peers = Peers({"identity": f"127.0.0.1:{port}"}, signer)
        self.stub = self.peers.stub("identity", IdentityServiceStub)


@pytest.fixture
async def served(house: House, alone: Runtime) -> AsyncIterator[int]:
    server = RpcServer([alone], "127.0.0.1", 0)
    await server.start()
    yield server.port
    await server.stop(0)


async def test_siblings_follow_the_feed_over_grpc(house: House, alone: Runtime, served: int):
    await small_school(alone)
    await number_all(alone)
    numbered = await store.position(alone.database)
    sibling = Sibling(house, "messaging", served)
    snapshot = [
        answer
        async for answer in sibling.peers.stream(
            "identity", sibling.stub.Snapshot, pb.SnapshotRequest(), school=None, deadline=5
        )
    ]
    assert snapshot[-1].position == numbered
    watched = sibling.peers.stream(
        "identity", sibling.stub.WatchChanges, pb.WatchChangesRequest(after=numbered - 2), school=None, deadline=5
    )
    answer = await anext(watched)
    assert [change.position for change in answer.changes] == [numbered - 1, numbered]
    assert answer.head == numbered
    await watched.aclose()  # type: ignore[attr-defined]
    await sibling.peers.close()


@pytest.mark.req("POL-1")
async def test_contacts_are_told_to_notify_alone_and_for_one_school(house: House, alone: Runtime, served: int):
    school, other = await small_school(alone), await small_school(alone)
    notify, messaging = Sibling(house, "notify", served), Sibling(house, "messaging", served)
    everybody = [str(one) for one in (school.guardian, school.teacher, other.guardian)]
    request = pb.ContactsRequest(school_id=str(school.id), person_ids=everybody)
    answer = await notify.peers.call("identity", notify.stub.Contacts, request, school=school.id)
    assert {contact.person_id: (contact.email, contact.language) for contact in answer.contacts} == {
        str(school.guardian): (school.email, "es"),
        str(school.teacher): ("", "en"),
    }
    for caller, token_school in ((messaging, school.id), (notify, other.id)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await caller.peers.call("identity", caller.stub.Contacts, request, school=token_school)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    for bad in (["no id"], [str(school.guardian)] * 501):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            wrong = pb.ContactsRequest(school_id=str(school.id), person_ids=bad)
            await notify.peers.call("identity", notify.stub.Contacts, wrong, school=school.id)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await notify.peers.close()
    await messaging.peers.close()


async def test_a_school_is_found_by_its_id(house: House, alone: Runtime, served: int):
    school = await small_school(alone)
    sibling = Sibling(house, "translate", served)
    request = pb.GetSchoolRequest(school_id=str(school.id))
    answer = await sibling.peers.call("identity", sibling.stub.GetSchool, request, school=school.id)
    assert (answer.school.code, answer.school.zone) == (school.code, "Europe/London")
    await sibling.peers.close()


async def test_revisions_of_one_thing_grow_in_the_order_of_its_changes(alone: Runtime):
    start = await store.position(alone.database)
    school = await small_school(alone)

    async def change() -> None:
        async with alone.database.tenant(school.id) as tx:
            await roster.renew_epochs(tx, school.guardian)

    await asyncio.gather(*(change() for _ in range(20)))
    await number_all(alone)
    reading = await store.read(alone.database, start, 500)
    told = [
        (change.revision, change.membership.epoch)
        for change in reading.changes
        if change.membership.person_id == str(school.guardian) and change.membership.role == Role.GUARDIAN
    ]
    assert told == sorted(told)
    assert [epoch for _, epoch in told] == list(range(1, 22))
