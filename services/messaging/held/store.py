"""All SQL of messages that wait, and of who may begin a conversation."""

from datetime import datetime
from uuid import UUID

from bookbag.chassis.database import Database, Row, Tx
from bookbag.directory.call import MemberTx
from bookbag.school.policy.rules import Sending
from bookbag.school.roles import Role
from services.messaging.held.model import LOOK_AGAIN, Held, HeldState, Waiting, codes
from services.messaging.model import MessageId, PersonId, Right, SeatId, Side, ThreadId


async def own(
    tx: MemberTx, *, thread: ThreadId | None, state: str | None, before: int | None, stopped_since: datetime, limit: int
) -> list[Held]:
    """The member's own messages that wait, newest first, and those stopped not longer ago than that."""
    rows = await tx.fetch(
        "select message_id, thread_id, place, text, language, accepted_at, state, visible_at, answer_by, reasons from held_message"
        " where school_id = $1 and author_id = $2 and author_role = $3 and (state = 'held' or state = 'stopped' and ended_at > $6)"
        " and ($4::uuid is null or thread_id = $4) and ($5::bigint is null or place < $5) and ($8::text is null or state = $8)"
        " order by place desc limit $7",
        tx.school, tx.person, tx.member.role, thread, before, stopped_since, limit, state,
    )  # fmt: skip
    return [_held(row) for row in rows]


async def withdraw(tx: MemberTx, message: MessageId) -> bool | None:
    """Take back one's own message that waits or was stopped, its words with it. None when there is none, False when it is
    released."""
    state = await tx.fetchval(
        "select state from held_message where school_id = $1 and message_id = $2 and author_id = $3 and author_role = $4 for update",
        tx.school, message, tx.person, tx.member.role,
    )  # fmt: skip
    if state is None:
        gone = await tx.fetchval(
            "select true from message where school_id = $1 and message_id = $2 and author_id = $3 and author_role = $4",
            tx.school, message, tx.person, tx.member.role,
        )  # fmt: skip
        return False if gone else None
    if state in {HeldState.HELD, HeldState.STOPPED}:
        await tx.execute(
            "update held_message set state = 'withdrawn', text = '', ended_at = $3 where school_id = $1 and message_id = $2",
            tx.school, message, tx.now,
        )  # fmt: skip
    return True


async def kind_of_seat(tx: Tx, seat: SeatId) -> str:
    """The kind of a seat; empty for one that our copy does not know."""
    return await tx.fetchval("select kind from known_seat where school_id = $1 and seat_id = $2", tx.school, seat) or ""


async def is_open(tx: Tx, pupil: PersonId, seat: SeatId) -> bool:
    """Whether a child and a seat have their thread."""
    return await tx.fetchval(
        "select exists (select from thread where school_id = $1 and pupil_id = $2 and seat_id = $3)",
        tx.school, pupil, seat,
    )  # fmt: skip


async def other_side_wrote(tx: Tx, right: Right) -> bool:
    """Whether the other side of a thread has ever written."""
    return await tx.fetchval(
        "select exists (select from message where school_id = $1 and thread_id = $2 and author_side <> $3)",
        tx.school, right.thread, right.side,
    )  # fmt: skip


async def due(worker: Database, now: datetime, limit: int) -> list[tuple[UUID, ThreadId]]:
    """Threads of all schools in which something is to be looked at."""
    rows = await worker.fetch("select * from due_held_threads($1, $2)", now, limit)
    return [(row["school_id"], ThreadId(row["thread_id"])) for row in rows]


async def lock_thread(tx: Tx, thread: ThreadId) -> None:
    """Let nobody else number or release in this thread until commit."""
    await tx.execute("select from thread where school_id = $1 and thread_id = $2 for update", tx.school, thread)


async def copy_is_fresh(tx: Tx) -> bool:
    """Whether our copy of who is who is fresh enough to release by."""
    return await tx.fetchval(
        "select exists (select from feed_state where heard_at > clock_timestamp() - interval '30 seconds')"
    )


