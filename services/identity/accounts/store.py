"""All SQL of accounts. Account tables belong to no school; what a school keeps is seen by entering it, one at a time."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Connection, Database, Row, Tx
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Restored
from services.identity.accounts.model import Account, AccountId, EndedBecause, RefreshToken, Session, SessionId


@dataclass(frozen=True, slots=True)
class AccountTx:
    """One open transaction on behalf of an account."""

    now: datetime
    connection: Connection
    database: Database

    async def enter(self, school: UUID) -> Tx:
        """From here on this transaction sees and writes the rows of this school, and of no other."""
        await self.connection.execute("select set_config('bookbag.school', $1, true)", str(school))
        return Tx(school, self.now, self.connection, self.database)


@asynccontextmanager
async def account_transaction(runtime: Runtime) -> AsyncGenerator[AccountTx]:
    """One transaction that begins in no school. Commits at the end, rolls back on any error."""
    async with runtime.database.transaction() as connection:
        yield AccountTx(runtime.clock.now(), connection, runtime.database)


def within(tx: Tx) -> AccountTx:
    """The account's side of a transaction that a school has opened."""
    return AccountTx(tx.now, tx.connection, tx.database)


def _session(row: Row) -> Session:
    return Session(
        SessionId(row["session_id"]), AccountId(row["account_id"]), row["started_at"], row["last_used_at"],
        row["expires_at"], row["device"], row["ended_at"],
    )  # fmt: skip


async def insert_account(tx: AccountTx, email_key: str | None, password_hash: str | None) -> AccountId:
    """A new account, or the one there is for this e-mail, whose password stays as it is."""
    account = await tx.connection.fetchval(
        "insert into account (account_id, email_key, password_hash, created_at, password_changed_at)"
        " values ($1, $2, $3, $4, $4) on conflict (email_key) do nothing returning account_id",
        new_id(), email_key, password_hash, tx.now,
    )  # fmt: skip
    if account is None:
        account = await tx.connection.fetchval("select account_id from account where email_key = $1", email_key)
    return AccountId(account)


async def link_person(tx: AccountTx, account: AccountId, school: UUID, person: UUID) -> None:
    await tx.connection.execute(
        "insert into account_person (account_id, school_id, person_id) values ($1, $2, $3)", account, school, person
    )


async def account_by_email(tx: AccountTx, email_key: str) -> Account | None:
    row = await tx.connection.fetchrow("select account_id, password_hash from account where email_key = $1", email_key)
    return Account(AccountId(row["account_id"]), row["password_hash"]) if row else None


async def account(tx: AccountTx, account: AccountId) -> Account | None:
    row = await tx.connection.fetchrow("select account_id, password_hash from account where account_id = $1", account)
    return Account(AccountId(row["account_id"]), row["password_hash"]) if row else None


async def account_of(tx: AccountTx, school: UUID, person: UUID) -> AccountId | None:
    """Whose account a person of a school signs in with."""
    found = await tx.connection.fetchval(
        "select account_id from account_person where school_id = $1 and person_id = $2", school, person
    )
    return AccountId(found) if found else None


async def set_password(tx: AccountTx, account: AccountId, password_hash: str, *, changed: bool) -> None:
    """`changed` when it is another password, not the same under new parameters."""
    await tx.connection.execute(
        "update account set password_hash = $2,"
        " password_changed_at = case when $3 then $4 else password_changed_at end where account_id = $1",
        account, password_hash, changed, tx.now,
    )  # fmt: skip


async def people_of(tx: AccountTx, account: AccountId) -> list[tuple[UUID, UUID]]:
    """School and person, of every school an account leads into."""
    rows = await tx.connection.fetch(
        "select school_id, person_id from account_person where account_id = $1 order by school_id", account
    )
    return [(row["school_id"], row["person_id"]) for row in rows]


async def insert_session(tx: AccountTx, account: AccountId, expires_at: datetime, device: str) -> Session:
    row = await tx.connection.fetchrow(
        "insert into session (session_id, account_id, started_at, last_used_at, expires_at, device)"
        " values ($1, $2, $3, $3, $4, $5) returning *",
        new_id(), account, tx.now, expires_at, device,
    )  # fmt: skip
    assert row is not None
    return _session(row)


