"""What only a broker can do to us: share anew, go away, come back empty, refuse a record, carry what others wrote."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from google.protobuf.wrappers_pb2 import Int64Value
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from bookbag.chassis import kafka_client, topics
from bookbag.chassis.bus import Record
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.database import BUCKETS, bucket_of
from bookbag.chassis.hearing import EventCall
from bookbag.chassis.kafka_bus import KafkaBus, waves
from bookbag.chassis.kafka_records import Unreadable, headers_of, record_from
from bookbag.chassis.kafka_subscription import KafkaSubscription
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.settings import Platform
from bookbag.chassis.tests.bus_contract.installation import Installation, eventually, has, is_now, tell
from bookbag.chassis.tests.bus_contract.toy import TOPIC, Heard
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.parts import start
from tests.support.house import House
from tests.support.house import eventually as in_time

pytestmark = pytest.mark.req("OPS-4")

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def a_record(*, value: int = 1, key: UUID | None = None, payload: bytes | None = None) -> Record:
    key = key or uuid4()
    event = Int64Value(value=value).SerializeToString() if payload is None else payload
    return Record(
        uuid4(), uuid4(), TOPIC, bucket_of(key), key, Int64Value.DESCRIPTOR.full_name, event, 7, TRACE, SystemClock().now()
    )  # fmt: skip


@pytest.fixture
def own(fresh_house: House, broker: object, tmp_path: Path) -> Iterator[tuple[Installation, EmbeddedKafka]]:
    """An installation with a broker of its own, to be killed, frozen and wiped."""
    server = EmbeddedKafka(tmp_path / "kafka")
    start(server)
    settings = {"BOOKBAG_BUS": "kafka", "BOOKBAG_KAFKA_URL": server.address.bootstrap, "BOOKBAG_KAFKA_COPIES": "1"}
    installation = Installation(fresh_house, "kafka", settings)
    installation.make_topics()
    yield installation, server
    if server.process is not None:
        server.process.send_signal(signal.SIGCONT)
    server.stop()


async def test_a_stranger_reads_our_events_with_the_cloudevents_library(on_kafka: Installation) -> None:
    record = a_record(value=42)
    platform = on_kafka.platform()
    bus = KafkaBus(platform)
    assert await bus.publish([record]) == {}
    await bus.close()

    def read() -> KafkaMessage:
        at = TopicPartition(platform.kafka_prefix + TOPIC, record.bucket)
        consumer = KafkaConsumer(
            bootstrap_servers=platform.kafka_url, auto_offset_reset="earliest", consumer_timeout_ms=9000
        )
        consumer.assign([at])
        found = next(consumer)
        consumer.close()
        assert found.partition == record.bucket
        return KafkaMessage(headers=dict(found.headers), key=found.key, value=found.value)

    message = await asyncio.to_thread(read)
    event = from_binary_event(message)
    assert event.get_id() == str(record.event_id)
    assert event.get_type() == "google.protobuf.Int64Value"
    assert event.get_source() == f"/{TOPIC}"
    assert event.get_specversion() == "1.0"
    assert event.get_time() == record.occurred_at
    assert event.get_datacontenttype() == "application/protobuf"
    assert event.get_extension("school") == str(record.school)
    assert event.get_extension("sequence") == "7"
    assert event.get_extension("partitionkey") == str(record.key)
    assert message.key == str(record.key).encode()
    assert message.headers["traceparent"] == TRACE.encode()
    data = event.get_data()  # the library gives bytes that could be text as text
    assert Int64Value.FromString(data.encode() if isinstance(data, str) else data).value == 42


def test_of_each_bucket_one_batch_is_on_the_way_at_a_time() -> None:
    keys = [uuid4() for _ in range(40)]
    records = [a_record(key=keys[number % 40], payload=b"x" * 50_000) for number in range(200)]
    sent = list(waves(records, {TOPIC: 200_000}))
    assert [one for wave in sent for one in wave if one.bucket == 3] == [one for one in records if one.bucket == 3]
    assert sum(map(len, sent)) == len(records)
    for wave in sent:
        for bucket in range(BUCKETS):
            assert sum(len(one.payload) for one in wave if one.bucket == bucket) < 200_000
    assert len(sent) > 1


async def test_a_record_that_the_broker_finds_too_large_is_named_and_the_others_are_kept(
    on_kafka: Installation,
) -> None:
    platform = on_kafka.platform()
    small = topics.Kind(BUCKETS, topics.EVENTS.retention, "delete", 20_000)
    await asyncio.to_thread(topics.ensure, platform, {"google.small": small})
    key = uuid4()
    records = [a_record(value=1, key=key), a_record(key=key, payload=b"x" * 40_000), a_record(value=3, key=key)]
    moved = [
        Record(*(getattr(one, name) if name != "topic" else "google.small" for name in Record.__slots__))
        for one in records
    ]
    bus = KafkaBus(platform)
    assert await bus.publish(moved) == {records[1].event_id: "TooLarge"}
    assert sum((await bus.lag("nobody", ["google.small"])).values()) == 2
    assert await bus.publish([a_record(payload=b"x" * 3_000_000)]) != {}
    await bus.close()


async def test_what_others_wrote_into_a_topic_is_passed_over(on_kafka: Installation) -> None:
    school, key = uuid4(), uuid4()
    platform = on_kafka.platform()

    buckets = (bucket_of(key), (bucket_of(key) + 1) % BUCKETS)
    await asyncio.to_thread(intrude, platform, *buckets)
    async with on_kafka.running(Heard()) as runtime:
        await tell(runtime, school, key, 1)
        await eventually(lambda: has(runtime, key, [1]))
        await asyncio.to_thread(intrude, platform, *buckets)
        bus = on_kafka.bus(runtime, "looking")

        async def behind() -> int:
            return sum((await bus.lag("toy", [TOPIC])).values())

        await eventually(lambda: is_now(behind, 0))
        await bus.close()


@pytest.mark.parametrize(("header", "value"), [("ce_school", None), ("ce_time", b"soon"), ("ce_id", b"\xff")])
def test_a_header_that_is_no_value_of_ours_makes_a_record_unreadable(header: str, value: bytes | None) -> None:
    record = a_record()
    headers = headers_of(record)
    assert record_from(TOPIC, record.bucket, headers, record.payload) == record
    with pytest.raises(Unreadable):
        record_from(TOPIC, record.bucket, [*headers, (header, value)], record.payload)  # type: ignore[list-item]


async def constant(topics: Sequence[str], *, within: float = 0.0) -> str:
    """A log that is never lost, for a member whose broker does not answer."""
    return "the first"


def intrude(platform: Platform, *buckets: int) -> None:
    """Write what is no event of ours into some buckets."""
    producer = KafkaProducer(bootstrap_servers=platform.kafka_url)
    for bucket in buckets:
        producer.send(platform.kafka_prefix + TOPIC, b"hello", partition=bucket).get(10)
    producer.close()


@pytest.mark.slow
@pytest.mark.req("NTF-3")
async def test_what_a_broken_off_poll_had_taken_comes_again(own: tuple[Installation, EmbeddedKafka]) -> None:
    """The client has a record that nobody wrote for us and one of ours behind it when the broker freezes, and passing over the first
    needs the broker."""
    installation, server = own
    platform, key = installation.platform(), uuid4()
    first, second = a_record(value=1, key=key), a_record(value=2, key=key)
    bus = KafkaBus(platform)
    await bus.publish([first])
    await asyncio.to_thread(intrude, platform, first.bucket)
    await bus.publish([second])
    member = KafkaSubscription(platform, "toy", [TOPIC], constant)

    async def brings(limit: int, record: Record) -> bool:
        with suppress(DependencyAway):
            return [one.record for one in await member.poll(limit, 0.2)] == [record]
        return False

    await eventually(lambda: brings(1, first))
    assert await member.commit(TOPIC, first.bucket, 0)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    with pytest.raises(DependencyAway):
        await member.poll(10, 0.2)
    os.kill(server.process.pid, signal.SIGCONT)
    await eventually(lambda: brings(10, second))
    await member.close()
    await bus.close()


@pytest.mark.req("NTF-3")
async def test_passing_over_a_record_commits_none_that_waits_before_it(on_kafka: Installation) -> None:
    """While records are handled the client brings one of this bucket, one of that, and all wait together for the next poll."""
    platform = on_kafka.platform()
    waiting, other = a_record(), a_record()
    while waiting.bucket == other.bucket:
        other = a_record()
    member = KafkaSubscription(platform, platform.kafka_prefix + "toy", [TOPIC], constant)
    bus = KafkaBus(platform)

    async def has_all() -> bool:
        await member.poll(1, 0.1)
        return len(member.assigned()) == BUCKETS

    def brought(bucket: int, offset: int) -> dict[TopicPartition, list[object]]:
        at = TopicPartition(platform.kafka_prefix + TOPIC, bucket)
        reader = KafkaConsumer(bootstrap_servers=platform.kafka_url)
        reader.assign([at])
        reader.seek(at, offset)
        found = reader.poll(timeout_ms=9000, max_records=1)
        reader.close()
        return found

    await eventually(has_all)
    await bus.publish([waiting, other])
    await asyncio.to_thread(intrude, platform, waiting.bucket)
    for bucket, offset in ((waiting.bucket, 0), (other.bucket, 0), (waiting.bucket, 1)):
        member._take(await asyncio.to_thread(brought, bucket, offset))
    assert [(one.record, one.position) for one in member._ready] == [(waiting, 1), (other, 0)]
    assert sum((await bus.lag("toy", [TOPIC])).values()) == 3
    await member.close()
    await bus.close()


async def test_a_missing_topic_is_named_and_its_events_wait_until_it_is_made(fresh_house: House, broker) -> None:
    settings = {
        "BOOKBAG_BUS": "kafka",
        "BOOKBAG_KAFKA_URL": broker.address.bootstrap,
        "BOOKBAG_KAFKA_PREFIX": broker.prefix(),
        "BOOKBAG_KAFKA_COPIES": "1",
    }
    installation = Installation(fresh_house, "kafka", settings)
    school, key = uuid4(), uuid4()
    async with installation.running(Heard()) as runtime:
        await tell(runtime, school, key, 1)
        bus = installation.bus(runtime, "looking")
        with pytest.raises(DependencyAway) as away:
            await bus.generation([TOPIC])
        assert away.value.name == f"kafka topic {settings['BOOKBAG_KAFKA_PREFIX']}{TOPIC}"
        await bus.close()
        assert await runtime.across_schools.fetchval("select count(*) from outbox where published_at is null") == 1
        await asyncio.to_thread(installation.make_topics)
        await eventually(lambda: has(runtime, key, [1]))


@pytest.mark.req("NTF-3")
async def test_a_second_member_gets_its_part_while_the_first_is_held_up_and_each_bucket_has_one(
    on_kafka: Installation,
) -> None:
    school, keys = uuid4(), [uuid4() for _ in range(30)]
    first, second = asyncio.Event(), asyncio.Event()
    released = asyncio.Event()

    async def hold(call: EventCall, event: Int64Value) -> None:
        first.set()
        await released.wait()

    async def note(call: EventCall, event: Int64Value) -> None:
        second.set()

    async with on_kafka.running(Heard(hold, worker="first")) as runtime:
        await tell(runtime, school, keys[0], 0)
        await asyncio.wait_for(first.wait(), 30)
        async with on_kafka.running(Heard(note, worker="second"), relays=0) as other:

            async def shared() -> bool:
                for key in keys[1:]:
                    await tell(other, school, key, 1)
                return second.is_set()

            # Without keeping its place the first would be put out of the group after a minute.
            await in_time(shared, seconds=45)
            released.set()
            await eventually(lambda: has(runtime, keys[0], [0]))

            async def all_done() -> bool:
                written = await runtime.across_schools.fetchval("select count(*) from outbox")
                return written == await runtime.across_schools.fetchval("select count(*) from effect")

            await eventually(all_done)
            both = await runtime.across_schools.fetch("select distinct worker from effect")
            assert {row["worker"] for row in both} == {"first", "second"}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=lambda how: how.name)
async def test_writes_go_on_while_the_broker_is_away_and_arrive_in_order_afterwards(
    own: tuple[Installation, EmbeddedKafka], how: signal.Signals
) -> None:
    installation, server = own
    school, keys = uuid4(), [uuid4() for _ in range(8)]
    async with installation.running(Heard()) as runtime:
        for key in keys:
            await tell(runtime, school, key, 0)
        await eventually(lambda: has(runtime, keys[-1], [0]))
        assert server.process is not None
        os.kill(server.process.pid, how)
        for value in range(1, 20):
            for key in keys:
                await tell(runtime, school, key, value)
        bus = installation.bus(runtime, "looking")
        with pytest.raises(DependencyAway):
            await bus.ready()
        await bus.close()
        if how is signal.SIGSTOP:
            os.kill(server.process.pid, signal.SIGCONT)
        else:
            await asyncio.to_thread(start, server)
        for key in keys:
            await eventually(lambda key=key: has(runtime, key, list(range(20))))


@pytest.mark.slow
@pytest.mark.req("NTF-3")
async def test_a_wiped_broker_is_told_again_in_order_and_nothing_takes_effect_twice(
    own: tuple[Installation, EmbeddedKafka],
) -> None:
    """One key is consumed before the broker loses everything, the other is published but not yet consumed."""
    installation, server = own
    school, consumed, lost = uuid4(), uuid4(), uuid4()
    async with installation.running(Heard()) as runtime:
        for value in range(5):
            await tell(runtime, school, consumed, value)
        await eventually(lambda: has(runtime, consumed, list(range(5))))
    async with installation.running(Heard(), consumers=0) as runtime:
        for value in range(5):
            await tell(runtime, school, lost, value)
        await eventually(lambda: is_now(lambda: unpublished(runtime), 0))
        await asyncio.to_thread(server.wipe)
        for key in (consumed, lost):
            await tell(runtime, school, key, 5)
        await asyncio.to_thread(start, server)
        await asyncio.to_thread(installation.make_topics)
        await eventually(lambda: is_now(lambda: unpublished(runtime), 0))
    async with installation.running(Heard()) as runtime:
        for key in (consumed, lost):
            await eventually(lambda key=key: has(runtime, key, list(range(6))))
        positions = await runtime.across_schools.fetch("select bucket, position from outbox order by bucket, position")
        heads = await runtime.across_schools.fetch("select * from outbox_head where position > 0")
        assert {row["bucket"]: row["position"] for row in positions} == {
            row["bucket"]: row["position"] for row in heads
        }
        assert all(row["again_until"] is None for row in heads)


@pytest.mark.slow
@pytest.mark.req("NTF-3")
async def test_a_consumer_that_lives_through_a_wipe_misses_nothing(own: tuple[Installation, EmbeddedKafka]) -> None:
    installation, server = own
    school, key = uuid4(), uuid4()
    async with installation.running(Heard()) as runtime:
        for value in range(5):
            await tell(runtime, school, key, value)
        await eventually(lambda: has(runtime, key, list(range(5))))
        await asyncio.to_thread(server.wipe)
        await asyncio.to_thread(start, server)
        await asyncio.to_thread(installation.make_topics)
        for value in range(5, 10):
            await tell(runtime, school, key, value)
        await eventually(lambda: has(runtime, key, list(range(10))))


@pytest.mark.req("NTF-3")
async def test_a_topic_that_is_deleted_and_made_anew_is_told_again_and_a_living_consumer_misses_nothing(
    on_kafka: Installation,
) -> None:
    """The group and its members live on, and their offsets point into a log that is no more."""
    school, key = uuid4(), uuid4()
    platform = on_kafka.platform()

    def delete() -> None:
        admin = kafka_client.administrator(platform)
        admin.delete_topics([platform.kafka_prefix + TOPIC])
        admin.close()

    async with on_kafka.running(Heard()) as runtime:
        for value in range(5):
            await tell(runtime, school, key, value)
        await eventually(lambda: has(runtime, key, list(range(5))))
        await asyncio.to_thread(delete)
        for value in range(5, 10):
            await tell(runtime, school, key, value)
        await asyncio.to_thread(on_kafka.make_topics)
        await eventually(lambda: has(runtime, key, list(range(10))))
        await eventually(lambda: is_now(lambda: unpublished(runtime), 0))


async def test_a_member_commits_nothing_into_another_log_and_begins_it_from_the_start(on_kafka: Installation) -> None:
    log = "the first"

    async def generation(topics: Sequence[str], *, within: float = 0.0) -> str:
        return log

    platform, record = on_kafka.platform(), a_record()
    bus = KafkaBus(platform)
    await bus.publish([record])
    member = KafkaSubscription(platform, platform.kafka_prefix + "toy", [TOPIC], generation)

    async def given() -> bool:
        return [one.record.event_id for one in await member.poll(10, 0.2)] == [record.event_id]

    await eventually(given)
    log = "another"
    assert await member.commit(TOPIC, record.bucket, 0) is False
    await eventually(given)
    assert await member.commit(TOPIC, record.bucket, 0) is True
    assert sum((await bus.lag("toy", [TOPIC])).values()) == 0
    await member.close()
    await bus.close()


async def unpublished(runtime: Runtime) -> int:
    return await runtime.across_schools.fetchval("select count(*) from outbox where published_at is null")


async def test_topics_are_made_once_and_what_differs_is_told_and_not_changed(on_kafka: Installation) -> None:
    platform = on_kafka.platform()
    name = platform.kafka_prefix + "google.other"
    narrow = topics.Kind(2, topics.EVENTS.retention, "compact", topics.EVENTS.largest)
    made = await asyncio.to_thread(topics.ensure, platform, {"google.other": narrow})
    assert (list(made.made), list(made.drift)) == ([name], [])
    again = await asyncio.to_thread(topics.ensure, platform, {"google.other": topics.EVENTS})
    assert list(again.made) == []
    assert [str(one) for one in again.drift] == [
        f"topic {name}: partitions is 2, wanted 8",
        f"topic {name}: cleanup.policy is compact, wanted delete",
    ]
    third = await asyncio.to_thread(topics.compare, platform, {"google.other": topics.EVENTS, "google.none": narrow})
    assert [one.topic for one in third] == [platform.kafka_prefix + "google.none", name, name]


def test_the_table_of_topics_comes_from_what_the_services_say_they_tell() -> None:
    from bookbag.cli.services import named

    services = named("all")
    told = {event.DESCRIPTOR.full_name.rpartition(".")[0] for service in services for event in service.tells}
    heard = {event.DESCRIPTOR.full_name.rpartition(".")[0] for service in services for event in service.hears}
    assert "bookbag.messaging.v1" in told
    assert heard <= told, "nobody would ever tell what is heard"
    assert set(topics.topics_of(services)) == told