async def to_look_at(tx: Tx, thread: ThreadId) -> list[Waiting]:
    """What is due in a thread, in the order of acceptance, locked so that nobody takes it back meanwhile. Needs the thread's lock."""
    rows = await tx.fetch(
        "select h.message_id, h.author_id, h.author_side, h.author_role, h.language, h.text, h.trace, exists ("
        "  select from known_membership b, right_in($1, t.thread_id, t.pupil_id, t.seat_id, h.author_id, h.author_role)"
        "  where b.school_id = $1 and b.person_id = h.author_id and b.role = h.author_role and b.standing = 'active') as may_still"
        " from held_message h join thread t on t.school_id = h.school_id and t.thread_id = h.thread_id"
        " where h.school_id = $1 and h.thread_id = $2 and h.state = 'held' and h.look_at <= $3 order by h.place for update of h",
        tx.school, thread, tx.now,
    )  # fmt: skip
    return [
        Waiting(
            row["message_id"], thread, PersonId(row["author_id"]), Side(row["author_side"]), Role(row["author_role"]),
            row["language"], row["text"], row["may_still"], row["trace"],
        )
        for row in rows
    ]  # fmt: skip


async def release(tx: Tx, waiting: Waiting, answer_by: datetime | None) -> int:
    """Make a waiting message visible; gives its number. Its author's receipt follows only where nothing unread lies between."""
    return await tx.fetchval(
        "with head as ("
        "  update thread set head_seq = head_seq + 1, head_at = $3 where school_id = $1 and thread_id = $4 returning head_seq"
        "), gone as ("
        "  delete from held_message where school_id = $1 and message_id = $2 returning message_id"
        "), written as ("
        "  insert into message (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at,"
        "    answer_by)"
        "  select $1, message_id, $4, head_seq, $5, $6, $7, $8, $9, $3, $10 from head, gone"
        "), seen as ("
        "  update receipt r set seq = head_seq, at = $3 from head where r.school_id = $1 and r.thread_id = $4 and r.person_id = $5"
        "    and r.side = $6 and r.seq = head_seq - 1"
        ") select head_seq from head",
        tx.school, waiting.id, tx.now, waiting.thread, waiting.author, waiting.side, waiting.role, waiting.language,
        waiting.text, answer_by,
    )  # fmt: skip


async def hold_on(tx: Tx, message: MessageId, sending: Sending) -> None:
    """Let a message wait for another hour, and look at it then or when the rules change."""
    until = sending.visible_at or sending.opens
    await tx.execute(
        "update held_message set visible_at = $3, answer_by = $4, reasons = $5, look_at = least(coalesce($3, $6::timestamptz), ("
        "  select min(counts_from) from known_policy where school_id = $1 and counts_from > $7))"
        " where school_id = $1 and message_id = $2",
        tx.school, message, until, sending.answer_by, codes(sending), tx.now + LOOK_AGAIN, tx.now,
    )  # fmt: skip


async def stop(tx: Tx, message: MessageId) -> None:
    """Never release a message; its author sees that."""
    await tx.execute(
        "update held_message set state = 'stopped', ended_at = $3 where school_id = $1 and message_id = $2",
        tx.school, message, tx.now,
    )  # fmt: skip


async def look_anew(tx: Tx, at: datetime) -> int:
    """Look at everything that waits in the school not later than that instant."""
    return await tx.execute(
        "update held_message set look_at = $2 where school_id = $1 and state = 'held' and look_at > $2", tx.school, at
    )


def _held(row: Row) -> Held:
    return Held(
        row["message_id"], row["thread_id"], row["place"], row["text"], row["language"], row["accepted_at"],
        HeldState(row["state"]), row["visible_at"], row["answer_by"], row["reasons"],
    )  # fmt: skip