async def insert_token(tx: AccountTx, session: SessionId, token_hash: bytes) -> None:
    await tx.connection.execute(
        "insert into refresh_token (session_id, token_hash, created_at) values ($1, $2, $3)",
        session,
        token_hash,
        tx.now,
    )


async def lock_session(tx: AccountTx, session: SessionId) -> Session | None:
    row = await tx.connection.fetchrow("select * from session where session_id = $1 for no key update", session)
    return _session(row) if row else None


async def session_of_token(tx: AccountTx, token_hash: bytes) -> SessionId | None:
    return await tx.connection.fetchval("select session_id from refresh_token where token_hash = $1", token_hash)


async def token(tx: AccountTx, token_hash: bytes) -> RefreshToken | None:
    """Read it after locking its session, which is what orders the uses of a family's tokens."""
    row = await tx.connection.fetchrow("select * from refresh_token where token_hash = $1", token_hash)
    return (
        RefreshToken(row["token_hash"], SessionId(row["session_id"]), row["used_at"], row["successor_salt"])
        if row
        else None
    )


async def use_token(
    tx: AccountTx, token: RefreshToken, salt: bytes, successor_hash: bytes, wipe_before: datetime
) -> None:
    """Mark a token used, keep its successor's fingerprint, and wipe the salts that no second use can need any more."""
    await tx.connection.execute(
        "update refresh_token set used_at = $2, successor_salt = $3 where token_hash = $1", token.hash, tx.now, salt
    )
    await tx.connection.execute(
        "update refresh_token set successor_salt = null"
        " where session_id = $1 and used_at < $2 and successor_salt is not null",
        token.session, wipe_before,
    )  # fmt: skip
    await insert_token(tx, token.session, successor_hash)
    await tx.connection.execute("update session set last_used_at = $2 where session_id = $1", token.session, tx.now)


async def sessions(tx: AccountTx, account: AccountId) -> list[Session]:
    """The sessions of an account that have not ended, the last used first."""
    rows = await tx.connection.fetch(
        "select * from session where account_id = $1 and ended_at is null order by last_used_at desc, session_id limit 100",
        account,
    )
    return [_session(row) for row in rows]


async def end_session(tx: AccountTx, session: SessionId, because: EndedBecause) -> bool:
    """Whether this ended it: false when it had ended before."""
    ended = await tx.connection.fetchval(
        "update session set ended_at = $2, ended_because = $3 where session_id = $1 and ended_at is null returning true",
        session, tx.now, because.value,
    )  # fmt: skip
    return bool(ended)


async def purge_ended_sessions(database: Database, before: datetime) -> int:
    return await database.fetchval("select purge_ended_sessions($1)", before)


async def linked_people(tx: Tx) -> Sequence[UUID]:
    """The people of a school who have an account."""
    rows = await tx.fetch("select person_id from account_person where school_id = $1", tx.school)
    return [row["person_id"] for row in rows]


async def end_every_session(restored: Restored) -> None:
    """Who signed out, or was signed out, after a backup was taken would be signed in again: so everybody signs in anew. Stands in the
    manifest's `restored`."""
    await restored.execute(
        "update session set ended_at = clock_timestamp(), ended_because = 'revoked' where ended_at is null"
    )


async def join_accounts(restored: Restored) -> None:
    """Who comes with a school and has an account here already, by its id or by the e-mail, keeps it and its password. Stands in the
    manifest's `restored`."""
    if restored.school is None:
        return
    await restored.execute(
        "update account_person p set account_id = here.account_id"
        " from account came join public.account here on here.email_key = came.email_key"
        " where p.account_id = came.account_id"
        "   and not exists (select from public.account same where same.account_id = came.account_id)"
    )
    await restored.execute(
        "delete from account came using public.account here"
        " where here.account_id = came.account_id or here.email_key = came.email_key"
    )
