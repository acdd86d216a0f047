"""Messages become translations: real database, real engine server, real contract with the owner of the texts."""

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import grpc.aio
import pytest
from prometheus_client import REGISTRY

from bookbag.chassis.bus import Record
from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.hearing import AlreadyProcessed, EventCall
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.messaging.v1 import events_pb2 as messaging
from services.translate import actions, events
from services.translate.actions import Means
from services.translate.engines.libretranslate import ASK_AGAIN_AFTER, LibreTranslate
from services.translate.model import GIVE_UP_AFTER
from services.translate.tests.libretranslate_double import LibreTranslateDouble, Mode, libretranslate_double
from services.translate.tests.owner_double import OwnerDouble, Text, owner_double
from tests.support.house import House

SPANISH = "Buenos días, la niña está enferma y hoy no puede ir a la escuela, muchas gracias por su ayuda con todo."


@dataclass
class Scene:
    """Translate at work between an owner of texts and an engine's server."""

    runtime: Runtime
    owner: OwnerDouble
    engine: LibreTranslateDouble
    clock: MovableClock
    school: UUID

    def written(self, text: str, *readers: str, **more: object) -> UUID:
        message = new_id()
        self.owner.texts[message] = Text(text, readers, **more)  # type: ignore[arg-type]
        return message

    async def hears_that_it_was_sent(self, message: UUID, *, event_id: UUID | None = None) -> None:
        event = messaging.MessageSent(school_id=str(self.school), message_id=str(message), language="en")
        await events.note_new_message(self._call(event_id), event)

    async def hears_a_wish(self, message: UUID, language: str) -> None:
        event = messaging.TranslationWanted(school_id=str(self.school), message_id=str(message), language=language)
        await events.note_wanted_translation(self._call(None), event)

    async def works(self, *, after: timedelta = timedelta(0)) -> None:
        self.clock.move(after)
        await actions.translate_due(self.runtime)

    async def waiting(self) -> int:
        async with self.runtime.database.tenant(self.school) as tx:
            return await tx.fetchval("select count(*) from translation_request")

    def _call(self, event_id: UUID | None) -> EventCall:
        now = self.clock.now()
        record = Record(
            self.school, event_id or new_id(), "bookbag.messaging.v1", 0, new_id(), "", b"", None, None, now
        )
        return EventCall(self.runtime, record, now)


def owner_of(house: House, clock: MovableClock | None = None):
    return owner_double(user_keys=house.keys.user_keys, service_keys=house.keys.service_keys, clock=clock)


@pytest.fixture
async def scene(house: House):
    clock = MovableClock(datetime.now(UTC))
    # The jobs look across schools: what an earlier test left waiting would be its successor's.
    await house.owner("translate", "delete from translation_request")
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(owner_of(house, clock))
        engine = await stack.enter_async_context(libretranslate_double(LibreTranslateDouble()))
        runtime = await stack.enter_async_context(
            house.runtime(
                "translate",
                clock=clock,
                BOOKBAG_PEERS=json.dumps({"messaging": owner.address}),
                BOOKBAG_TRANSLATE_LIBRETRANSLATE_URL=engine.url,
                BOOKBAG_TRANSLATE_ENGINES='["libretranslate"]',
            )
        )
        yield Scene(runtime, owner, engine, clock, new_id())


@pytest.mark.req("TR-2", "TR-4")
async def test_a_message_is_translated_once_into_each_language_of_its_readers(scene):
    message = scene.written("Maya has swimming at 15:30.", "en", "es", "es-MX", "pl")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {
        "es": "[es] Maya has swimming at 15:30.",
        "pl": "[pl] Maya has swimming at 15:30.",
    }
    assert [body["q"] for path, body in scene.engine.asked if path == "/translate"] == [
        ["{0} has swimming at {1}."]
    ] * 2
    assert await scene.waiting() == 0
    assert {one.engine for one in scene.owner.stored} == {"libretranslate"}
    assert {one.source_language for one in scene.owner.stored} == {"en"}


