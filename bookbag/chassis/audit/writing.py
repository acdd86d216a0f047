"""Puts an act on the record of its school, in the transaction of the act: either both are there or neither."""

from uuid import UUID

from bookbag.chassis.database import Tx, Undeclared

LONGEST_REASON = 2000
"""Characters; whoever takes a reason from a person sets a closer limit."""


async def append(
    tx: Tx, *, by: UUID | None, role: str, act: str, kind: str, about: UUID | None, reason: str = ""
) -> int:
    """PRV-4. One entry at the end of the school's chain; gives its number, which counts from 1 without gaps.

    `by` acted in `role` (None: an operator, who is no person of a school); `act` is a stable code among the manifest's `records`, for
    which clients have words; `about` is the object, of a `kind`, by id alone: names are looked up when the entry is shown. Raises
    Undeclared for an act that the manifest does not name. The head of the school's chain stays locked until the transaction ends, so
    append last.
    """
    if act not in tx.database.records:
        raise Undeclared(f"{act!r} is not in the manifest's `records`")
    if len(reason) > LONGEST_REASON:
        raise ValueError(f"a reason on the record has at most {LONGEST_REASON} characters")
    return await tx.fetchval(
        "select append_audit($1, $2, $3, $4, $5, $6, $7, $8)",
        tx.school, tx.now, by, role, act, kind, about, reason,
    )  # fmt: skip
