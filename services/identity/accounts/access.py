"""The only way to act on behalf of an account: the session behind a refresh token or a bearer token, proved to be live."""

from datetime import timedelta
from uuid import UUID

from services.identity.accounts import model, store
from services.identity.accounts.model import AccountId, RefreshToken, Session, SessionId, SignedOut, Worth, worth_of
from services.identity.accounts.store import AccountTx


async def session_behind(tx: AccountTx, cookie: str | None, idle: timedelta) -> tuple[Session, RefreshToken]:
    """The live session and the token that a cookie stands for, locked. Raises SignedOut. The token may have been used before."""
    if cookie is None:
        raise SignedOut
    fingerprint = model.fingerprint_of(cookie)
    family = await store.session_of_token(tx, fingerprint)
    session = await store.lock_session(tx, family) if family is not None else None
    token = await store.token(tx, fingerprint)
    if session is None or token is None or not session.is_live(tx.now, idle):
        raise SignedOut
    return session, token


async def session_shown(tx: AccountTx, cookie: str | None, idle: timedelta) -> Session:
    """Like `session_behind` for reading only: an old token shows nothing, and presenting it here ends nothing."""
    session, token = await session_behind(tx, cookie, idle)
    if worth_of(token, tx.now) is Worth.REUSE:
        raise SignedOut
    return session


async def account_of_member(tx: AccountTx, school: UUID, person: UUID) -> AccountId:
    """The account a member signs in with. Raises SignedOut for somebody who has none."""
    account = await store.account_of(tx, school, person)
    if account is None:
        raise SignedOut
    return account


async def own_session(tx: AccountTx, account: AccountId, session: UUID) -> Session | None:
    """A session of this account, locked; None for anybody else's."""
    found = await store.lock_session(tx, SessionId(session))
    return found if found is not None and found.account == account else None