@pytest.mark.req("TR-4")
async def test_the_names_of_school_and_classes_are_words_of_its_own(scene):
    async with scene.runtime.database.tenant(scene.school) as tx:
        await tx.execute(
            "insert into known_school (school_id, revision, code, name, country, zone, language, policy_preset)"
            " values ($1, 1, 'OAKH', 'Oak Hill', 'GB', 'Europe/London', 'en', 'a')",
            scene.school,
        )
        await tx.execute(
            "insert into known_class (school_id, class_id, revision, name, archived) values ($1, $2, 1, 'Willow', false)",
            scene.school, new_id(),
        )  # fmt: skip
    message = scene.written("Willow of Oak Hill wins", "es")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.engine.asked[-1][1]["q"] == ["{0} of {1} wins"]
    assert scene.owner.translations(message) == {"es": "[es] Willow of Oak Hill wins"}


@pytest.mark.req("TR-2")
async def test_nothing_is_asked_where_all_read_the_language_of_the_text(scene):
    message = scene.written("Hello", "en", "en-GB")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.stored == []
    assert scene.engine.count("/translate") == 0


async def test_an_event_that_comes_twice_has_one_effect(scene):
    message, event_id = scene.written("Hello", "es"), new_id()
    await scene.hears_that_it_was_sent(message, event_id=event_id)
    await scene.works()
    with pytest.raises(AlreadyProcessed):
        await scene.hears_that_it_was_sent(message, event_id=event_id)
    await scene.works()
    assert len(scene.owner.stored) == 1


async def test_a_text_that_is_surely_in_another_language_is_translated_from_that(scene):
    message = scene.written(SPANISH, "en", "es", "pl", language="en")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    translations = scene.owner.translations(message)
    assert translations["en"] == f"[en] {SPANISH}"
    assert translations["pl"] == f"[pl] {SPANISH}"
    assert {one.source_language for one in scene.owner.stored} == {"es"}


async def test_readers_of_the_language_a_text_is_really_in_get_it_as_it_is(scene):
    message = scene.written(SPANISH, "es", language="en")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"es": SPANISH}
    assert [(one.engine, one.source_language) for one in scene.owner.stored] == [("none", "es")]
    assert scene.engine.count("/translate") == 0


async def test_names_numbers_and_emoji_alone_ask_no_engine(scene):
    message = scene.written("Maya 15:30 🎉", "es")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"es": "Maya 15:30 🎉"}
    assert scene.engine.count("/translate") == 0


@pytest.mark.req("TR-5")
@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.TOO_MANY, Mode.HANGS_UP, Mode.GARBAGE], ids=lambda mode: mode.name)
async def test_an_engine_that_fails_is_told_once_and_the_translation_follows(scene, mode):
    message = scene.written("Hello Maya", "es")
    scene.engine.mode = mode
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"es": None}
    for _ in range(3):
        await scene.works(after=timedelta(minutes=3))
    assert len(scene.owner.stored) == 1
    scene.engine.mode = Mode.WORKING
    await scene.works(after=timedelta(minutes=3))
    assert scene.owner.translations(message) == {"es": "[es] Hello Maya"}
    assert await scene.waiting() == 0


@pytest.mark.req("OPS-3")
async def test_an_engine_counts_as_away_also_when_it_does_not_even_say_what_it_translates(scene):
    def away() -> float:
        return (
            REGISTRY.get_sample_value("bookbag_translations_total", {"engine": "libretranslate", "outcome": "away"})
            or 0
        )

    before = away()
    await scene.hears_that_it_was_sent(scene.written("Hello", "es"))
    scene.engine.mode = Mode.BROKEN
    await scene.works()
    assert (scene.engine.count("/translate"), away()) == (0, before + 1)


