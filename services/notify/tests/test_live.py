"""The live stream, spoken to as a server would: what comes, from where it resumes, and what ends it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.http import service_app
from services.notify import actions
from services.notify.actions import live_channel
from services.notify.live import desk_of
from services.notify.model import ONLINE_FOR, STREAMS_PER_PERSON
from services.notify.tests.conftest import Town
from tests.support.house import eventually


class Stream:
    """One open HTTP request to the stream, chunk by chunk."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._chunks: asyncio.Queue[str | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._started = asyncio.Event()

    async def run(self, app, headers: dict[str, str]) -> None:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": "/v1/stream", "raw_path": b"/v1/stream", "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }  # fmt: skip
        asked = False

        async def receive():
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
                self._started.set()
            elif message.get("body"):
                self._chunks.put_nowait(bytes(message["body"]).decode())
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._chunks.put_nowait(None)

        await app(scope, receive, send)

    async def started(self) -> None:
        await asyncio.wait_for(self._started.wait(), 10)

    async def chunk(self) -> str | None:
        """The next frame as it came; None at the end."""
        return await asyncio.wait_for(self._chunks.get(), 10)

    async def frame(self) -> tuple[int | None, str, dict]:
        """Number, event and data of the next frame that is no beat."""
        chunk = await self.chunk()
        while chunk is not None and chunk.startswith(":"):
            chunk = await self.chunk()
        assert chunk is not None, "the stream ended"
        lines = dict(line.split(": ", 1) for line in chunk.strip().split("\n"))
        return int(lines["id"]) if "id" in lines else None, lines["event"], json.loads(lines["data"])

    async def frames(self, count: int) -> list[tuple[int | None, str, dict]]:
        return [await self.frame() for _ in range(count)]

    def nothing_more(self) -> bool:
        return self._chunks.empty()

    def hang_up(self) -> None:
        self._gone.set()


@asynccontextmanager
async def stream(town: Town, headers: dict[str, str], after: int | None = None) -> AsyncIterator[Stream]:
    opened = Stream()
    if after is not None:
        headers = headers | {"last-event-id": str(after)}
    task = asyncio.create_task(opened.run(service_app(town.runtime), headers))
    try:
        await opened.started()
        yield opened
    finally:
        opened.hang_up()
        await asyncio.wait_for(task, 10)


def guardian(town: Town, **more: object) -> dict[str, str]:
    return town.bearer(town.guardian, "guardian", **more)


def wake(town: Town) -> None:
    town.runtime.wake.signal(live_channel(town.school, town.guardian))


async def next_chunk(town: Town, live: Stream) -> str | None:
    """What comes next while the stream is made to look again and again, so that no test waits for its two seconds."""
    coming = asyncio.create_task(live.chunk())
    while not coming.done():
        wake(town)
        await asyncio.wait((coming,), timeout=0.02)
    return coming.result()


@pytest.mark.req("WEB-3", "NTF-1")
async def test_a_message_appears_on_an_open_stream(town: Town):
    async with stream(town, guardian(town)) as live:
        assert await live.frame() == (0, "ready", {"number": 0})
        assert live.headers["content-type"].startswith("text/event-stream")
        assert live.headers["cache-control"] == "no-store"
        assert live.headers["x-accel-buffering"] == "no"
        message = new_id()
        await town.message(message=message)

        assert await live.frame() == (
            1, "message", {"thread": str(town.thread), "message": str(message), "author": str(town.teacher)},
        )  # fmt: skip


