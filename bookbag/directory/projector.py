"""Keeps a service's copy of who is who: follows identity's access feed and applies each change together with its position.

Facts carry a revision, so a repeated or older one changes nothing; a service that is new or rebuilt starts with a snapshot, and so does
one whose copy was kept by a release that understood less (while an update rolls, it passes over what it does not know). `heard_at`
moves only when the copy is complete up to the feed's head: a copy that lags counts as one that does not know. Of several processes
one does the work: each transaction proves that its process still holds the lease.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

import grpc.aio
import structlog

from bookbag.chassis.database import Tx
from bookbag.chassis.lease import Leases
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.waiting import Outage
from bookbag.directory import policy
from bookbag.identity.v1 import access_pb2 as facts
from bookbag.identity.v1 import service_pb2 as pb
from bookbag.identity.v1.service_pb2_grpc import IdentityServiceStub

log = structlog.get_logger()

Reaction = Callable[[Tx, facts.AccessChange], Awaitable[None]]
"""What a service does in the same transaction in which a newer fact is applied."""

SILENCE_SECONDS = 3.0
"""The feed beats each second; after so much silence the stream counts as dead and is opened anew."""


class NotOurs(Exception):
    """Another process follows the feed for this service by now."""


OF_RULES = frozenset({"policy_version", "own_hours", "break_glass"})
"""Facts by which the rules decide otherwise from now on."""

UNDERSTOOD = frozenset(
    f"{fact.name}.{field.name}"
    for fact in facts.AccessChange.DESCRIPTOR.fields
    if fact.containing_oneof is not None and fact.message_type is not None
    for field in fact.message_type.fields
)
"""The fields of facts that this release knows."""

_STANDINGS = {facts.STANDING_ACTIVE: "active", facts.STANDING_SUSPENDED: "suspended", facts.STANDING_ENDED: "ended"}


def projector(reacts: Mapping[str, Reaction] | None = None) -> Callable[[Runtime], Awaitable[None]]:
    """The loop for a manifest's `loops`. `reacts` maps a fact's name in the proto (`guardianship`) to a reaction."""

    async def run(runtime: Runtime) -> None:
        await Projector(runtime, reacts or {}).run()

    return run


class Projector:
    """The projection of one service in one process; one process of all does the work, by a lease."""

    def __init__(self, runtime: Runtime, reacts: Mapping[str, Reaction]) -> None:
        self._runtime = runtime
        self._reacts = reacts
        self.leases = Leases(runtime.across_schools, "projector", ["feed"], str(runtime.state["holder"]))

    async def run(self) -> None:
        """Follow the feed until cancelled; outlives an absent identity or database."""
        keeping = asyncio.create_task(self.leases.keep(), name="projector lease")
        outage = Outage(self._runtime.name)
        try:
            while True:
                if self.leases.held_of("feed") is None:
                    await asyncio.sleep(0.1)
                    continue
                try:
                    await self.follow(outage)
                except NotOurs:
                    log.info("feed is another's", service=self._runtime.name)
                except (DependencyAway, TimeoutError) as away:
                    outage.goes_on(getattr(away, "name", "identity"))
                except grpc.aio.AioRpcError as error:
                    log.error("feed refused", service=self._runtime.name, code=error.code().name)
                await asyncio.sleep(0.3)
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def follow(self, outage: Outage) -> None:
        """Load a snapshot if there is none yet, then apply changes for as long as the stream lasts and the lease is ours."""
        stub = self._runtime.peers.stub("identity", IdentityServiceStub)
        position = await self._position()
        if position is None:
            position = await self._load(stub)
        stream = self._runtime.peers.stream(
            "identity", stub.WatchChanges, pb.WatchChangesRequest(after=position), school=None, deadline=None
        )
        try:
            while self.leases.held_of("feed") is not None:
                async with asyncio.timeout(SILENCE_SECONDS):
                    answer: pb.WatchChangesResponse = await anext(stream)
                outage.is_over()
                if answer.changes:
                    position = answer.changes[-1].position
                    await self.apply(answer.changes, position)
                if position >= answer.head:
                    await self._note("heard_at = clock_timestamp()")
        except StopAsyncIteration:
            return
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    async def _position(self) -> int | None:
        """How far the copy is; None when it must be loaded, because there is none or because it lacks what this release understands."""
        state = await self._runtime.database.fetchrow("select position, understood from feed_state")
        assert state is not None
        understood = frozenset(state["understood"])
        if state["position"] is None or not understood >= UNDERSTOOD:
            return None
        if understood > UNDERSTOOD:
            # A newer release kept the copy. What it alone understands we pass over, and it will have to load that.
            await self._note("understood = $3", sorted(UNDERSTOOD))
        return state["position"]

    async def _load(self, stub: IdentityServiceStub) -> int:
        position = 0
        async for answer in self._runtime.peers.stream(
            "identity", stub.Snapshot, pb.SnapshotRequest(), school=None, deadline=120
        ):
            await self.apply(answer.changes, None)
            position = answer.position or position
        await self._note("position = $3, understood = $4", position, sorted(UNDERSTOOD))
        log.info("snapshot loaded", service=self._runtime.name)
        return position

    async def apply(self, changes: Sequence[facts.AccessChange], position: int | None) -> None:
        """Apply changes in order. Those of one school that follow each other share a transaction; the last one moves the position.
        Raises NotOurs, having changed nothing more, once the lease is somebody else's."""
        groups = [(school, list(group)) for school, group in groupby(changes, key=lambda change: change.school_id)]
        for school, group in groups:
            async with self._runtime.database.tenant(UUID(school)) as tx:
                if not await tx.fetchval("select holds_feed($1, $2)", *self._hold()):
                    raise NotOurs
                for change in group:
                    await self._apply_one(tx, change, loading=position is None)
                if position is not None:
                    await tx.execute("update feed_state set position = greatest(position, $1)", group[-1].position)
            if any(change.WhichOneof("fact") in OF_RULES for change in group):
                policy.say_changed(self._runtime, UUID(school))

    def _hold(self) -> tuple[str, int]:
        """Our name and fence, for the database to compare. Raises NotOurs when we do not believe in them ourselves."""
        fence = self.leases.held_of("feed")
        if fence is None:
            raise NotOurs
        return self.leases.holder, fence

    async def _note(self, what: str, *values: object) -> None:
        """Change the one row that says how far this copy is. Raises NotOurs."""
        noted = await self._runtime.database.fetchval(
            f"update feed_state set {what} where holds_feed($1, $2) returning true",  # noqa: S608 - words of this file
            *self._hold(), *values,
        )  # fmt: skip
        if not noted:
            raise NotOurs

    async def _apply_one(self, tx: Tx, change: facts.AccessChange, *, loading: bool) -> None:
        name = change.WhichOneof("fact")
        if name is None:
            return  # a kind of fact that is newer than this code
        table, row = _row(name, change)
        keys = _KEYS[table]
        columns = list(row)
        values = (tx.school, change.revision, *row.values())
        if not await tx.fetchval(_upsert(table, keys, columns, ">"), *values):
            if loading:
                # The same fact, which an older release may have kept without a field that it did not know.
                await tx.execute(_upsert(table, keys, columns, "="), *values)
        elif name in self._reacts:
            await self._reacts[name](tx, change)
        if name == "ended_session":
            await tx.execute(
                "delete from known_ended_session where ended_at < $1::timestamptz - interval '1 day'", tx.now
            )


