"""The use cases of messaging for people: the order of steps, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Tx
from bookbag.chassis.idempotency import fingerprint, once
from bookbag.chassis.problems import KEY_REUSED, Problem
from bookbag.directory.call import Call, MemberTx, refuse_unless_active
from bookbag.identity.v1.access_pb2 import AccessChange
from bookbag.school.policy.rules import Outcome, Sending, may_send
from services.messaging import access, events, store
from services.messaging.answers import store as answers_store
from services.messaging.answers.model import Owed
from services.messaging.held import model as held
from services.messaging.held import refusals
from services.messaging.held import store as held_store
from services.messaging.held.model import Composing
from services.messaging.model import (
    Accepted,
    Contact,
    Message,
    MessageId,
    Named,
    NotYours,
    PersonId,
    Right,
    SeatId,
    Side,
    Thread,
    ThreadId,
)
from services.messaging.safety.actions import note_reading


async def send_message(
    call: Call, thread: ThreadId, text: str, language: str | None, *, about_safety: bool = False
) -> Accepted:
    """Accept a message. Durable when it returns; one message and one MessageSent per idempotency key (MSG-1, MSG-18).

    It is visible now or waits for its hour, as the school's rules say (MSG-5); one about a child's safety never waits (MSG-15). The
    author reads what they wrote as they wrote it, so the answer has no translation. Raises NotYours, or Problem `quiet-hours`,
    `no-conversation`, `key-reused`, `suspended`, `signed-out`, `access-unknown`.
    """
    member, message = call.member, MessageId(new_id())
    sending = may_send(call.who, call.now, about_safety=about_safety)
    if sending.outcome is Outcome.REFUSED:
        await _refuse(call, thread, sending)
    told = events.message_sent(member.school, thread, message, PersonId(member.person), about_safety=about_safety)
    posted = await store.post_message(
        call.runtime.database,
        member,
        thread,
        message,
        text,
        language=language,
        key=call.key or "",
        print_=fingerprint("message", member.role, thread, text, language, *(["safety"] if about_safety else [])),
        now=call.now,
        event=told,
        sending=sending,
        alerts=held.alerts_of(call.rules, about_safety),
        talks=held.talks(call.rules, member.role),
    )
    match posted.state:
        case "sent":
            if posted.fresh:
                call.runtime.signal("outbox")
        case "held" | "withdrawn" | "stopped":
            pass
        case "no-conversation":
            raise Problem(refusals.NO_CONVERSATION)
        case "not-found":
            raise NotYours
        case "key-reused":
            raise Problem(KEY_REUSED)
        case standing:
            refuse_unless_active(standing)
    taken = Message(
        posted.message,
        posted.seq,
        Named(member.person, posted.author_name),
        Side(posted.side),
        True,
        text,
        posted.language,
        posted.sent_at,
        posted.version,
        None,
        posted.answer_by,
        posted.about_safety,
    )
    return Accepted(taken, posted.state, posted.visible_at, posted.reasons)


async def _refuse(call: Call, thread: ThreadId, sending: Sending) -> NoReturn:
    """Refuse a message by the hour, after the right to the thread was proved: who has none learns nothing else."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
    if right.only_safety:
        raise NotYours
    raise refusals.refusal(sending)


async def open_thread(call: Call, pupil: PersonId, seat: SeatId) -> tuple[Thread, bool]:
    """The one thread of a child and a seat, and whether this request opened it. Its guardians of this moment read all of it
    (MSG-14). Raises NotYours; Problem `key-reused`."""
    async with call.transaction() as tx:
        await access.may_open(tx, pupil, seat)
        await store.lock_family(tx, pupil)
        if not await held_store.is_open(tx, pupil, seat):
            refusals.refuse_beginning(call.rules, call.member.role, await held_store.kind_of_seat(tx, seat))

        async def make() -> dict[str, str | bool]:
            thread, fresh = await store.add_thread(tx, pupil, seat)
            return {"thread": str(thread), "fresh": fresh}

        print_ = fingerprint("thread", call.member.role, pupil, seat)
        answer, _ = await once(tx, call.member.person, call.key or "", print_, make)
        right = await access.right_in_thread(tx, ThreadId(UUID(answer["thread"])))
        return await store.get_thread(tx, right), answer["fresh"]