@pytest.mark.req("TR-5")
async def test_an_engine_is_not_asked_before_its_time(scene):
    message = scene.written("Hello", "es")
    await scene.hears_that_it_was_sent(message)
    await Means.of(scene.runtime).engines.choose("en", "es")
    scene.engine.mode, scene.engine.retry_after = Mode.TOO_MANY, "600"
    await scene.works()
    scene.engine.mode = Mode.WORKING
    asked = scene.engine.count("/translate")
    await scene.works(after=timedelta(seconds=599))
    assert scene.engine.count("/translate") == asked
    await scene.works(after=timedelta(seconds=122))
    assert scene.owner.translations(message) == {"es": "[es] Hello"}


@pytest.mark.req("TR-3", "TR-5")
async def test_a_pair_without_an_engine_is_told_and_an_engine_added_later_catches_up(scene):
    message = scene.written("Hello", "so")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"so": None}
    await scene.works(after=timedelta(days=1))
    await actions.catch_up(scene.runtime)
    await scene.works()
    assert len(scene.owner.stored) == 1
    scene.engine.languages = {"en": ("so",)}
    scene.clock.move(ASK_AGAIN_AFTER)
    await actions.catch_up(scene.runtime)
    await scene.works()
    assert scene.owner.translations(message) == {"so": "[so] Hello"}
    assert await scene.waiting() == 0


@pytest.mark.req("TR-4")
async def test_the_second_form_of_placeholders_is_tried_when_an_engine_breaks_the_first(scene):
    scene.engine.mode = Mode.LOSES_BRACES_ONLY
    message = scene.written("Maya at 15:30", "es")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"es": "[es] Maya at 15:30"}


@pytest.mark.req("TR-4", "TR-5")
async def test_a_translation_that_lost_a_name_is_refused_and_given_up_in_the_end(scene):
    scene.engine.mode = Mode.LOSES_PLACEHOLDERS
    message = scene.written("Hello Maya", "es")
    await scene.hears_that_it_was_sent(message)
    for _ in range(5):
        await scene.works(after=timedelta(hours=1))
    assert scene.owner.translations(message) == {"es": None}
    assert scene.engine.count("/translate") == 6
    scene.engine.mode = Mode.WORKING
    await scene.works(after=timedelta(hours=1))
    assert scene.owner.translations(message) == {"es": None}
    await scene.hears_a_wish(message, "es")
    await scene.works()
    assert scene.owner.translations(message) == {"es": "[es] Hello Maya"}


@pytest.mark.req("TR-5")
async def test_a_wish_does_not_disturb_what_is_on_its_way(scene):
    message = scene.written("Hello", "es")
    scene.engine.mode = Mode.BROKEN
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    await scene.hears_a_wish(message, "es")
    asked = len(scene.engine.asked)
    await scene.works()
    assert len(scene.engine.asked) == asked


async def test_a_reader_whose_language_came_later_gets_it_by_wish(scene):
    message = scene.written("Hello", "es")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    await scene.hears_a_wish(message, "pl")
    await scene.hears_a_wish(message, "en-GB")
    await scene.hears_a_wish(message, "tlh")
    await scene.works()
    assert scene.owner.translations(message) == {"es": "[es] Hello", "pl": "[pl] Hello"}


@pytest.mark.req("TR-5")
async def test_while_the_owner_is_away_events_wait_and_no_attempt_counts(scene):
    message = scene.written("Hello", "es")
    scene.owner.away = True
    with pytest.raises(DependencyAway):
        await scene.hears_that_it_was_sent(message)
    scene.owner.away = False
    await scene.hears_that_it_was_sent(message)
    scene.owner.away = True
    for _ in range(3):
        with pytest.raises(DependencyAway):
            await scene.works(after=timedelta(seconds=5))
    async with scene.runtime.database.tenant(scene.school) as tx:
        assert await tx.fetchval("select attempts from translation_request") == 0
    scene.owner.away = False
    await scene.works(after=timedelta(seconds=5))
    assert scene.owner.translations(message) == {"es": "[es] Hello"}


