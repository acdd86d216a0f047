"""One running product that sends its traces to a receiver of the tests, and translates through a server of its own."""

import asyncio
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from services.translate.tests.libretranslate_double import LibreTranslateDouble, libretranslate_double
from tests.security.world import World, build_world
from tests.support.collector import Collector, collecting
from tests.support.house import built
from tests.support.whole import whole_product


@dataclass
class Traced:
    """A product with one school, and who receives its spans."""

    world: World
    collector: Collector


@contextmanager
def translating() -> Generator[str]:
    """A translation server in a thread of its own; gives its address."""
    double, ready, over = LibreTranslateDouble(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with libretranslate_double(double):
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield double.url
    finally:
        over.set()
        thread.join(10)


@pytest.fixture(scope="package")
def traced(servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    with (
        collecting() as collector,
        translating() as engine,
        built(servers, keys, folder) as house,
        whole_product(
            house,
            folder,
            BOOKBAG_NOTIFY_MAIL_GRACE_SECONDS="1",
            BOOKBAG_OTLP_ENDPOINT=collector.endpoint,
            BOOKBAG_TRANSLATE_ENGINES='["libretranslate"]',
            BOOKBAG_TRANSLATE_LIBRETRANSLATE_URL=engine,
        ) as product,
    ):
        yield Traced(build_world(product), collector)