async def list_contacts(
    call: Call, *, after: tuple[PersonId, SeatId] | None, name: str, limit: int
) -> Sequence[Contact]:
    """Whom the member may write to; one more than `limit` when there are more."""
    access.takes_part(call.member)
    async with call.transaction() as tx:
        talks = held.talks(call.rules, call.member.role)
        return await store.list_contacts(tx, after=after, name=name, limit=limit + 1, talks=talks)


async def list_threads(call: Call, *, before: tuple[datetime, ThreadId] | None, limit: int) -> Sequence[Thread]:
    """The member's threads, newest first; one more than `limit` when there are more."""
    access.takes_part(call.member)
    async with call.transaction() as tx:
        return await store.list_threads(tx, before=before, limit=limit + 1)


async def get_thread(call: Call, thread: ThreadId) -> tuple[Thread, Composing | None, Owed | None]:
    """One thread; what would become of a message written in it now, None for who may not write there; and for its staff what the
    family waits for. Raises NotYours."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
        found = await store.get_thread(tx, right)
        if right.only_safety:
            await note_reading(tx, [thread])
            return found, None, None
        answering = await held_store.other_side_wrote(tx, right)
        owed = await answers_store.owed(tx, thread) if right.side is Side.STAFF else None
    said = held.composing(call.who, call.now, kind=found.seat.kind, answering=answering, language=right.language)
    return found, said, owed


async def list_messages(call: Call, thread: ThreadId, *, before: int, limit: int) -> Sequence[Message]:
    """Messages numbered below `before`, newest first; one more than `limit` when there are more. Raises NotYours."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
        found = await store.messages_before(tx, right, before, limit + 1)
        told = await _shown(tx, right, found[:limit])
    if told:
        call.runtime.signal("outbox")
    return [one.message for one in found]


async def list_messages_after(call: Call, thread: ThreadId, *, after: int, limit: int) -> Sequence[Message]:
    """Messages numbered above `after`, oldest first; one more than `limit` when there are more. Raises NotYours."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
        found = await store.messages_after(tx, right, after, limit + 1)
        told = await _shown(tx, right, found[:limit])
    if told:
        call.runtime.signal("outbox")
    return [one.message for one in found]


async def _shown(tx: MemberTx, right: Right, found: Sequence[store.Found]) -> bool:
    """What follows from somebody's reading: translations are asked for, and a reading by alert alone is on the record. Gives whether
    something was told."""
    told = await _want_translations(tx, right, found)
    if right.only_safety:
        await note_reading(tx, [right.thread])
    return told


async def _want_translations(tx: MemberTx, right: Right, found: Sequence[store.Found]) -> bool:
    """Ask once for what the reader cannot read yet. Usually there is nothing to ask, and nothing is written (TR-2)."""
    untold = [one.message for one in found if one.untold]
    if not untold:
        return False
    wanted = await store.want_translations(tx, untold, right.language)
    for message in wanted:
        await tx.tell(events.translation_wanted(tx.school, right.thread, message, right.language), key=right.thread)
    return bool(wanted)


async def read_thread(call: Call, thread: ThreadId, seq: int) -> None:
    """Move the reader's receipt forward, never past the newest message and never back. Raises NotYours."""
    async with call.transaction() as tx:
        right = await access.right_in_thread(tx, thread)
        seq = min(seq, right.head_seq)
        moved = seq > 0 and not right.only_safety and await store.move_receipt(tx, right, seq)
        if moved:
            await tx.tell(events.thread_read(tx.school, thread, PersonId(tx.person), seq), key=thread)
    if moved:
        call.runtime.signal("outbox")


async def count_unread(call: Call) -> tuple[int, int]:
    """Threads with something unread, and messages unread."""
    access.takes_part(call.member)
    async with call.transaction() as tx:
        return await store.count_unread(tx)


async def note_guardianship(tx: Tx, change: AccessChange) -> None:
    """A new link takes part in the child's threads from their next message on (MSG-14). An ended one needs nothing: every reading
    asks whether the link still stands."""
    link = change.guardianship
    if link.ended:
        return
    pupil, person = PersonId(UUID(link.pupil_id)), PersonId(UUID(link.person_id))
    await store.lock_family(tx, pupil)
    await store.join_threads(tx, UUID(link.link_id), pupil, person)
