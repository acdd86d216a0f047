"""Every message in the reader's language: what is stored is shown, what is not is asked for once, and the original is always there."""

import pytest

from bookbag.content.v1 import service_pb2 as pb
from bookbag.messaging.v1.events_pb2 import MessageTranslated, TranslationWanted
from services.messaging.tests.builders import Oak
from services.messaging.tests.siblings import Sibling

STORED, UNAVAILABLE = pb.TRANSLATION_STATE_STORED, pb.TRANSLATION_STATE_UNAVAILABLE


@pytest.mark.req("TR-2", "MSG-7")
async def test_a_missing_translation_is_asked_for_once_however_often_the_page_is_read(oak: Oak) -> None:
    first = await oak.teacher.says(oak.thread, "Good morning")
    second = await oak.teacher.says(oak.thread, "Good evening")
    for _ in range(3):
        newest, oldest = await oak.rosa.messages(oak.thread)
        assert newest["translation"] == {"state": "on-its-way", "language": "es", "text": None, "source_language": None}
        assert (newest["text"], oldest["text"]) == ("Good evening", "Good morning")
    wanted = await _told(oak, TranslationWanted)
    assert {(event.message_id, event.thread_id, event.language) for event in wanted} == {
        (first["id"], oak.thread, "es"),
        (second["id"], oak.thread, "es"),
    }
    assert len(wanted) == 2


@pytest.mark.req("MSG-7")
@pytest.mark.parametrize(("written", "read_in"), [("es", "es"), ("pt-BR", "pt"), ("zh-Hans", "zh-Hant")])
async def test_a_reader_of_the_same_language_needs_no_translation(oak: Oak, written: str, read_in: str) -> None:
    await oak.changes(
        "update known_person set language = $3 where school_id = $1 and person_id = $2", oak.rosa.id, read_in
    )
    await oak.teacher.says(oak.thread, "…", language=written)
    (message,) = await oak.rosa.messages(oak.thread)
    assert message["translation"] is None
    assert await _told(oak, TranslationWanted) == []


@pytest.mark.req("TR-2", "MSG-7")
async def test_a_language_chosen_wrongly_is_put_right_by_what_was_detected(oak: Oak, translate: Sibling) -> None:
    sent = await oak.rosa.says(oak.thread, "Emma está enferma hoy", language="en")
    assert await translate.stores(oak, sent["id"], "en", text="Emma is ill today", source="es")
    assert await translate.stores(oak, sent["id"], "es", text="Emma está enferma hoy", source="es")
    (for_english,) = await oak.teacher.messages(oak.thread)
    (for_spanish,) = await oak.rosa.messages(oak.thread)
    assert for_english["translation"] == {
        "state": "stored",
        "language": "en",
        "text": "Emma is ill today",
        "source_language": "es",
    }
    assert for_spanish["translation"] is None


@pytest.mark.req("TR-2", "MSG-7")
async def test_a_stored_translation_is_shown_beside_the_original(oak: Oak, translate: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Good morning")
    assert await translate.stores(oak, sent["id"], "es", text="Buenos días", source="en")
    (message,) = await oak.rosa.messages(oak.thread)
    assert message["text"] == "Good morning"
    assert message["translation"] == {
        "state": "stored", "language": "es", "text": "Buenos días", "source_language": "en",
    }  # fmt: skip
    assert (await oak.rosa.sees(oak.thread))["last"]["text"] == "Buenos días"
    assert (await oak.teacher.sees(oak.thread))["last"]["text"] == "Good morning"
    assert await _told(oak, TranslationWanted) == []


@pytest.mark.req("TR-5")
async def test_without_an_engine_the_original_says_so_until_one_is_there(oak: Oak, translate: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Good morning")
    assert await translate.stores(oak, sent["id"], "es", state=UNAVAILABLE)
    (message,) = await oak.rosa.messages(oak.thread)
    assert (message["text"], message["translation"]["state"]) == ("Good morning", "unavailable")
    assert await translate.stores(oak, sent["id"], "es", text="Buenos días", source="en")
    assert (await oak.rosa.messages(oak.thread))[0]["translation"]["text"] == "Buenos días"
    assert await translate.stores(oak, sent["id"], "es", state=UNAVAILABLE), "late word that there is none"
    assert (await oak.rosa.messages(oak.thread))[0]["translation"]["text"] == "Buenos días"


@pytest.mark.req("TR-2")
async def test_storing_a_translation_again_changes_and_tells_nothing(oak: Oak, translate: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Good morning")
    await oak.rosa.messages(oak.thread)
    for _ in range(3):
        assert await translate.stores(oak, sent["id"], "es", text="Buenos días", source="en")
    assert await oak.asks("select count(*) from translation where school_id = $1") == 1
    (told,) = await _told(oak, MessageTranslated)
    assert (told.thread_id, told.message_id, told.language) == (oak.thread, sent["id"], "es")


async def test_a_translation_of_another_version_or_of_nothing_is_dropped(oak: Oak, translate: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Good morning")
    assert not await translate.stores(oak, sent["id"], "es", text="Buenas", version=2)
    assert not await translate.stores(oak, str(oak.id), "es", text="Buenas")
    await oak.house.owner("messaging", "alter table message no force row level security")
    try:
        await oak.house.owner("messaging", f"update message set withdrawn_at = now() where message_id = '{sent['id']}'")
    finally:
        await oak.house.owner("messaging", "alter table message force row level security")
    assert not await translate.stores(oak, sent["id"], "es", text="Buenas")
    assert await oak.asks("select count(*) from translation where school_id = $1") == 0
    fetched = await translate.fetches(oak, sent["id"])
    assert (fetched.withdrawn, fetched.text) == (True, "")


async def _told(oak: Oak, kind: type) -> list:
    async with oak.runtime.across_schools.transaction() as worker:
        rows = await worker.fetch(
            "select payload from outbox where school_id = $1 and type = $2 order by ordinal",
            oak.id,
            kind.DESCRIPTOR.full_name,
        )
    return [kind.FromString(row["payload"]) for row in rows]
