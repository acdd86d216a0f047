"""The LibreTranslate engine over a real socket: discovery, keys, and every way a server can fail."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from services.translate.engines.libretranslate import LONGEST_WAIT, LibreTranslate
from services.translate.engines.port import EngineUnavailableError, PairUnsupportedError
from services.translate.tests.libretranslate_double import LibreTranslateDouble, Mode, libretranslate_double

pytestmark = pytest.mark.req("TR-3")


@pytest.fixture
async def server():
    async with libretranslate_double(LibreTranslateDouble()) as double:
        yield double


@pytest.fixture
async def engine(server, clock):
    made = LibreTranslate(server.url + "/", clock=clock, answer_within=timedelta(seconds=2))
    yield made
    await made.close()


async def test_texts_come_back_translated_in_order(engine, server):
    assert await engine.translate(["one", "two\n\nlines"], "en", "pl") == ["[pl] one", "[pl] two\n\nlines"]
    assert server.asked[-1] == (
        "/translate",
        {"q": ["one", "two\n\nlines"], "source": "en", "target": "pl", "format": "text"},
    )


async def test_nothing_is_asked_for_no_texts(engine, server):
    assert await engine.translate([], "en", "pl") == []
    assert server.count("/translate") == 0


async def test_the_list_of_languages_is_asked_once_in_ten_minutes(engine, server, clock):
    assert await engine.supports("en", "cy")
    assert not await engine.supports("en", "so")
    server.languages = {"en": ("so",), "so": ("en",)}
    clock.seconds += 599
    assert not await engine.supports("en", "so")
    assert server.count("/languages") == 1
    clock.seconds += 1
    assert await engine.supports("en", "so")
    assert not await engine.supports("en", "cy")


async def test_callers_that_come_together_wait_for_one_list(engine, server):
    server.latency = timedelta(milliseconds=50)
    assert all(await asyncio.gather(*(engine.supports("en", "es") for _ in range(10))))
    assert server.count("/languages") == 1


async def test_our_tags_become_the_codes_that_the_server_has(engine, server):
    server.languages = {"en": ("zt", "pb", "nb"), "zt": ("en",)}
    assert await engine.pairs() == {("en", "zh-Hant"), ("en", "pt-BR"), ("en", "nb"), ("zh-Hant", "en")}
    await engine.translate(["x"], "en", "zh-Hant")
    assert server.asked[-1][1]["target"] == "zt"


async def test_a_pair_the_server_does_not_offer_is_unsupported(engine, server):
    server.languages = {"en": ("es",)}
    with pytest.raises(PairUnsupportedError):
        await engine.translate(["x"], "es", "en")


async def test_the_key_is_sent_and_never_shown(server, clock):
    server.key = "s3cret-key"
    engine = LibreTranslate(server.url, clock=clock, key=SecretStr("s3cret-key"))
    assert await engine.translate(["x"], "en", "es") == ["[es] x"]
    assert "s3cret-key" not in repr(vars(engine))
    await engine.close()


async def test_a_refused_key_waits_long(server, clock):
    server.key = "right"
    engine = LibreTranslate(server.url, clock=clock, key=SecretStr("wrong"))
    with pytest.raises(EngineUnavailableError, match="key") as unavailable:
        await engine.translate(["x"], "en", "es")
    assert unavailable.value.retry_after == LONGEST_WAIT
    await engine.close()


@pytest.mark.parametrize(
    ("mode", "retry_after"),
    [
        (Mode.TOO_MANY, timedelta(seconds=7)),
        (Mode.BUSY, LONGEST_WAIT),
        (Mode.BROKEN, None),
        (Mode.BAD_REQUEST, None),
        (Mode.HANGS_UP, None),
        (Mode.GARBAGE, None),
        (Mode.WRONG_SHAPE, None),
        (Mode.TOO_FEW, None),
        (Mode.REDIRECTS, None),
        (Mode.ENDLESS, None),
    ],
    ids=lambda value: value.name if isinstance(value, Mode) else "",
)
@pytest.mark.req("TR-5")
async def test_a_failing_server_is_unavailable_and_then_works_again(engine, server, mode, retry_after):
    assert await engine.translate(["one"], "en", "es") == ["[es] one"]
    server.mode = mode
    with pytest.raises(EngineUnavailableError) as unavailable:
        await engine.translate(["a secret"], "en", "es")
    assert unavailable.value.retry_after == retry_after
    assert "secret" not in str(unavailable.value)
    server.mode = Mode.WORKING
    assert await engine.translate(["one"], "en", "es") == ["[es] one"]


@pytest.mark.parametrize("header", ["soon", "-3", "99999999999999999999", ""])
async def test_an_odd_retry_after_does_no_harm(engine, server, header):
    await engine.pairs()
    server.mode, server.retry_after = Mode.TOO_MANY, header
    with pytest.raises(EngineUnavailableError) as unavailable:
        await engine.translate(["x"], "en", "es")
    assert unavailable.value.retry_after in {None, timedelta(0), LONGEST_WAIT}


@pytest.mark.req("TR-5")
async def test_a_silent_server_is_given_up_in_time(server, clock):
    engine = LibreTranslate(server.url, clock=clock, answer_within=timedelta(milliseconds=200))
    await engine.pairs()
    server.mode = Mode.SILENT
    with pytest.raises(EngineUnavailableError, match="in time"):
        await engine.translate(["x"], "en", "es")
    await engine.close()


@pytest.mark.req("TR-5")
async def test_a_server_that_is_away_is_asked_for_its_languages_again_after_a_while(engine, server, clock):
    server.mode = Mode.BROKEN
    for _ in range(3):
        with pytest.raises(EngineUnavailableError):
            await engine.supports("en", "es")
    assert server.count("/languages") == 1
    server.mode = Mode.WORKING
    clock.seconds += 15
    assert await engine.supports("en", "es")


async def test_a_server_that_is_not_there_is_unavailable(clock):
    engine = LibreTranslate("http://127.0.0.1:1", clock=clock)
    with pytest.raises(EngineUnavailableError, match="not reached"):
        await engine.pairs()
    await engine.close()
