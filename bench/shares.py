"""What the processor time of one accepted message goes to, from a profile of the API's own code without the network."""

import asyncio
import cProfile
import os
import pstats
import time
from typing import Any
from uuid import uuid4

from bench.installation import Installation
from bookbag.chassis import runtime as runtimes
from bookbag.chassis.http import service_app
from bookbag.chassis.settings import Platform
from bookbag.chassis.wake import Wake
from bookbag.cli.services import named

SENDS = 1500

_PARTS = {
    "token": ("directory/http.py", "chassis/tokens.py"),
    "database": ("asyncpg", "chassis/database.py", "messaging/store.py"),
    "validation": (
        "pydantic",
        "fastapi/dependencies",
        "json/",
        "fastapi/_compat",
        "fastapi/encoders",
        "messaging/model.py",
    ),
    "framework": ("fastapi", "starlette", "asyncio", "opentelemetry"),
    "own": ("services/", "bookbag/"),
}


def shares_of_a_send(here: Installation) -> dict[str, float]:
    """Share of processor time per part, summing to 1. What C functions take counts for whoever called them."""
    profile = asyncio.run(_profiled(here))
    sums = dict.fromkeys([*_PARTS, "rest"], 0.0)
    stats: dict[Any, Any] = vars(pstats.Stats(profile))["stats"]
    for (file, _, _), (_, _, own, _, callers) in stats.items():
        if file != "~":
            sums[_part_of(file)] += own
            continue
        for (caller, _, _), (_, _, spent, _) in callers.items():
            sums[_part_of(caller)] += spent
    whole = sum(sums.values())
    return {part: round(spent / whole, 3) for part, spent in sums.items()}


def _part_of(file: str) -> str:
    return next((part for part, places in _PARTS.items() if any(place in file for place in places)), "rest")


async def _profiled(here: Installation) -> cProfile.Profile:
    os.environ.update(here.environment)
    service = named("messaging")[0]
    platform = Platform()  # type: ignore[call-arg]
    wake = Wake(platform.redis_url.get_secret_value())
    runtime = runtimes.build(service, platform, wake, working=False)
    app = service_app(runtime)
    targets = [line.split() for line in here.targets.read_text().splitlines()[:50]]
    profile = cProfile.Profile(time.process_time)
    try:
        for number in range(SENDS + 100):
            if number == 100:
                profile.enable()
            token, thread = targets[number % len(targets)]
            await _send(app, token, thread)
        profile.disable()
    finally:
        await runtime.close()
        await wake.close()
    return profile


async def _send(app: object, token: str, thread: str) -> None:
    body = b'{"text": "Maya read a whole book aloud today."}'
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "query_string": b"",
        "path": f"/v1/threads/{thread}/messages", "raw_path": f"/v1/threads/{thread}/messages".encode(), "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json"),
            (b"idempotency-key", uuid4().hex.encode()), (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[operator]
    if sent[0]["status"] != 201:
        raise SystemExit(f"a send was refused with {sent[0]['status']}")