_KEYS: dict[str, Sequence[str]] = {
    "known_school": (),
    "known_person": ("person_id",),
    "known_membership": ("person_id", "role"),
    "known_class": ("class_id",),
    "known_enrolment": ("class_id", "pupil_id"),
    "known_seat": ("seat_id",),
    "known_seat_holder": ("seat_id", "person_id"),
    "known_link": ("link_id",),
    "known_ended_session": ("session_id",),
    "known_policy": ("number",),
    "known_own_hours": ("person_id",),
    "known_break_glass": ("person_id", "role"),
}


def _upsert(table: str, keys: Sequence[str], columns: Sequence[str], than: Literal[">", "="]) -> str:
    """Insert, or replace a row whose revision this fact's is newer than or equal to; true when it did. All names are of this file."""
    names = ["school_id", "revision", *columns]
    values = ", ".join(f"${number + 1}" for number in range(len(names)))
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name != "school_id" and name not in keys)
    return (
        f"insert into {table} as t ({', '.join(names)}) values ({values})"  # noqa: S608
        f" on conflict ({', '.join(['school_id', *keys])}) do update set {changed} where excluded.revision {than} t.revision returning true"
    )


def _row(name: str, change: facts.AccessChange) -> tuple[str, dict[str, Any]]:
    """The table of a fact and its columns beside school and revision."""
    match name:
        case "school":
            school = change.school
            return "known_school", {
                "code": school.code, "name": school.name, "country": school.country, "zone": school.zone,
                "language": school.language, "policy_preset": school.policy_preset,
            }  # fmt: skip
        case "person":
            person = change.person
            return "known_person", {
                "person_id": UUID(person.person_id), "display_name": person.display_name, "first_name": person.first_name,
                "language": person.language,
            }  # fmt: skip
        case "membership":
            membership = change.membership
            return "known_membership", {
                "person_id": UUID(membership.person_id), "role": membership.role,
                "standing": _STANDINGS[membership.standing], "epoch": membership.epoch,
            }  # fmt: skip
        case "school_class":
            one = change.school_class
            return "known_class", {"class_id": UUID(one.class_id), "name": one.name, "archived": one.archived}
        case "enrolment":
            enrolment = change.enrolment
            return "known_enrolment", {
                "class_id": UUID(enrolment.class_id), "pupil_id": UUID(enrolment.pupil_id), "ended": enrolment.ended,
            }  # fmt: skip
        case "seat":
            seat = change.seat
            return "known_seat", {
                "seat_id": UUID(seat.seat_id), "kind": seat.kind, "class_id": UUID(seat.class_id) if seat.class_id else None,
                "subject": seat.subject,
            }  # fmt: skip
        case "seat_holder":
            holder = change.seat_holder
            return "known_seat_holder", {
                "seat_id": UUID(holder.seat_id), "person_id": UUID(holder.person_id), "ended": holder.ended,
            }  # fmt: skip
        case "guardianship":
            link = change.guardianship
            return "known_link", {
                "link_id": UUID(link.link_id), "pupil_id": UUID(link.pupil_id), "person_id": UUID(link.person_id),
                "relationship": link.relationship, "ended": link.ended,
            }  # fmt: skip
        case "ended_session":
            ended = change.ended_session
            return "known_ended_session", {
                "session_id": UUID(ended.session_id), "ended_at": ended.ended_at.ToDatetime(tzinfo=UTC),
            }  # fmt: skip
        case _:
            return _row_of_rules(name, change)


def _row_of_rules(name: str, change: facts.AccessChange) -> tuple[str, dict[str, Any]]:
    """The same for facts about the school's rules."""
    match name:
        case "policy_version":
            version = change.policy_version
            return "known_policy", {
                "number": version.number, "document": version.document, "made_at": version.made_at.ToDatetime(tzinfo=UTC),
                "counts_from": version.counts_from.ToDatetime(tzinfo=UTC),
                "author_id": UUID(version.author_id) if version.author_id else None,
            }  # fmt: skip
        case "own_hours":
            return "known_own_hours", {"person_id": UUID(change.own_hours.person_id), "week": change.own_hours.week}
        case "break_glass":
            glass = change.break_glass
            return "known_break_glass", {
                "person_id": UUID(glass.person_id), "role": glass.role, "until": glass.until.ToDatetime(tzinfo=UTC),
            }  # fmt: skip
        case _:
            raise LookupError(name)
