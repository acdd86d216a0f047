"""A LibreTranslate-compatible server over a real socket, with the failures of real ones, for tests and benches.

It "translates" by writing the target's code before each text, so that a test sees what went where. A bench makes it
slow with `latency`, a test makes it fail with `mode`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


class Mode(Enum):
    WORKING = "working"
    TOO_MANY = "429 with Retry-After"
    BROKEN = "500"
    BUSY = "503 with a date as Retry-After"
    KEY_REFUSED = "403"
    BAD_REQUEST = "400"
    SILENT = "accepts and never answers"
    HANGS_UP = "closes without an answer"
    GARBAGE = "200 with something that is not JSON"
    WRONG_SHAPE = "200 with other JSON"
    TOO_FEW = "200 with a text less than asked"
    REDIRECTS = "302 to elsewhere"
    ENDLESS = "200 with a body without end"
    LOSES_PLACEHOLDERS = "200 with everything in braces dropped"
    LOSES_BRACES_ONLY = "200 with braces dropped and unknown words kept"


ALL_TARGETS = ("en", "es", "pl", "ar", "ur", "cy")


@dataclass
class LibreTranslateDouble:
    """What the server does next, and what it was asked."""

    languages: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(ALL_TARGETS, ALL_TARGETS))
    key: str | None = None
    latency: timedelta = timedelta(0)
    mode: Mode = Mode.WORKING
    retry_after: str = "7"
    asked: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    url: str = ""

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def answer(self, path: str, body: dict[str, object]) -> tuple[int, object, dict[str, str]]:
        """The status, JSON body and headers for one request."""
        match self.mode:
            case Mode.TOO_MANY:
                return 429, {"error": "Slowdown"}, {"Retry-After": self.retry_after}
            case Mode.BROKEN:
                return 500, {"error": "Cannot translate text"}, {}
            case Mode.BUSY:
                return 503, {"error": "busy"}, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}
            case Mode.KEY_REFUSED:
                return 403, {"error": "Invalid API key"}, {}
            case Mode.BAD_REQUEST:
                return 400, {"error": "Invalid request"}, {}
            case Mode.WRONG_SHAPE:
                return 200, {"translated": "no"}, {}
            case Mode.REDIRECTS:
                return 302, {}, {"Location": "http://127.0.0.1:9/elsewhere"}
            case _:
                pass
        if path == "/languages":
            offered = [{"code": code, "name": code, "targets": list(to)} for code, to in self.languages.items()]
            return 200, offered, {}
        if self.key is not None and body.get("api_key") != self.key:
            return 403, {"error": "Invalid API key"}, {}
        texts = body["q"]
        assert isinstance(texts, list)
        return 200, {"translatedText": self._translated(texts, body["target"])}, {}

    def _translated(self, texts: list[str], target: object) -> list[str]:
        match self.mode:
            case Mode.TOO_FEW:
                texts = texts[1:]
            case Mode.LOSES_PLACEHOLDERS:
                texts = [text.replace("{", "").replace("}", "").replace("QZX", "") for text in texts]
            case Mode.LOSES_BRACES_ONLY:
                texts = [text.replace("{", "").replace("}", "") for text in texts]
            case _:
                pass
        return [f"[{target}] {text}" for text in texts]


@asynccontextmanager
async def libretranslate_double(double: LibreTranslateDouble) -> AsyncIterator[LibreTranslateDouble]:
    """Serve `double` on a free loopback port until the block ends; its `url` is set."""
    server = await asyncio.start_server(lambda reader, writer: _serve(double, reader, writer), "127.0.0.1", 0)
    double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield double
    finally:
        server.close()


async def _serve(double: LibreTranslateDouble, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            body = json.loads(raw) if raw else {}
            double.asked.append((path, body))
            if double.mode is Mode.HANGS_UP:
                return
            if double.mode is Mode.SILENT:
                await reader.read()
                return
            await asyncio.sleep(double.latency.total_seconds())
            if double.mode is Mode.ENDLESS:
                await _write_without_end(writer)
                return
            status, answer, extra = double.answer(path, body)
            content = b"<html>" if double.mode is Mode.GARBAGE else json.dumps(answer).encode()
            lines = [f"HTTP/1.1 {status} x", "Content-Type: application/json", f"Content-Length: {len(content)}"]
            lines += [f"{name}: {value}" for name, value in extra.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


async def _write_without_end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await writer.drain()
