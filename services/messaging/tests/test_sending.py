"""Sending: durable, once per key, numbered without a gap, and only by whose thread it is."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from bookbag.messaging.v1.events_pb2 import MessageSent
from services.messaging.tests.builders import Oak


@pytest.mark.req("MSG-1")
async def test_a_teacher_and_a_guardian_write_to_each_other(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "Good morning")
    await oak.rosa.says(oak.thread, "Buenos días")
    assert await oak.teacher.reads(oak.thread) == ["Buenos días", "Good morning"]
    assert await oak.rosa.reads(oak.thread) == ["Buenos días", "Good morning"]


async def test_the_answer_is_the_message_as_its_author_sees_it(oak: Oak) -> None:
    sent = await oak.teacher.says(oak.thread, "Good morning")
    assert sent["author"] == {"id": str(oak.teacher.id), "name": "Ada Hill", "side": "staff"}
    assert (sent["seq"], sent["mine"], sent["text"], sent["language"]) == (1, True, "Good morning", "en")
    assert (sent["version"], sent["translation"]) == (1, None)
    assert sent["sent_at"].endswith("Z")
    told = {"state": sent.pop("state"), "visible_at": sent.pop("visible_at"), "reasons": sent.pop("reasons")}
    assert told == {"state": "sent", "visible_at": sent["sent_at"], "reasons": ["sent_now"]}
    assert (await oak.teacher.messages(oak.thread))[0] == sent


async def test_a_message_is_in_the_senders_language_unless_they_say_otherwise(oak: Oak) -> None:
    assert (await oak.rosa.says(oak.thread, "Hola"))["language"] == "es"
    assert (await oak.rosa.says(oak.thread, "Hello", language="en"))["language"] == "en"


@pytest.mark.req("MSG-18")
async def test_a_repeat_gives_the_same_answer_and_no_second_message(oak: Oak) -> None:
    first = await oak.teacher.says(oak.thread, "Once", key="key-of-one-message")
    again = await oak.teacher.says(oak.thread, "Once", key="key-of-one-message")
    assert again == first
    assert await oak.teacher.reads(oak.thread) == ["Once"]
    assert await _events(oak) == 1


@pytest.mark.req("MSG-18")
async def test_twenty_repeats_at_once_make_one_message(oak: Oak) -> None:
    answers = await asyncio.gather(*(oak.teacher.says(oak.thread, "Once", key="key-of-one-message") for _ in range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert await oak.teacher.reads(oak.thread) == ["Once"]
    assert await _events(oak) == 1


@pytest.mark.req("MSG-18")
async def test_another_message_under_the_same_key_is_refused(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "One", key="key-of-one-message")
    answer = await oak.teacher.post(f"/threads/{oak.thread}/messages", {"text": "Two"}, key="key-of-one-message")
    assert (answer.status_code, answer.json()["code"]) == (409, "key-reused")
    assert await oak.teacher.reads(oak.thread) == ["One"]


async def test_two_people_may_use_the_same_key(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "Same words", key="key-of-two-people")
    await oak.rosa.says(oak.thread, "Same words", key="key-of-two-people")
    assert len(await oak.teacher.reads(oak.thread)) == 2


@pytest.mark.req("MSG-18")
async def test_twenty_senders_at_once_get_numbers_without_a_gap(oak: Oak) -> None:
    senders = [oak.teacher, oak.rosa] * 10
    sent = await asyncio.gather(*(one.says(oak.thread, f"message {n}") for n, one in enumerate(senders)))
    assert sorted(message["seq"] for message in sent) == list(range(1, 21))
    read = await oak.teacher.messages(oak.thread)
    assert [message["seq"] for message in read] == list(range(20, 0, -1))
    assert Counter(message["text"] for message in read) == Counter(message["text"] for message in sent)


async def test_the_event_carries_ids_and_the_language_and_no_words(oak: Oak) -> None:
    sent = await oak.rosa.says(oak.thread, "Palabras que nadie más debe leer")
    async with oak.runtime.across_schools.transaction() as worker:
        row = await worker.fetchrow("select key, type, sequence, payload from outbox where school_id = $1", oak.id)
    assert row is not None
    assert (str(row["key"]), row["type"], row["sequence"]) == (oak.thread, "bookbag.messaging.v1.MessageSent", 1)
    assert MessageSent.FromString(row["payload"]) == MessageSent(
        school_id=str(oak.id), thread_id=oak.thread, message_id=sent["id"], author_id=str(oak.rosa.id), language="es"
    )


async def test_a_thread_that_is_not_there_takes_no_message_and_no_key(oak: Oak) -> None:
    answer = await oak.teacher.post(f"/threads/{uuid4()}/messages", {"text": "Hello"}, key="key-that-stays-free")
    assert answer.status_code == 404
    assert await oak.asks("select count(*) from idempotency where school_id = $1 and key = 'key-that-stays-free'") == 0
    assert await _events(oak) == 0


async def test_a_key_is_required(oak: Oak) -> None:
    headers = oak.teacher.headers()
    del headers["idempotency-key"]
    answer = await oak.http.post(f"/v1/threads/{oak.thread}/messages", headers=headers, json={"text": "Hello"})
    assert (answer.status_code, answer.json()["code"]) == (400, "key-missing")


async def _events(oak: Oak) -> int:
    async with oak.runtime.across_schools.transaction() as worker:
        return await worker.fetchval(
            "select count(*) from outbox where school_id = $1 and type = 'bookbag.messaging.v1.MessageSent'", oak.id
        )


@pytest.mark.req("OPS-4")
async def test_a_database_without_room_refuses_in_words_and_keeps_nothing_of_the_message(oak: Oak) -> None:
    """As PostgreSQL says it, at the last step; the chaos suite fills a real disk."""
    await oak.house.owner(
        "messaging",
        "create function no_room() returns trigger language plpgsql as $$ begin"
        "  raise exception 'could not extend file' using errcode = 'disk_full'; end $$;"
        "create trigger no_room after insert on outbox for each row execute function no_room()",
    )
    try:
        answer = await oak.teacher.post(f"/threads/{oak.thread}/messages", {"text": "Hello"}, key="key-without-room")
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "storage-full", "30")
        assert "no room left" in answer.json()["title"]
        assert await oak.teacher.reads(oak.thread) == []
    finally:
        await oak.house.owner("messaging", "drop trigger no_room on outbox; drop function no_room")
    await oak.teacher.says(oak.thread, "Hello", key="key-without-room")
    assert await oak.teacher.reads(oak.thread) == ["Hello"]
