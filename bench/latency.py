"""E2E: from the answer that a message is accepted to its event on the reader's live stream, idle and while two hundred messages a second
go through the same installation. A reader notices what takes longer than a breath, so the ninety-ninth is what counts.

Idle is a school at a busy hour: five messages a second, each with its translation and its mail."""

import asyncio
import json
import math
import multiprocessing
import statistics
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx2

from bench.results import Result
from bench.running import NAMES, Kind, fresh
from bookbag.chassis.clock import new_id

SENDS = 200
PACE_SECONDS = 0.2
WARMING = 10
"""Messages before those that count: what a process does for the first time only (connections, templates) is no part of a day."""
GOAL_MS = 150.0
"""Of the idle installation; the busy one, whose load runs on the same cores, is told beside and has no goal."""
LOAD_PER_SECOND = 200
WRITER, READER, PUPIL = "Ms Hughes", "Carmen", "Maya"
OTHERS = ("Sami", "Gwen", "Zofia")
"""Pupils about whom the load is written: other families read it."""


def measure() -> Sequence[Result]:
    """Both figures on both runs."""
    return [*_of("up", "ab"), *_of("stack", "cd")]


def _of(kind: Kind, parts: str) -> Sequence[Result]:
    with fresh(kind) as product:
        idle = asyncio.run(_latencies(product.address))
        load = multiprocessing.get_context("spawn").Process(target=_load, args=(product.address,), daemon=True)
        load.start()
        busy = asyncio.run(_latencies(product.address))
        load.terminate()
        load.join()
    results: list[Result] = []
    for part, what, goal, found in zip(
        parts,
        ("idle", f"with {LOAD_PER_SECOND} messages/s beside"),
        (GOAL_MS, math.inf),
        (idle, busy),
        strict=True,
    ):
        p50, p99 = (statistics.quantiles(found, n=100)[at] * 1000 for at in (49, 98))
        print(f"E2E: {NAMES[kind]}, {what}: p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(found)}")
        results.append(
            Result(f"E2E{part}", f"accepted → live event at the reader, {NAMES[kind]}, {what}, p99", round(p99, 1), "ms",
                   f"≤ {goal:g}" if math.isfinite(goal) else "none", p99 <= goal, {"p50": p50, "all": found})
        )  # fmt: skip
    return results


def _load(address: str) -> None:
    asyncio.run(_write_forever(address))


async def _write_forever(address: str) -> None:
    """Offer messages at a fixed pace, whatever the answers take."""
    async with _signed_in(address, WRITER, "teacher") as client:
        threads = [await _thread(client, pupil) for pupil in OTHERS]
        running: set[asyncio.Task[float]] = set()
        due = time.monotonic()
        for number in range(1_000_000):
            due += 1 / LOAD_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(_send(client, threads[number % len(threads)]))
            running.add(task)
            task.add_done_callback(running.discard)


async def _latencies(address: str) -> list[float]:
    async with _signed_in(address, WRITER, "teacher") as writer, _signed_in(address, READER, "guardian") as reader:
        thread, heard, open_ = await _thread(writer, PUPIL), dict[str, float](), asyncio.Event()
        following = asyncio.create_task(_follow(reader, heard, open_))
        await asyncio.wait_for(open_.wait(), 10)
        accepted: dict[str, float] = {}
        for _ in range(WARMING):
            await _send(writer, thread)
            await asyncio.sleep(PACE_SECONDS)
        for _ in range(SENDS):
            message, at = await _send_and_tell(writer, thread)
            accepted[message] = at
            await asyncio.sleep(PACE_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(_all_heard(accepted, heard), 30)
        following.cancel()
        if missing := accepted.keys() - heard.keys():
            raise SystemExit(f"E2E: {len(missing)} messages never came to the reader")
        return [max(0.0, heard[message] - at) for message, at in accepted.items()]


async def _all_heard(accepted: dict[str, float], heard: dict[str, float]) -> None:
    while accepted.keys() - heard.keys():  # noqa: ASYNC110 - what the stream heard, looked at now and then
        await asyncio.sleep(0.1)


async def _follow(client: httpx2.AsyncClient, heard: dict[str, float], is_open: asyncio.Event) -> None:
    async with client.stream("GET", "/notify/v1/stream", timeout=60) as answer:
        kind = ""
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
                is_open.set()
            elif name == "data" and kind == "message":
                heard.setdefault(json.loads(value)["message"], time.monotonic())


async def _send(client: httpx2.AsyncClient, thread: str) -> float:
    return (await _send_and_tell(client, thread))[1]


async def _send_and_tell(client: httpx2.AsyncClient, thread: str) -> tuple[str, float]:
    answer = await client.post(
        f"/messaging/v1/threads/{thread}/messages",
        json={"text": "Maya read a whole book aloud today."},
        headers={"idempotency-key": new_id().hex},
    )
    at = time.monotonic()
    answer.raise_for_status()
    return answer.json()["id"], at


async def _thread(client: httpx2.AsyncClient, pupil: str) -> str:
    contact = (await client.get("/messaging/v1/contacts", params={"q": pupil})).json()["items"][0]
    who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
    opened = await client.post("/messaging/v1/threads", json=who, headers={"idempotency-key": new_id().hex})
    return opened.json()["id"]


@asynccontextmanager
async def _signed_in(address: str, name: str, role: str) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=address, timeout=20, verify=False) as client:
        people = (await client.get("/identity/v1/demo/people")).json()["people"]
        person = next(one["person"] for one in people if name in one["name"] and one["role"] == role)
        who = {"person": person, "role": role}
        (await client.post("/identity/v1/demo/sessions", json=who)).raise_for_status()
        token = (await client.post("/identity/v1/tokens", json=who)).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client
