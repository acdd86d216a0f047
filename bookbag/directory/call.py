"""What every step on behalf of a person needs, and nothing ambient: who, as whom, when, under which key, and the way to the database.

A transaction opened here has already proved that the person still stands: signed in, not suspended, not ended, and that our copy of
who is who is fresh. That is why no action has to remember to ask.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis import faults
from bookbag.chassis.database import Connection, Tx
from bookbag.chassis.problems import ACCESS_UNKNOWN, SIGNED_OUT, SUSPENDED, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.school.policy import rules
from bookbag.school.policy.rules.compiled import Address
from bookbag.school.roles import Role


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one role of one school, in one session."""

    school: UUID
    person: UUID
    role: Role
    session: UUID
    epoch: int
    terms: str = ""
    """The version of the terms that the member had accepted when the token was issued."""


@dataclass(frozen=True, slots=True)
class MemberTx(Tx):
    """An open transaction on behalf of a member: what the functions of a `store.py` take."""

    member: Member

    @property
    def person(self) -> UUID:
        return self.member.person


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one member. `key` is the idempotency key, None where none is needed."""

    member: Member
    now: datetime
    key: str | None
    runtime: Runtime
    who: rules.Person
    """The member under the school's rules that count now, their own narrower hours included."""
    address: Address | None = None
    """Where the request came from, by the word of trusted gateways only; None where that is not known."""

    @property
    def rules(self) -> rules.SchoolRules:
        """The school's rules that count now."""
        return self.who.rules

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[MemberTx]:
        """The school's transaction, opened only for a member who stands. Raises Problem `signed-out`, `suspended` or
        `access-unknown`."""
        member, database = self.member, self.runtime.database
        async with database.connection() as connection:
            async with connection.transaction():
                refuse_unless_active(await _standing(connection, member))
                yield MemberTx(member.school, self.now, connection, database, member)
                await faults.reached(faults.BEFORE_COMMIT, database.name)
            await faults.reached(faults.AFTER_COMMIT, database.name)


async def prove_standing(runtime: Runtime, member: Member) -> None:
    """Raise Problem `signed-out`, `suspended` or `access-unknown` for a member who does not stand."""
    async with runtime.database.transaction() as connection:
        refuse_unless_active(await _standing(connection, member))


async def _standing(connection: Connection, member: Member) -> str:
    """How a member stands; sets the transaction's school."""
    return await connection.fetchval(
        "select begin_call($1, $2, $3, $4, $5)",
        member.school,
        member.person,
        member.role,
        member.session,
        member.epoch,
    )


def refuse_unless_active(standing: str) -> None:
    """Raise the Problem that belongs to a standing other than active."""
    match standing:
        case "active":
            return
        case "unknown":
            raise Problem(ACCESS_UNKNOWN, retry_after=5)
        case "suspended":
            raise Problem(SUSPENDED)
        case _:
            raise Problem(SIGNED_OUT)
