"""Passes connections on from an address that pods reach to servers of this machine that listen on loopback alone.

Run as a program in a process of its own, so that the tests' work never stands in the way of the product's: python -m
tests.cluster.forward HOST PORT=TARGET…
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence

import uvloop

LOOPBACK = "127.0.0.1"
PIECE = 65536


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


async def _serve(host: str, port: int, target: int) -> asyncio.Server:
    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            their_reader, their_writer = await asyncio.open_connection(LOOPBACK, target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass_on(reader, their_writer), _pass_on(their_reader, writer))
        for each in (writer, their_writer):
            with contextlib.suppress(OSError):
                each.close()

    return await asyncio.start_server(taken, host, port, backlog=512)


async def main(host: str, pairs: Sequence[str]) -> None:
    """Listen until this process is ended; say `ready` once all ports are."""
    for pair in pairs:
        port, target = map(int, pair.split("="))
        await _serve(host, port, target)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2:]))
