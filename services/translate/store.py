"""All SQL of translation: which texts wait for which language."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from bookbag.chassis.database import Database, Tx, trace_parent
from bookbag.chassis.service import SETTLING, Restored
from bookbag.school.content import ContentRef
from services.translate.model import Reason, TranslationRequest


async def want(tx: Tx, ref: ContentRef, *, version: int, source: str, target: str, revives: Iterable[Reason]) -> None:
    """Ask for a translation from now on. One that is asked for already is left alone, unless the text has a newer
    version since, or it was set aside for one of `revives`: then it begins anew."""
    await tx.execute(
        "insert into translation_request as r (school_id, kind, content_id, target, source, version, asked_at, due_at, trace)"
        " values ($1, $2, $3, $4, $5, $6, $7, $7, $9)"
        " on conflict (school_id, kind, content_id, target) do update"
        " set source = excluded.source, version = excluded.version, asked_at = excluded.asked_at, due_at = excluded.due_at,"
        "     trace = excluded.trace, attempts = 0, refusals = 0, told = false, reason = null"
        " where r.version < excluded.version or (r.due_at is null and r.reason = any($8::text[]))",
        tx.school, ref.kind, ref.content, target, source, version, tx.now, list(revives),
        trace_parent(),
    )  # fmt: skip


async def due(across_schools: Database, now: datetime, *, limit: int) -> list[tuple[ContentRef, str]]:
    """Texts and target languages that may be tried now, those that wait longest first."""
    rows = await across_schools.fetch("select * from due_requests($1, $2)", now, limit)
    return [(ContentRef(row["school_id"], row["kind"], row["content_id"]), row["target"]) for row in rows]


async def claim(tx: Tx, ref: ContentRef, target: str, *, until: datetime) -> TranslationRequest | None:
    """Take a due request for this process, its attempt counted first; None when somebody else has it. A process that
    dies gives it back by letting `until` pass."""
    row = await tx.fetchrow(
        "update translation_request set due_at = $5, attempts = attempts + 1"
        " where school_id = $1 and kind = $2 and content_id = $3 and target = $4 and due_at <= $6"
        " returning source, asked_at, attempts - 1 as attempts, refusals, told, trace",
        tx.school, ref.kind, ref.content, target, until, tx.now,
    )  # fmt: skip
    if row is None:
        return None
    return TranslationRequest(
        ref, row["source"], target,
        asked_at=row["asked_at"], attempts=row["attempts"], refusals=row["refusals"], told=row["told"],
        trace=row["trace"],
    )  # fmt: skip


async def give_back(tx: Tx, request: TranslationRequest, *, due_at: datetime) -> None:
    """Undo a claim whose attempt does not count, because a sibling was away."""
    await tx.execute(
        "update translation_request set due_at = $5, attempts = $6"
        " where school_id = $1 and kind = $2 and content_id = $3 and target = $4",
        *_key(tx, request), due_at, request.attempts,
    )  # fmt: skip


async def put_off(tx: Tx, request: TranslationRequest, *, due_at: datetime | None, reason: Reason) -> None:
    """Let a request wait until `due_at`, or set it aside with None. Its owner has been told."""
    await tx.execute(
        "update translation_request set due_at = $5, reason = $6, told = true, refusals = refusals + $7"
        " where school_id = $1 and kind = $2 and content_id = $3 and target = $4",
        *_key(tx, request), due_at, reason, int(reason is Reason.ANSWER_REFUSED),
    )  # fmt: skip


async def finish(tx: Tx, request: TranslationRequest) -> None:
    """Forget a request that needs nothing more. One that was asked for anew meanwhile stays."""
    await tx.execute(
        "delete from translation_request where school_id = $1 and kind = $2 and content_id = $3 and target = $4 and asked_at = $5",
        *_key(tx, request), request.asked_at,
    )  # fmt: skip


async def pairs_set_aside(across_schools: Database) -> list[tuple[UUID, str, str]]:
    """(school, source, target) of the requests that wait for an engine of their pair."""
    rows = await across_schools.fetch("select * from pairs_set_aside()")
    return [(row["school_id"], row["source"], row["target"]) for row in rows]


async def revive(tx: Tx, source: str, target: str) -> int:
    """Make the requests of a pair due that had no engine; gives how many."""
    return await tx.execute(
        "update translation_request set due_at = $4, asked_at = $4, attempts = 0, refusals = 0"
        " where school_id = $1 and source = $2 and target = $3 and due_at is null and reason = 'no-engine-for-pair'",
        tx.school, source, target, tx.now,
    )  # fmt: skip


async def schools_with_requests_before(across_schools: Database, before: datetime) -> list[UUID]:
    """The schools that have requests asked before an instant."""
    return [
        row["school_id"] for row in await across_schools.fetch("select * from schools_with_requests_before($1)", before)
    ]


async def forget_asked_before(tx: Tx, age: timedelta) -> int:
    """Remove a school's requests that are older than `age`; gives how many."""
    return await tx.execute(
        "delete from translation_request where school_id = $1 and asked_at < $2", tx.school, tx.now - age
    )


async def school_words(tx: Tx) -> tuple[str, ...]:
    """The words of a school that no engine may turn into another language: its name and those of its classes."""
    rows = await tx.fetch(
        "select name from known_school where school_id = $1"
        " union select name from known_class where school_id = $1 and not archived order by name limit 1000",
        tx.school,
    )
    return tuple(row["name"] for row in rows)


def _key(tx: Tx, request: TranslationRequest) -> tuple[object, ...]:
    return tx.school, request.ref.kind, request.ref.content, request.target


async def hold_requests_back(restored: Restored) -> None:
    """Texts of a school that comes back alone wait until their owner has them too. Stands in the manifest's `restored`."""
    if restored.school is not None:
        await restored.execute(
            "update translation_request set due_at = greatest(due_at, clock_timestamp() + $1::interval) where due_at is not null",
            SETTLING,
        )
