"""What is missing is said once, and what is away without a word is noticed."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog

from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.waiting import until_there
from bookbag.chassis.wake import BEAT_SECONDS, Wake
from tests.support.house import House

pytestmark = pytest.mark.req("OPS-4")


async def test_what_is_missing_is_said_once_each_and_so_is_that_it_is_there() -> None:
    missing = ["postgresql", "postgresql", "migrations"]

    async def ask() -> None:
        if missing:
            raise DependencyAway(missing.pop(0))

    with structlog.testing.capture_logs() as lines:
        await until_there(ask, service="messaging")
    assert [(line["event"], line["dependency"], line["service"]) for line in lines] == [
        ("waits for what is away", "postgresql", "messaging"),
        ("waits for what is away", "migrations", "messaging"),
        ("goes on", "migrations", "messaging"),
    ]


async def test_what_is_there_is_not_worth_a_word() -> None:
    async def ask() -> None:
        """It answers."""

    with structlog.testing.capture_logs() as lines:
        await until_there(ask)
    assert lines == []


def test_a_log_that_cannot_be_written_fails_nobody() -> None:
    program = (
        "import structlog; from bookbag.chassis import telemetry; from bookbag.chassis.settings import Listening;"
        "telemetry.set_up('test', Listening()); [structlog.get_logger().error('full', count=n) for n in range(2000)]; print('went on')"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert done.stdout == "went on\n"


class Hole:
    """Stands before a server and can let connections go silent: they stay open, and nothing comes through any more."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ways: list[asyncio.Task[None]] = []
        self.connections = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, onwards = await asyncio.open_connection("127.0.0.1", self._port)
        self._ways += [asyncio.create_task(self._pass(reader, onwards)), asyncio.create_task(self._pass(there, writer))]

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(4096):
            writer.write(piece)
            await writer.drain()

    def swallow(self) -> None:
        """Let every connection that is open go silent."""
        for way in self._ways:
            way.cancel()


@asynccontextmanager
async def hole_before(port: int) -> AsyncIterator[tuple[Hole, int]]:
    hole = Hole(port)
    server = await asyncio.start_server(hole.take, "127.0.0.1", 0)
    yield hole, server.sockets[0].getsockname()[1]
    server.close()
    hole.swallow()


@pytest.mark.slow
async def test_a_listener_whose_connection_went_silent_listens_anew(house: House) -> None:
    url = urlsplit(house.environment["BOOKBAG_REDIS_URL"])
    async with hole_before(url.port or 0) as (hole, port):
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}")).geturl()
        listening, signalling = Wake(through, "silence"), Wake(url.geturl())
        await listening.start()
        with listening.sleeper("silence:broken") as sleeper:

            async def heard() -> bool:
                signalling.signal("silence:broken")
                return await sleeper.wait(0.5)

            async with asyncio.timeout(10):
                while not await heard():
                    pass
            hole.swallow()
            async with asyncio.timeout(4 * BEAT_SECONDS):
                while not await heard():
                    pass
        assert hole.connections == 2
        await listening.close()
        await signalling.close()
