"""Makes a creating request safe to repeat: the answer is kept under its key in the same transaction as what it made."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.chassis.problems import KEY_MALFORMED, KEY_MISSING, KEY_REUSED, Problem

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


def checked_key(key: str | None) -> str:
    """The value of an `Idempotency-Key` header, or a Problem that says what is wrong with it."""
    if key is None:
        raise Problem(KEY_MISSING)
    if not _KEY.fullmatch(key):
        raise Problem(KEY_MALFORMED)
    return key


def fingerprint(*parts: object) -> bytes:
    """What makes two requests the same request. Only the same parts in the same order give the same bytes."""
    return hashlib.sha256(json.dumps(parts, default=str, ensure_ascii=False).encode()).digest()


async def once(
    tx: Tx, person: UUID, key: str, print_: bytes, make: Callable[[], Awaitable[dict[str, Any]]]
) -> tuple[dict[str, Any], bool]:
    """The answer under a key and whether it is new: made now, or as it was the first time.

    A second request waits for the first to commit. Raises Problem `key-reused` for another request under the same key.
    """
    fresh = await tx.fetchval(
        "insert into idempotency (school_id, person_id, key, fingerprint) values ($1, $2, $3, $4)"
        " on conflict do nothing returning true",
        tx.school, person, key, print_,
    )  # fmt: skip
    if fresh:
        answer = await make()
        await tx.execute(
            "update idempotency set answer = $4 where school_id = $1 and person_id = $2 and key = $3",
            tx.school, person, key, json.dumps(answer),
        )  # fmt: skip
        return answer, True
    row = await tx.fetchrow(
        "select fingerprint, answer from idempotency where school_id = $1 and person_id = $2 and key = $3",
        tx.school, person, key,
    )  # fmt: skip
    if row is None or row["fingerprint"] != print_:
        raise Problem(KEY_REUSED)
    return json.loads(row["answer"]), False
