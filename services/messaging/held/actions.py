"""The use cases of messages that wait: list one's own, take one back, release what is due."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from uuid import UUID

import structlog

from bookbag.chassis import tracing
from bookbag.chassis.database import Tx
from bookbag.chassis.problems import DependencyAway, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.directory import policy
from bookbag.directory.call import Call
from bookbag.identity.v1.access_pb2 import AccessChange
from bookbag.school.policy.rules import Outcome, may_send
from services.messaging import access, events
from services.messaging.held import store
from services.messaging.held.model import Held, Waiting
from services.messaging.model import MessageId, NoLongerHeld, NotYours, ThreadId

log = structlog.get_logger()

STOPPED_SHOWN = timedelta(days=30)
"""How long an author is told of a message that was stopped."""

AT_ONCE = 200
"""Threads looked at in one run."""

OBEYED_AFTER = timedelta(seconds=2)
"""A process may decide by rules that are a second old: after so long, none decides by those before a change."""


async def list_held(
    call: Call, *, thread: ThreadId | None, state: str | None, before: int | None, limit: int
) -> Sequence[Held]:
    """The member's own waiting messages, newest first; one more than `limit` when there are more. Asks for no right to the thread:
    they are their author's, who learns here that one was stopped."""
    access.takes_part(call.member)
    async with call.transaction() as tx:
        return await store.own(
            tx, thread=thread, state=state, before=before, stopped_since=call.now - STOPPED_SHOWN, limit=limit + 1
        )


async def withdraw_held(call: Call, message: MessageId) -> None:
    """Take back one's own message before its hour, or put away one that was stopped, its words with it; safe to repeat. Raises
    NotYours, or NoLongerHeld once it is released."""
    async with call.transaction() as tx:
        withdrawn = await store.withdraw(tx, message)
    if withdrawn is None:
        raise NotYours
    if not withdrawn:
        raise NoLongerHeld


async def release_due(runtime: Runtime) -> int:
    """Look at everything that is due, thread by thread; gives how many messages became visible. A thread that fails does not keep the
    others waiting."""
    released, failures = 0, list[Exception]()
    for school, thread in await store.due(runtime.across_schools, runtime.clock.now(), AT_ONCE):
        try:
            released += await release_in_thread(runtime, school, thread)
        except DependencyAway:
            raise
        except Exception as error:  # noqa: BLE001 - told together when every thread had its turn
            failures.append(error)
    if released:
        runtime.signal("outbox")
    if failures:
        raise ExceptionGroup("threads in which nothing could be released", failures)
    return released


async def release_in_thread(runtime: Runtime, school: UUID, thread: ThreadId) -> int:
    """Decide each due message of a thread anew, in the order of acceptance, all in one transaction: it becomes visible, waits on
    under the rules of now, or is stopped because its author may not write here any more."""
    released = 0
    now = runtime.clock.now()
    try:
        await policy.rules_at(runtime, school, now)
    except Problem as unknown:
        raise DependencyAway("identity") from unknown
    async with runtime.database.tenant(school, now=now) as tx:
        await store.lock_thread(tx, thread)
        if not await store.copy_is_fresh(tx):
            raise DependencyAway("identity")
        for waiting in await store.to_look_at(tx, thread):
            released += await _decide(runtime, tx, waiting)
    return released


async def _decide(runtime: Runtime, tx: Tx, waiting: Waiting) -> bool:
    if not waiting.may_still:
        await store.stop(tx, waiting.id)
        log.info("held message stopped", service=runtime.name)
        return False
    who = await policy.person_at(runtime, tx.school, waiting.author, waiting.role, tx.now)
    sending = may_send(who, tx.now)
    if sending.outcome is not Outcome.NOW:
        await store.hold_on(tx, waiting.id, sending)
        return False
    said = {"bookbag.school": str(tx.school)}
    with tracing.span("messaging", "release message", parent=waiting.trace, attributes=said, apart=True):
        seq = await store.release(tx, waiting, sending.answer_by)
        event = events.message_sent(tx.school, waiting.thread, waiting.id, waiting.author)
        event.language = waiting.language
        await tx.tell(event, key=waiting.thread, sequence=seq)
    return True


async def note_policy(tx: Tx, change: AccessChange) -> None:
    """Another version of the rules: what waits is decided anew from the instant at which it counts (POL-2)."""
    counts_from = change.policy_version.counts_from.ToDatetime(tzinfo=UTC)
    await store.look_anew(tx, max(counts_from, tx.now + OBEYED_AFTER))
