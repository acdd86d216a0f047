"""A TCP proxy between two parts that can do what networks do: cut, go silent without a word, be slow, lose a reply that was on its way.

It runs in a thread of its own, so tests of any kind, and processes, can stand on both sides of it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

COMMITTED: Final = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How PostgreSQL says that a transaction is committed."""

PIECE = 65536


@dataclass
class Proxy:
    """Passes bytes on to `target`. Change its mood at any moment, from any thread."""

    target: int
    port: int = 0
    delay: float = 0.0
    frozen: bool = False
    refusing: bool = False
    swallow: bytes | None = None
    """When the server says this, the reply is lost and the connection cut: the server did it, the client cannot know."""
    swallowed: int = 0
    passed: int = 0
    """Connections that were made."""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _lines: list["_Line"] = field(default_factory=list)
    _thawed: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Cut every connection that is open now; new ones are made."""
        self._loop.call_soon_threadsafe(self._cut)

    def freeze(self) -> None:
        """From now on nothing passes, in open and in new connections, and nobody is told: half-open."""
        self.frozen = True
        self._loop.call_soon_threadsafe(self._lose)

    def _lose(self) -> None:
        self._thawed.clear()
        for line in self._lines:
            line.lost = True

    def thaw(self) -> None:
        """New connections pass again. The frozen ones stay silent: what was in them is lost, as with a router that forgot them."""
        self.frozen = False
        self._loop.call_soon_threadsafe(self._thawed.set)

    def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            if self.frozen:
                await self._thawed.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self.passed += 1
            self._open.add(back)
            line = _Line(writer, back)
            self._lines.append(line)
            await asyncio.gather(
                self._carry(reader, back, line, to_client=False), self._carry(there, writer, line, to_client=True)
            )
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: "_Line", *, to_client: bool
    ) -> None:
        try:
            while piece := await reader.read(PIECE):
                if line.lost:
                    continue  # read and thrown away: neither side is told anything
                if self.delay:
                    await asyncio.sleep(self.delay)
                if to_client and self.swallow is not None and self.swallow in piece:
                    self.swallowed += 1
                    line.abort()
                    return
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            if not line.lost:
                with suppress(OSError):
                    writer.close()
            self._open.discard(writer)


@dataclass(eq=False)
class _Line:
    """One connection, both ways. `lost` is one through which nothing will ever pass again."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    lost: bool = False

    def abort(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


@contextmanager
def between(target: int) -> Generator[Proxy]:
    """A proxy before a port, gone afterwards."""
    proxy = Proxy(target)
    with in_thread(proxy._loop, lambda: _listen(proxy), name="tcp proxy"):
        yield proxy


async def _listen(proxy: Proxy) -> asyncio.Server:
    proxy._thawed.set()
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    return server


@contextmanager
def in_thread(
    loop: asyncio.AbstractEventLoop, listen: Callable[[], Awaitable[asyncio.Server]], *, name: str
) -> Generator[None]:
    """Run a server on a loop of its own in a thread of its own, and leave nothing."""
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_awaited(listen()), loop).result(10)
    try:
        yield
    finally:

        async def end() -> None:
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _awaited(made: Awaitable[asyncio.Server]) -> asyncio.Server:
    return await made
