"""What the buses and the database do with the same events and rows when nothing is asked or decided: the other side of P4's ratios."""

import time

import asyncpg

from bench.installation import Installation
from bookbag.chassis import kafka_client as client
from bookbag.chassis.settings import Platform

BATCH = 500


async def outbox(here: Installation) -> float:
    """Events read and marked per second in the outbox, in batches."""
    connection = await asyncpg.connect(here.postgres.url("bookbag_messaging"))
    try:
        await connection.execute(
            "create table raw_outbox (like outbox including all); insert into raw_outbox overriding system value select * from outbox"
        )
        rows = await connection.fetch("select event_id from raw_outbox limit $1", BATCH)
        began, read = time.monotonic(), 0
        while rows:
            rows = await connection.fetch(
                "select * from raw_outbox where published_at is not null order by bucket, position limit $1", BATCH
            )
            await connection.execute(
                "update raw_outbox set published_at = null where event_id = any($1)", [row["event_id"] for row in rows]
            )
            read += len(rows)
        return read / (time.monotonic() - began)
    finally:
        await connection.close()


def kafka(platform: Platform, topic: str, events: int) -> tuple[float, float]:
    """Events written and events read per second by the Kafka client alone, with the settings of our own, all written to a topic that
    has as many already."""
    producer, payload = client.producer(platform), bytes(120)
    try:
        began = time.monotonic()
        sent = [
            producer.send(topic, value=payload, key=b"key", headers=[("ce_id", bytes(36))], partition=number % 8)
            for number in range(events)
        ]
        producer.flush(60)
        for one in sent:
            one.get(0)
        written = events / (time.monotonic() - began)
    finally:
        producer.close(timeout=0)
    consumer = client.consumer(platform, "raw", [topic])
    try:
        found, first = 0, 0.0
        while found < 2 * events:
            some = sum(len(records) for records in consumer.poll(timeout_ms=1000, max_records=BATCH).values())
            if some and not first:
                first = time.monotonic()  # the group has its partitions
            found += some
        return written, found / (time.monotonic() - first)
    finally:
        consumer.close()


async def inserts(here: Installation) -> float:
    """Deliveries (item, mail and step of the live stream) written per second, in batches."""
    connection = await asyncpg.connect(here.postgres.url("bookbag_notify"))
    try:
        await connection.execute(
            "create table raw_notification (like notification including all);"
            " create table raw_delivery (like delivery including all);"
            " create table raw_stream_event (like stream_event including all)"
        )
        began, written = time.monotonic(), 0
        rows = await connection.fetch(
            "select n.*, d.channel, d.delivery_id, d.state, d.due_at from notification n"
            " join delivery d using (school_id, person_id, event_id)"
        )
        began = time.monotonic()
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            columns = [[row[name] for row in some] for name in ("school_id", "person_id", "event_id", "notification_id", "thread_id",
                                                                "content_id", "author_id", "created_at", "delivery_id", "due_at")]  # fmt: skip
            async with connection.transaction():
                await connection.execute(
                    "insert into raw_notification (school_id, person_id, event_id, notification_id, kind, roles, thread_id, content_id,"
                    " author_id, created_at) select s, p, e, n, 'message', '{guardian}', t, c, a, at"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],"
                    "   $8::timestamptz[]) u (s, p, e, n, t, c, a, at)",
                    *columns[:8],
                )
                await connection.execute(
                    "insert into raw_delivery (school_id, person_id, event_id, channel, delivery_id, state, due_at, created_at, updated_at)"
                    " select s, p, e, 'email', d, 'waiting', due, due, due"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[]) u (s, p, e, d, due)",
                    *columns[:3], columns[8], columns[9],
                )  # fmt: skip
                await connection.execute(
                    "insert into raw_stream_event (school_id, person_id, number, event_id, kind, roles, thread_id, content_id, at)"
                    " select s, p, row_number() over (), e, 'message', '{guardian}', t, c, at"
                    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[]) u (s, p, e, t, c, at)"
                    " on conflict do nothing",
                    columns[0], columns[1], columns[2], columns[4], columns[5], columns[7],
                )  # fmt: skip
            written += len(some)
        return written / (time.monotonic() - began)
    finally:
        await connection.close()
