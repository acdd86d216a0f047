"""Who is told of an event, and that nobody is told twice."""

import asyncio

import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.problems import DependencyAway
from bookbag.content.v1.service_pb2 import Reader
from bookbag.messaging.v1.events_pb2 import MessageSent
from services.notify.tests.conftest import Town


async def stream_of(town: Town, person):
    async with town.runtime.database.tenant(town.school) as tx:
        return await tx.fetch("select * from stream_event where person_id = $1 order by number", person)


@pytest.mark.req("NTF-1")
async def test_every_reader_but_the_author_gets_an_item_and_a_waiting_mail(town: Town):
    await town.message(author=town.teacher)

    assert await town.deliveries() == {
        town.guardian: ("waiting", None), town.other_guardian: ("waiting", None),
    }  # fmt: skip
    assert await town.count("notification", town.guardian) == 1
    assert await town.count("notification", town.teacher) == 0


@pytest.mark.req("NTF-1", "WEB-3")
async def test_the_authors_other_devices_learn_of_the_message(town: Town):
    await town.message(author=town.teacher)

    assert [row["kind"] for row in await stream_of(town, town.teacher)] == ["message"]


@pytest.mark.req("NTF-3")
async def test_a_repeated_event_tells_nobody_again(town: Town):
    message = new_id()
    event = await town.message(message=message)
    await town.message(message=message, event_id=event)
    await town.after(seconds=60)

    assert await town.count("notification", town.guardian) == 1
    assert await town.count("stream_event", town.guardian) == 1
    assert len(town.post.to("marta@example.org")) == 1


@pytest.mark.req("NTF-3")
async def test_an_event_whose_mark_was_lost_still_tells_nobody_again(town: Town):
    message = new_id()
    event = await town.message(message=message)
    await town.after(seconds=60)
    await town.house.owner("notify", "alter table processed no force row level security; truncate processed")
    await town.message(message=message, event_id=event)
    await town.after(seconds=60)

    assert await town.count("notification", town.guardian) == 1
    assert await town.count("stream_event", town.guardian) == 1
    assert len(town.post.to("marta@example.org")) == 1


@pytest.mark.req("NTF-3")
async def test_many_messages_at_once_give_each_stream_numbers_without_gaps(town: Town):
    await asyncio.gather(*(town.message() for _ in range(30)))

    for person in (town.teacher, town.guardian):
        assert [row["number"] for row in await stream_of(town, person)] == list(range(1, 31))


@pytest.mark.req("ID-11")
@pytest.mark.parametrize("standing", ["suspended", "ended"])
async def test_somebody_suspended_or_ended_is_told_nothing(town: Town, standing: str):
    await town.knows(town.guardian, "guardian", "Marta Ruiz", "es", standing=standing)
    await town.message()

    assert town.guardian not in await town.deliveries()
    assert town.other_guardian in await town.deliveries()
    assert await stream_of(town, town.guardian) == []


async def test_a_reader_our_copy_does_not_know_yet_is_taken_at_the_owners_word(town: Town):
    newcomer = new_id()
    town.owner.readers.append(Reader(person_id=str(newcomer), language="pl", role="guardian"))
    await town.message()

    assert (await town.deliveries())[newcomer] == ("waiting", None)


async def test_a_message_that_is_gone_tells_nobody(town: Town):
    town.owner.gone = True
    await town.message()

    assert await town.deliveries() == {}


async def test_while_the_owner_is_away_nothing_is_marked_as_done(town: Town):
    town.owner.away = True
    event = new_id()
    with pytest.raises(DependencyAway):
        await town.message(event_id=event)
    town.owner.away = False
    await town.message(event_id=event)

    assert await town.count("notification", town.guardian) == 1


@pytest.mark.req("MSG-2")
async def test_a_receipt_reaches_the_writer_and_the_readers_own_devices(town: Town):
    await town.message()
    await town.reads(town.guardian, 1)

    assert [row["kind"] for row in await stream_of(town, town.teacher)] == ["message", "read"]
    last = (await stream_of(town, town.guardian))[-1]
    assert (last["kind"], last["actor_id"], last["seq"]) == ("read", town.guardian, 1)


async def test_guardians_never_learn_of_each_others_reading(town: Town):
    await town.message()
    await town.reads(town.guardian, 1)

    assert [row["kind"] for row in await stream_of(town, town.other_guardian)] == ["message"]


async def test_everybody_learns_that_the_teacher_has_read(town: Town):
    await town.message(author=town.guardian)
    await town.reads(town.teacher, 1)

    assert [row["kind"] for row in await stream_of(town, town.guardian)] == ["message", "read"]
    assert [row["kind"] for row in await stream_of(town, town.other_guardian)] == ["message", "read"]


async def test_a_receipt_for_a_thread_nothing_was_heard_of_does_no_harm(town: Town):
    await town.reads(town.guardian, 4)

    assert await stream_of(town, town.teacher) == []


async def test_reading_marks_what_came_before_and_nothing_after(town: Town):
    await town.message()
    await town.message()
    await town.reads(town.guardian, 1)

    async with town.runtime.database.tenant(town.school) as tx:
        rows = await tx.fetch("select seq, seen_at from notification where person_id = $1 order by seq", town.guardian)
    assert [(row["seq"], row["seen_at"] is not None) for row in rows] == [(1, True), (2, False)]


@pytest.mark.req("TR-2", "WEB-3")
async def test_a_translation_is_announced_to_those_who_read_its_language(town: Town):
    message = new_id()
    await town.message(message=message)
    await town.translated(message, "es")

    last = (await stream_of(town, town.guardian))[-1]
    assert (last["kind"], last["content_id"], last["language"]) == ("translation", message, "es")
    assert [row["kind"] for row in await stream_of(town, town.other_guardian)] == ["message"]


@pytest.mark.req("ID-10")
async def test_a_teacher_who_is_a_parent_hears_each_thread_in_its_role_alone(town: Town):
    await town.knows(town.guardian, "teacher", "Marta Ruiz", "es")
    await town.message()

    assert [row["roles"] for row in await stream_of(town, town.guardian)] == [["guardian"]]


@pytest.mark.req("POL-1")
async def test_the_rows_of_one_school_are_not_there_for_another(town: Town):
    await town.message()
    async with town.runtime.database.tenant(new_id()) as tx:
        for table in ("notification", "delivery", "stream_event", "stream_head", "known_thread"):
            assert await tx.fetchval(f"select count(*) from {table}") == 0


def test_events_carry_no_words():
    assert {field.name for field in MessageSent.DESCRIPTOR.fields} == {
        "school_id", "thread_id", "message_id", "author_id", "language", "about_safety",
    }  # fmt: skip
