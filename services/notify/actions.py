"""The use cases of notify: tell readers of an event, mark what was seen, keep preferences. The order of steps, nothing else."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from bookbag.chassis.database import Tx, trace_parent
from bookbag.chassis.hearing import EventCall, EventsCall
from bookbag.chassis.runtime import Runtime
from bookbag.directory import owners
from bookbag.directory.call import Call
from bookbag.school.content import ContentRef, Reader
from services.notify import access, store
from services.notify.model import (
    Happening,
    Kind,
    NoSuchLink,
    PersonId,
    PreferenceChanged,
    Recipient,
    StreamKind,
    ThreadId,
    Told,
    Translated,
    recipients,
    told_of_receipt,
    told_of_translation,
)  # fmt: skip
from services.notify.settings import Settings

T = TypeVar("T", Told, Translated)

GRACE = timedelta(seconds=20)
GRACE_IN_DEMO = timedelta(seconds=5)

PORTION = 5_000
"""Rows that one transaction of forgetting removes."""


def grace_of(runtime: Runtime) -> timedelta:
    """How long a mail waits for its person to see the item in the app first."""
    settings: Settings = runtime.settings
    if settings.mail_grace_seconds is not None:
        return timedelta(seconds=settings.mail_grace_seconds)
    return GRACE_IN_DEMO if runtime.platform.is_demo else GRACE


async def tell_of_messages(call: EventsCall, messages: Sequence[Told]) -> None:
    """Messages are there: their readers get an item, a step in their live stream and, after the grace, a mail. The author gets the
    step alone, for their other devices. NTF-1, NTF-3: once per person and channel, whatever is repeated."""
    readers = await _readers_of_all(call, messages)
    async with call.effect() as (tx, new):
        told = [(one, people) for one, people in await _people_of(tx, messages, readers) if one.event in new]
        await store.remember_threads(tx, messages)
        await store.notify(
            tx,
            [(one, person) for one, people in told for person in people if person.person != one.author],
            tx.now + grace_of(call.runtime),
        )
        await _append(tx, told)
    _wake(call, [person for _, people in told for person in people])


async def tell_of_receipt(call: EventCall, *, thread: ThreadId, reader: PersonId, seq: int) -> None:
    """Somebody has read: their items up to there are seen, which cancels the mails still waiting, and the other side learns it."""
    async with call.runtime.database.tenant(call.school) as tx:
        newest = await store.newest_content(tx, thread)
    everybody = await owners.readers(call.runtime.peers, ContentRef(call.school, *newest)) if newest is not None else []
    async with call.effect() as tx:
        people = recipients(everybody, await store.standing_of_people(tx, {one.person for one in everybody}))
        told = told_of_receipt(reader, people)
        await store.mark_seen(tx, reader, thread, seq)
        read = Happening(call.record.event_id, StreamKind.READ, thread, actor=reader, seq=seq, trace=trace_parent())
        await store.append_to_streams(tx, [(read, one) for one in told])
    _wake(call, told)


async def tell_of_translations(call: EventsCall, translations: Sequence[Translated]) -> None:
    """Translations are there: who reads in their language learns it on their live stream (TR-2)."""
    readers = await _readers_of_all(call, translations)
    async with call.effect() as (tx, new):
        told = [
            (one, told_of_translation(one.language, people))
            for one, people in await _people_of(tx, translations, readers)
            if one.event in new
        ]
        await _append(tx, told)
    _wake(call, [person for _, people in told for person in people])


async def _append(tx: Tx, told: Sequence[tuple[Told | Translated, Sequence[Recipient]]]) -> None:
    """Put what happened on the live streams of those who are told of it."""
    steps = [(one.happening(), people) for one, people in told]
    await store.append_to_streams(tx, [(step, person) for step, people in steps for person in people])


async def _readers_of_all(call: EventsCall, what: Iterable[Told | Translated]) -> dict[ContentRef, list[Reader]]:
    refs = [ContentRef(call.school, Kind.MESSAGE, one.content) for one in what]
    return await owners.readers_of_all(call.runtime.peers, refs)


async def _people_of(
    tx: Tx, what: Sequence[T], readers: Mapping[ContentRef, Sequence[Reader]]
) -> list[tuple[T, list[Recipient]]]:
    """Who is told of each of these, by the owner's word and our copy of who is who."""
    standing = await store.standing_of_people(tx, {one.person for some in readers.values() for one in some})
    return [(one, recipients(readers[ContentRef(tx.school, Kind.MESSAGE, one.content)], standing)) for one in what]


def live_channel(school: UUID, person: UUID) -> str:
    """The wake-up of one person's live streams, in every process."""
    return f"live:{school}:{person}"


def _wake(call: EventCall | EventsCall, people: Iterable[Recipient]) -> None:
    for person in {one.person for one in people}:
        call.runtime.wake.signal(live_channel(call.school, person))


async def list_items(call: Call, before: tuple[datetime, UUID] | None, limit: int) -> list[store.Item]:
    """The member's own notifications, newest first, one more than the limit when there are more."""
    async with call.transaction() as tx:
        return await store.items(tx, before, limit)


async def see_thread(call: Call, thread: ThreadId) -> None:
    """Mark the member's notifications of a thread as seen. Safe to repeat; a thread that is not theirs changes nothing."""
    async with call.transaction() as tx:
        await store.mark_seen(tx, tx.person, thread, None)


async def list_deliveries(call: Call, before: tuple[datetime, UUID] | None, limit: int) -> list[store.DeliveryShown]:
    """NTF-7: how everybody in the school was reached. Raises OfficeOnly."""
    async with call.transaction() as tx:
        access.prove_may_see_deliveries(tx)
        return await store.deliveries(tx, before, limit)


async def read_preference(call: Call) -> tuple[bool, int]:
    """Whether the member wants mails of messages, and the version of that wish."""
    async with call.transaction() as tx:
        return await store.email_preference(tx, tx.person, Kind.MESSAGE)


async def change_preference(call: Call, email: bool, version: int) -> tuple[bool, int]:
    """Change whether mails are wanted. Raises PreferenceChanged when `version` is not the current one."""
    async with call.transaction() as tx:
        changed = await store.set_email_preference(tx, tx.person, Kind.MESSAGE, email, version)
        if changed is None:
            raise PreferenceChanged
        return email, changed


def hash_of_link(token: str) -> bytes:
    """What is kept of an unsubscribe link."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def look_at_link(runtime: Runtime, token: str) -> str:
    """The language of the person whose unsubscribe link this is. Changes nothing. Raises NoSuchLink."""
    found = await store.find_link(runtime.database, hash_of_link(token))
    if found is None:
        raise NoSuchLink
    school, person, _ = found
    async with runtime.database.tenant(school) as tx:
        return await store.language_of(tx, person)


async def unsubscribe(runtime: Runtime, token: str) -> str:
    """Stop mails of the link's kind to its person (RFC 8058). Whoever has the link may; safe to repeat. Gives the person's
    language. Raises NoSuchLink."""
    found = await store.find_link(runtime.database, hash_of_link(token))
    if found is None:
        raise NoSuchLink
    school, person, kind = found
    async with runtime.database.tenant(school) as tx:
        wanted, _ = await store.email_preference(tx, person, kind)
        if wanted:
            await store.set_email_preference(tx, person, kind, False, None)
        return await store.language_of(tx, person)


async def forget_old(runtime: Runtime) -> int:
    """Remove what is past its retention, in portions, so that no transaction is long. Gives how many rows went."""
    gone = 0
    while portion := await store.forget_old(runtime.across_schools, runtime.clock.now(), PORTION):
        gone += portion
    return gone
