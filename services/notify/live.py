"""The live stream of one member: SSE frames that resume where they stopped, and that end within seconds of the right to them.

Redis only makes it quick: every two seconds at the latest one short transaction proves the member's standing again and reads what
is new. So a sign-out or a suspension ends an open stream, other rules of the school are told on it, and a lost wake-up costs two seconds.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from opentelemetry.trace import SpanKind

from bookbag.chassis import measures, tracing
from bookbag.chassis.problems import ACCESS_UNKNOWN, TOO_MANY_REQUESTS, DependencyAway, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.wake import Sleeper
from bookbag.directory.call import Call
from bookbag.directory.entry import prove_entry
from bookbag.directory.policy import Mark, mark_at, person_at, policy_channel
from bookbag.directory.terms import refuse_without_terms
from services.notify import store
from services.notify.actions import live_channel
from services.notify.figures import deliveries
from services.notify.model import ONLINE_AGAIN_AFTER, ONLINE_FOR, STREAMS_PER_PERSON, StreamEvent, StreamKind

LOOK_SECONDS = 2.0
"""At the latest so often a stream looks for itself."""

LOOK_TAKES_SECONDS = 3.0
"""A look that takes longer is broken off and counts as one that could not be taken."""

QUIET_LOOKS = 4
"""After so many looks that found nothing, or one that could not be taken, a comment goes out: never more than ten seconds apart, so
that neither side nor anything between them thinks the stream dead."""

UNSURE_FOR = timedelta(seconds=30)
"""How long a stream is kept open, silent but for its beats, while nobody can say whether the member still stands."""

FRAMES_AT_ONCE = 200

BEAT = ": beat\n\n"

_streams = measures.gauge("bookbag_live_streams", "Live streams open in this process.")


@dataclass(slots=True)
class LiveDesk:
    """The live streams open in one process, counted per person."""

    open: Counter[tuple[UUID, UUID]] = field(default_factory=Counter[tuple[UUID, UUID]])

    def enter(self, who: tuple[UUID, UUID]) -> None:
        self.open[who] += 1
        _streams.inc()

    def leave(self, who: tuple[UUID, UUID]) -> None:
        self.open[who] -= 1
        if self.open[who] <= 0:
            del self.open[who]
        _streams.dec()


def desk_of(runtime: Runtime) -> LiveDesk:
    """The desk of this process."""
    desk: LiveDesk = runtime.state["live"]
    return desk


def frame(event: str, data: object, number: int | None = None) -> str:
    """One SSE frame. Data is JSON on one line, so no content can break out of it."""
    lines = [f"id: {number}"] if number is not None else []
    return "\n".join([*lines, f"event: {event}", f"data: {json.dumps(data, separators=(',', ':'))}", "", ""])


@dataclass(slots=True)
class LiveStream:
    """One open stream. `open_stream` makes it; `frames` runs it once."""

    call: Call
    expires: datetime
    number: int
    greeting: list[str]
    _refreshed: datetime | None = None
    _unsure_since: datetime | None = None
    _rules: Mark | None = None
    _rules_differ: bool = False

    async def frames(self) -> AsyncGenerator[str]:
        """The frames, for as long as the right, the token and this process last."""
        runtime, member = self.call.runtime, self.call.member
        who = (member.school, member.person)
        desk = desk_of(runtime)
        desk.enter(who)
        try:
            with runtime.wake.sleeper(live_channel(*who), policy_channel(runtime, member.school)) as sleeper:
                for one in self.greeting:
                    yield one
                async for one in self._follow(sleeper):
                    yield one
        finally:
            desk.leave(who)

    async def _follow(self, sleeper: Sleeper) -> AsyncGenerator[str]:
        quiet = 0
        while not self.call.runtime.wake.stopping:
            try:
                found = await self._look()
            except Problem as problem:
                if problem.kind is not ACCESS_UNKNOWN:
                    yield frame("ended", {"code": problem.kind.code})
                    return
                found = None
            except (DependencyAway, TimeoutError):
                found = None
            now = self.call.runtime.clock.now()
            if found is None and self._unsure_too_long(now):
                return
            if now >= self.expires:
                yield frame("ended", {"code": "token-expired"})
                return
            for one in self._told(found or ()):
                yield one
            quiet = 0 if found else quiet + 1
            if found is None or quiet >= QUIET_LOOKS:
                quiet = 0
                yield BEAT
            if not found or len(found) < FRAMES_AT_ONCE // 2:
                await sleeper.wait(LOOK_SECONDS)

    async def _look(self) -> list[StreamEvent]:
        """Prove the standing again and read what is new, in one short transaction."""
        runtime, member = self.call.runtime, self.call.member
        now = runtime.clock.now()
        async with asyncio.timeout(LOOK_TAKES_SECONDS):
            who = await person_at(runtime, member.school, member.person, member.role, now)
            await prove_entry(runtime, member.school, member.person, who, now, self.call.address)
            refuse_without_terms(who.rules, member.role, member.terms)
            await self._compare_rules(now)
            return await self._read(now)

    async def _compare_rules(self, now: datetime) -> None:
        """Notice that other rules count than at the look before. A client asks what depends on them when its stream opens, so the
        first look only remembers."""
        mark = await mark_at(self.call.runtime, self.call.member.school, self.call.member.person, now)
        self._rules_differ |= self._rules is not None and self._rules != mark
        self._rules = mark

    async def _read(self, now: datetime) -> list[StreamEvent]:
        async with replace(self.call, now=now).transaction() as tx:
            events, number = await store.stream_after(tx, self.number, FRAMES_AT_ONCE)
            if self._refreshed is None or now - self._refreshed >= ONLINE_AGAIN_AFTER:
                await store.be_online(tx, now + ONLINE_FOR)
                self._refreshed = now
        self.number = number
        self._unsure_since = None
        return events

    def _told(self, found: Sequence[StreamEvent]) -> Generator[str]:
        if self._rules_differ:
            self._rules_differ = False
            yield frame("rules", {})
        for event in found:
            self._note(event)
            yield frame(event.kind, data_of(event), event.number)

    def _note(self, event: StreamEvent) -> None:
        """A step goes out to one device: a moment of the trace that caused it, and one more delivery."""
        said = {"bookbag.channel": "live", "bookbag.school": str(self.call.member.school)}
        tracing.mark("notify", "deliver live", SpanKind.PRODUCER, parent=event.trace, attributes=said)
        deliveries.labels("live", "sent", "").inc()

    def _unsure_too_long(self, now: datetime) -> bool:
        if self._unsure_since is None:
            self._unsure_since = now
        return now - self._unsure_since > UNSURE_FOR


def data_of(event: StreamEvent) -> dict[str, object]:
    """What a frame says: ids and nothing anybody wrote."""
    match event.kind:
        case StreamKind.MESSAGE:
            return {"thread": str(event.thread), "message": str(event.content), "author": str(event.actor)}
        case StreamKind.READ:
            return {"thread": str(event.thread), "person": str(event.actor), "seq": event.seq}
        case StreamKind.TRANSLATION:
            return {"thread": str(event.thread), "message": str(event.content), "language": event.language}


async def open_stream(call: Call, expires: datetime, after: int | None) -> LiveStream:
    """A stream that goes on after number `after`, or from now on. Raises Problem before any frame when the member does not stand
    or has too many streams open already."""
    if desk_of(call.runtime).open[call.member.school, call.member.person] >= STREAMS_PER_PERSON:
        raise Problem(TOO_MANY_REQUESTS, retry_after=10, extra={"limit": STREAMS_PER_PERSON})
    async with call.transaction() as tx:
        head, oldest = await store.stream_head(tx)
    if after is None:
        return LiveStream(call, expires, head, [frame("ready", {"number": head}, head)])
    if oldest - 1 <= after <= head:
        return LiveStream(call, expires, after, [frame("ready", {"number": after}, after)])
    return LiveStream(call, expires, head, [frame("ready", {"number": head}), frame("reset", {}, head)])
