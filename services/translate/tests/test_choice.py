"""The choice of engines for a pair, over two real servers."""

from contextlib import AsyncExitStack

import pytest

from services.translate.engines import Engines, EngineUnavailableError, PairUnsupportedError
from services.translate.engines.libretranslate import LibreTranslate
from services.translate.tests.libretranslate_double import LibreTranslateDouble, Mode, libretranslate_double

pytestmark = pytest.mark.req("TR-3")


@pytest.fixture
async def two(clock):
    async with AsyncExitStack() as stack:
        near = await stack.enter_async_context(libretranslate_double(LibreTranslateDouble({"en": ("es", "pl")})))
        far = await stack.enter_async_context(libretranslate_double(LibreTranslateDouble({"en": ("es", "ar")})))
        engines = Engines(
            (LibreTranslate(near.url, clock=clock, name="near"), LibreTranslate(far.url, clock=clock, name="far")),
            preferred={("en", "ar"): ["far"]},
        )
        yield engines, near, far
        await engines.close()


async def names(engines, source, target):
    return [engine.name for engine in await engines.choose(source, target)]


async def test_all_engines_with_the_pair_are_given_in_their_order(two):
    engines, _, _ = two
    assert await names(engines, "en", "es") == ["near", "far"]
    assert await names(engines, "en", "pl") == ["near"]


async def test_a_pair_can_prefer_another_order(two):
    engines, near, _ = two
    near.languages = {"en": ("es", "pl", "ar")}
    assert await names(engines, "en", "ar") == ["far", "near"]


async def test_a_pair_nobody_has_is_unsupported(two):
    engines, _, _ = two
    with pytest.raises(PairUnsupportedError):
        await engines.choose("en", "ur")
    with pytest.raises(PairUnsupportedError):
        await Engines().choose("en", "es")


@pytest.mark.req("TR-5")
async def test_an_engine_that_is_away_is_passed_over(two):
    engines, near, _ = two
    near.mode = Mode.BROKEN
    assert await names(engines, "en", "es") == ["far"]


@pytest.mark.req("TR-5")
async def test_a_pair_that_only_an_absent_engine_may_have_is_unavailable_not_unsupported(two):
    engines, near, _ = two
    near.mode = Mode.TOO_MANY
    with pytest.raises(EngineUnavailableError):
        await engines.choose("en", "pl")