@pytest.mark.req("WEB-3", "TR-2")
async def test_receipts_and_translations_travel_there_too(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        message = new_id()
        await town.message(message=message, author=town.guardian)
        await town.reads(town.teacher, 1)
        await town.translated(message, "es")

        assert [one[1:] for one in await live.frames(3)] == [
            ("message", {"thread": str(town.thread), "message": str(message), "author": str(town.guardian)}),
            ("read", {"thread": str(town.thread), "person": str(town.teacher), "seq": 1}),
            ("translation", {"thread": str(town.thread), "message": str(message), "language": "es"}),
        ]


@pytest.mark.req("WEB-3", "NTF-3")
async def test_a_stream_resumes_after_the_last_frame_without_loss_or_doubling(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        await town.message()
        await town.message()
        numbers = [number for number, *_ in await live.frames(2)]
    for _ in range(3):
        await town.message()

    async with stream(town, guardian(town), after=numbers[-1]) as live:
        assert await live.frame() == (2, "ready", {"number": 2})
        assert [number for number, *_ in await live.frames(3)] == [3, 4, 5]
        await town.message()
        assert (await live.frame())[0] == 6
        assert live.nothing_more()


@pytest.mark.req("NTF-3")
async def test_more_than_one_portion_of_missed_frames_comes_whole_and_in_order(town: Town):
    for _ in range(4):
        await town.message()
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute("update stream_head set number = 704 where person_id = $1", town.guardian)
        await tx.execute(
            "insert into stream_event (school_id, person_id, number, event_id, kind, roles, thread_id, content_id, actor_id, at)"
            " select $1, $2, n, uuidv7(), 'message', '{guardian}', $3, $3, $3, $4 from generate_series(5, 704) n",
            town.school, town.guardian, town.thread, town.clock.now(),
        )  # fmt: skip

    async with stream(town, guardian(town), after=0) as live:
        await live.frame()
        assert [number for number, *_ in await live.frames(704)] == list(range(1, 705))


@pytest.mark.req("WEB-3")
async def test_what_was_missed_longer_than_a_day_ago_asks_the_client_to_fetch_anew(town: Town):
    await town.message()
    await town.message()
    town.clock.move(timedelta(hours=25))
    await actions.forget_old(town.runtime)
    await town.message()

    async with stream(town, guardian(town), after=1) as live:
        assert await live.frames(2) == [(None, "ready", {"number": 3}), (3, "reset", {})]
    async with stream(town, guardian(town), after=2) as live:
        assert [one[0] for one in await live.frames(2)] == [2, 3]


async def test_a_number_that_was_never_given_asks_the_client_to_fetch_anew(town: Town):
    async with stream(town, guardian(town), after=40) as live:
        assert [one[1] for one in await live.frames(2)] == ["ready", "reset"]


@pytest.mark.req("ID-10")
async def test_a_stream_carries_only_what_the_role_in_use_may_open(town: Town):
    await town.knows(town.guardian, "teacher", "Marta Ruiz", "es")
    async with stream(town, town.bearer(town.guardian, "teacher")) as live:
        await live.frame()
        await town.message()
        await town.knows(town.guardian, "teacher", "Marta Ruiz", "es", standing="ended")
        wake(town)

        assert (await live.frame())[1] == "ended"


@pytest.mark.req("POL-1")
async def test_the_same_person_id_in_another_school_hears_nothing(town: Town):
    elsewhere = new_id()
    async with town.runtime.database.tenant(elsewhere) as tx:
        await tx.execute(
            "insert into known_membership (school_id, person_id, role, revision, standing, epoch)"
            " values ($1, $2, 'guardian', 1, 'active', 1)", elsewhere, town.guardian,
        )  # fmt: skip
    await town.has_rules(elsewhere)
    bearer = town.house.bearer(elsewhere, town.guardian, "guardian", clock=town.clock)
    async with stream(town, bearer) as live:
        await live.frame()
        await town.message()
        town.runtime.wake.signal(live_channel(elsewhere, town.guardian))
        town.clock.move(timedelta(minutes=11))
        town.runtime.wake.signal(live_channel(elsewhere, town.guardian))

        assert (await live.frame())[1] == "ended"


@pytest.mark.req("ID-1")
async def test_an_ended_session_ends_the_stream(town: Town):
    session = new_id()
    async with stream(town, guardian(town, session=session)) as live, stream(town, guardian(town)) as other:
        await live.frame()
        await other.frame()
        async with town.runtime.database.tenant(town.school) as tx:
            await tx.execute(
                "insert into known_ended_session (school_id, session_id, revision, ended_at) values ($1, $2, 1, $3)",
                town.school, session, tx.now,
            )  # fmt: skip

        assert await live.frame() == (None, "ended", {"code": "signed-out"})
        assert await live.chunk() is None
        await town.message()
        assert (await other.frame())[1] == "message"


@pytest.mark.req("ID-11")
@pytest.mark.parametrize(("standing", "code"), [("suspended", "suspended"), ("ended", "signed-out")])
async def test_somebody_suspended_or_ended_hears_nothing_more(town: Town, standing: str, code: str):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        await town.knows(town.guardian, "guardian", "Marta Ruiz", "es", standing=standing)
        wake(town)

        assert await live.frame() == (None, "ended", {"code": code})
        assert await live.chunk() is None


async def test_a_stream_lives_no_longer_than_its_token(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        town.clock.move(timedelta(minutes=10))
        wake(town)

        assert await live.frame() == (None, "ended", {"code": "token-expired"})
        assert await live.chunk() is None


async def test_while_nobody_can_say_who_is_who_a_stream_is_silent_and_goes_on_after(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        await town.runtime.database.execute("update feed_state set heard_at = '-infinity'")
        try:
            await town.message()
            for _ in range(3):
                assert await next_chunk(town, live) == ": beat\n\n"
        finally:
            await town.runtime.database.execute("update feed_state set heard_at = 'infinity'")

        wake(town)
        assert (await live.frame())[1] == "message"


async def test_after_half_a_minute_of_not_knowing_the_stream_ends_without_a_word(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        await town.runtime.database.execute("update feed_state set heard_at = '-infinity'")
        try:
            assert await next_chunk(town, live) == ": beat\n\n"
            town.clock.move(timedelta(seconds=31))
            chunk = await next_chunk(town, live)
            while chunk == ": beat\n\n":
                chunk = await next_chunk(town, live)
            assert chunk is None
        finally:
            await town.runtime.database.execute("update feed_state set heard_at = 'infinity'")


async def test_a_quiet_stream_beats_and_says_nothing_else(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()

        assert await next_chunk(town, live) == ": beat\n\n"


async def test_a_stopping_process_ends_its_streams_at_once(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()
        town.runtime.wake.say_stopping()
        try:
            assert await live.chunk() is None
        finally:
            town.runtime.wake.stopping = False


async def test_a_person_has_a_bounded_number_of_streams(town: Town):
    who = (town.school, town.guardian)
    for _ in range(STREAMS_PER_PERSON):
        desk_of(town.runtime).enter(who)
    async with stream(town, guardian(town)) as refused:
        assert refused.status == 429
        assert refused.headers["retry-after"] == "10"
    desk_of(town.runtime).leave(who)
    async with stream(town, guardian(town)) as live:
        assert live.status == 200
        assert (await live.frame())[1] == "ready"


async def test_a_client_that_goes_away_leaves_nothing_behind(town: Town):
    who = (town.school, town.guardian)
    async with stream(town, guardian(town)) as live:
        await live.frame()
        assert desk_of(town.runtime).open[who] == 1

    async def forgotten() -> bool:
        return desk_of(town.runtime).open[who] == 0 and live_channel(*who) not in town.runtime.wake._sleepers

    await eventually(forgotten)


@pytest.mark.req("NTF-1")
async def test_while_somebody_listens_no_mail_goes_and_after_they_left_it_does(town: Town):
    async with stream(town, guardian(town)) as live:
        await live.frame()

        async def online() -> bool:
            return await town.count("online", town.guardian) == 1

        await eventually(online)
        await town.message()
        assert (await live.frame())[1] == "message"
        await town.after(seconds=21)
        assert town.post.to("marta@example.org") == []
        assert (await town.deliveries())[town.guardian] == ("waiting", "online")

    await town.after(seconds=ONLINE_FOR.total_seconds() + 20)
    assert len(town.post.to("marta@example.org")) == 1