@pytest.mark.parametrize("fate", ["gone", "withdrawn", "edited"])
async def test_a_text_that_is_no_longer_what_it_was_leaves_nothing_behind(scene, fate):
    message = scene.written("Hello", "es")
    await scene.hears_that_it_was_sent(message)
    if fate == "gone":
        del scene.owner.texts[message]
    elif fate == "withdrawn":
        scene.owner.texts[message].withdrawn = True
    else:
        scene.owner.texts[message] = Text("Hello again", ("es",), version=2)
    await scene.works()
    assert scene.owner.translations(message) == ({"es": "[es] Hello again"} if fate == "edited" else {})
    assert await scene.waiting() == 0


async def test_a_worker_that_dies_in_the_middle_gives_its_text_to_another(scene):
    message = scene.written("Hello", "es")
    await scene.hears_that_it_was_sent(message)
    claimed = await actions._next(scene.runtime)
    assert claimed is not None
    assert await actions._next(scene.runtime) is None
    await scene.works(after=timedelta(seconds=59))
    assert scene.owner.translations(message) == {}
    await scene.works(after=timedelta(seconds=1))
    assert scene.owner.translations(message) == {"es": "[es] Hello"}


async def test_a_text_that_its_owner_stumbles_over_holds_up_no_other(scene):
    messages = [scene.written(f"Hello {number}", "es") for number in range(20)]
    for message in messages:
        await scene.hears_that_it_was_sent(message)
    scene.owner.broken = {messages[3]}
    with pytest.raises(grpc.aio.AioRpcError):
        await scene.works()
    assert len(scene.owner.stored) == 19
    scene.owner.broken = set()
    await scene.works(after=timedelta(minutes=1))
    assert len(scene.owner.stored) == 20


async def test_many_texts_of_many_schools_are_each_translated_once(scene):
    messages = {}
    for _ in range(3):
        scene.school = new_id()
        for number in range(20):
            message = scene.written(f"Hello number {number}", "es", "pl")
            await scene.hears_that_it_was_sent(message)
            messages[message] = number
    await scene.works()
    assert len(scene.owner.stored) == 120
    for message, number in messages.items():
        assert scene.owner.translations(message)["pl"] == f"[pl] Hello number {number}"


async def test_a_text_too_long_to_translate_is_told_and_left(scene):
    message = scene.written("x" * 4_001, "es")
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    assert scene.owner.translations(message) == {"es": None}
    assert scene.engine.count("/translate") == 0


async def test_after_three_days_without_an_engine_it_rests_and_after_thirty_it_is_forgotten(scene):
    message = scene.written("Hello", "es")
    scene.engine.mode = Mode.BROKEN
    await scene.hears_that_it_was_sent(message)
    await scene.works()
    await scene.works(after=GIVE_UP_AFTER)
    asked = len(scene.engine.asked)
    await scene.works(after=timedelta(days=1))
    assert len(scene.engine.asked) == asked
    await actions.forget_old_requests(scene.runtime)
    assert await scene.waiting() == 1
    scene.clock.move(timedelta(days=27))
    await actions.forget_old_requests(scene.runtime)
    assert await scene.waiting() == 0


async def test_the_engine_of_the_settings_is_used_and_no_other(scene):
    engines = Means.of(scene.runtime).engines.engines
    assert [type(engine) for engine in engines] == [LibreTranslate]


@pytest.mark.req("TR-3", "MSG-7")
async def test_the_local_engine_translates_a_message_for_a_spanish_family(apertium_installed, house: House):
    async with (
        owner_of(house) as owner,
        house.runtime("translate", BOOKBAG_PEERS=json.dumps({"messaging": owner.address})) as runtime,
    ):
        scene = Scene(runtime, owner, LibreTranslateDouble(), MovableClock(datetime.now(UTC)), new_id())
        message = scene.written("Maya's class goes swimming at 15:30.\n\nPlease bring a coat.", "en", "es", "ur")
        await scene.hears_that_it_was_sent(message)
        await actions.translate_due(runtime)
        spanish = owner.translations(message)["es"]
        assert spanish is not None
        assert "Maya" in spanish
        assert "15:30" in spanish
        assert "\n\n" in spanish
        assert owner.translations(message)["ur"] is None
