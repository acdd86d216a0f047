"""Signing in, staying signed in, and signing out.

What ends a session is told to every school of its account in the same transaction, so that its tokens are refused everywhere within
seconds (ID-1).
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bookbag.chassis import measures
from bookbag.chassis.database import Tx
from bookbag.chassis.limiter import Limit, WhenAway
from bookbag.chassis.problems import TOO_MANY_REQUESTS, Problem
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.tokens import USER_TOKEN_LIFE, UserSigner
from bookbag.directory.call import Call
from bookbag.directory.entry import prove_entry
from bookbag.directory.policy import person_at, rules_at
from bookbag.school.policy.rules import terms_version
from bookbag.school.policy.rules.compiled import Address
from bookbag.school.roles import Role
from services.identity.accounts import access, model, store
from services.identity.accounts.model import (
    Account,
    AccountId,
    EndedBecause,
    MembershipSuspended,
    RefreshToken,
    Seen,
    Session,
    SessionId,
    SignedOut,
    Worth,
    WrongCredentials,
)
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.store import AccountTx, account_transaction
from services.identity.acts import Act
from services.identity.feed import events
from services.identity.feed import store as feed
from services.identity.roster import actions as roster
from services.identity.roster import store as roster_store
from services.identity.roster.model import Author, NotOnRoster, Standing
from services.identity.settings import IdentitySettings
from services.identity.terms import store as terms

PER = timedelta(minutes=15)

sign_ins = measures.counter(
    "bookbag_sign_ins_total",
    "Tries to sign in. Outcomes: done, wrong (e-mail or password), limited (too many tries), away (busy, or something broke).",
    "outcome",
)
for _outcome in ("done", "wrong", "limited", "away"):
    sign_ins.labels(_outcome)  # a rate does not see a series begin, so each is there before it counts


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun, with the refresh token for its cookie."""

    session: Session
    refresh: str
    memberships: Sequence[Seen]


@dataclass(frozen=True, slots=True)
class Issued:
    """A user token for one membership, with the refresh token that follows the one presented."""

    token: str
    terms_accepted: bool
    expires_in: int
    member: Seen
    refresh: str
    cookie_life: timedelta


async def add_account(tx: Tx, person: UUID, *, email: str | None, password_hash: str | None) -> AccountId:
    """Give a person of this school an account, or join them to the one their e-mail has already, whose password then stays.

    Raises UniqueViolationError when the person has an account, or the account a person in this school.
    """
    account_tx = store.within(tx)
    account = await store.insert_account(account_tx, model.email_key(email) if email else None, password_hash)
    await store.link_person(account_tx, account, tx.school, person)
    return account


async def sign_in(runtime: Runtime, *, email: str, password: str, address: str, user_agent: str) -> SignedIn:
    """ID-1. Raises WrongCredentials alike for unknown e-mails and wrong passwords, Problem `too-many-requests` or `unavailable`.

    Tries are counted before the password is looked at, so parallel tries pass no limit. A success forgets those of the e-mail;
    those of the address stay, or one good account would open the way to guess at others.
    """
    outcome = "away"
    try:
        begun = await _sign_in(runtime, email=email, password=password, address=address, user_agent=user_agent)
        outcome = "done"
    except WrongCredentials:
        outcome = "wrong"
        raise
    except Problem as problem:
        outcome = "limited" if problem.kind is TOO_MANY_REQUESTS else "away"
        raise
    finally:
        sign_ins.labels(outcome).inc()
    return begun


async def _sign_in(runtime: Runtime, *, email: str, password: str, address: str, user_agent: str) -> SignedIn:
    key = model.email_key(email)
    per_email, per_address = _limits(_settings(runtime))
    await runtime.limiter.take(per_address, address)
    await runtime.limiter.take(per_email, key)
    async with account_transaction(runtime) as tx:
        account = await store.account_by_email(tx, key)
    await _prove(runtime, account, password)
    assert account is not None
    renewed = await _renewed(runtime, account, password)
    await runtime.limiter.forget(per_email, key)
    async with account_transaction(runtime) as tx:
        if await store.account(tx, account.id) != account:
            raise WrongCredentials  # the password was changed while this one was looked at
        if renewed is not None:
            await store.set_password(tx, account.id, renewed, changed=False)
        return await begin_session(runtime, tx, account.id, user_agent)


async def begin_session(runtime: Runtime, tx: AccountTx, account: AccountId, user_agent: str) -> SignedIn:
    """A new session of an account whose holder has proved who they are."""
    session = await store.insert_session(
        tx, account, tx.now + _settings(runtime).session_life, model.device_of(user_agent)
    )
    refresh = secrets.token_hex(model.TOKEN_BYTES)
    await store.insert_token(tx, session.id, model.fingerprint_of(refresh))
    return SignedIn(session, refresh, await _seen(tx, account))


async def memberships(runtime: Runtime, cookie: str | None) -> Sequence[Seen]:
    """Whom the holder of a cookie may act as; suspended ones too, which say so when they are chosen. Raises SignedOut."""
    async with account_transaction(runtime) as tx:
        session = await access.session_shown(tx, cookie, _settings(runtime).session_idle)
        return await _seen(tx, session.account)


async def member_behind(runtime: Runtime, cookie: str | None, *, person: UUID, role: Role) -> Seen:
    """One membership of the holder of a cookie, whose token is not used up. Raises SignedOut, NotOnRoster, MembershipSuspended."""
    async with account_transaction(runtime) as tx:
        session = await access.session_shown(tx, cookie, _settings(runtime).session_idle)
        return await _chosen(tx, session.account, person, role)


async def issue_token(
    runtime: Runtime, cookie: str | None, *, person: UUID, role: Role, address: Address | None
) -> Issued:
    """A token for one membership; the cookie's token is used up by it.

    Raises SignedOut, NotOnRoster for somebody else's membership, MembershipSuspended, Problem `outside-hours`, `outside-network`.
    A refresh token that was used before more than thirty seconds ago is in two hands: its whole family ends.
    """
    await _prove_entry(runtime, cookie, person, role, address)
    rotated = await _rotated(runtime, cookie, person, role)
    if rotated is None:
        runtime.signal("changes")
        raise SignedOut
    session, member, now = rotated.session, rotated.member, rotated.now
    # Asked outside the transaction: with the rules not known here, the same cookie gets its answer a moment later.
    due = terms_version(await rules_at(runtime, member.school.id, now), role)
    named = due if due in rotated.accepted else None
    signed = _signer(runtime).sign(
        school=member.school.id,
        person=person,
        role=role,
        session=session.id,
        epoch=member.membership.epoch,
        terms=named or "",
    )
    life = int(USER_TOKEN_LIFE.total_seconds())
    return Issued(signed, named == due, life, member, rotated.refresh, session.expires_at - now)


@dataclass(frozen=True, slots=True)
class _Rotated:
    """A refresh token that was used up, its successor, and the versions of the terms that its holder has accepted."""

    session: Session
    member: Seen
    refresh: str
    accepted: frozenset[str]
    now: datetime


async def _rotated(runtime: Runtime, cookie: str | None, person: UUID, role: Role) -> _Rotated | None:
    """None for a token in two hands, whose session has then ended."""
    async with account_transaction(runtime) as tx:
        session, token = await access.session_behind(tx, cookie, _settings(runtime).session_idle)
        if model.worth_of(token, tx.now) is Worth.REUSE:
            await _end(tx, session, EndedBecause.REUSE)
            return None
        assert cookie is not None
        member = await _chosen(tx, session.account, person, role)
        refresh = await _successor(tx, token, cookie)
        accepted = await terms.accepted_versions(await tx.enter(member.school.id), person, role)
        return _Rotated(session, member, refresh, accepted, tx.now)


async def _prove_entry(runtime: Runtime, cookie: str | None, person: UUID, role: Role, address: Address | None) -> None:
    """Raise Problem `outside-hours` or `outside-network` before the cookie's token is used up; says nothing of a cookie or a membership
    that is not good, which the issuing does. The rules are asked while no connection is held."""
    try:
        member = await member_behind(runtime, cookie, person=person, role=role)
    except (SignedOut, NotOnRoster, MembershipSuspended):
        return
    now = runtime.clock.now()
    who = await person_at(runtime, member.school.id, person, role, now)
    await prove_entry(runtime, member.school.id, person, who, now, address)


async def sign_out(runtime: Runtime, cookie: str | None, bearer: UUID | None) -> None:
    """End the session of a cookie, of a bearer's token (its session id), or of both. Ending what has ended changes nothing."""
    idle = _settings(runtime).session_idle
    async with account_transaction(runtime) as tx:
        found: list[Session] = []
        with suppress(SignedOut):
            found.append((await access.session_behind(tx, cookie, idle))[0])
        if bearer is not None and all(session.id != bearer for session in found):
            other = await store.lock_session(tx, SessionId(bearer))
            found += [other] if other is not None else []
        for session in found:
            await _end(tx, session, EndedBecause.SIGNED_OUT)
    runtime.signal("changes")


async def sessions(call: Call) -> Sequence[Session]:
    """The live sessions of the member's account."""
    async with call.transaction() as school_tx:
        tx = store.within(school_tx)
        account = await access.account_of_member(tx, call.member.school, call.member.person)
        idle = _settings(call.runtime).session_idle
        return [session for session in await store.sessions(tx, account) if session.is_live(tx.now, idle)]


async def revoke_session(call: Call, session: UUID) -> None:
    """End one of one's own sessions. Raises NotOnRoster for anybody else's; ending twice changes nothing."""
    async with call.transaction() as school_tx:
        tx = store.within(school_tx)
        account = await access.account_of_member(tx, call.member.school, call.member.person)
        found = await access.own_session(tx, account, session)
        if found is None:
            raise NotOnRoster("no such session")
        await _end(tx, found, EndedBecause.REVOKED)
    call.runtime.signal("changes")


async def change_password(call: Call, *, old: str, new: str) -> None:
    """Ends every other session and makes every token of the account old. Raises WrongCredentials, Problem `too-many-requests`
    or `unavailable`."""
    per_email, _ = _limits(_settings(call.runtime))
    async with call.transaction() as school_tx:
        account_id = await access.account_of_member(store.within(school_tx), call.member.school, call.member.person)
        account = await store.account(store.within(school_tx), account_id)
    await call.runtime.limiter.take(per_email, str(account_id))
    await _prove(call.runtime, account, old)
    hashed = await passwords_of(call.runtime).hash(new)
    await call.runtime.limiter.forget(per_email, str(account_id))
    async with account_transaction(call.runtime) as tx:
        await store.set_password(tx, account_id, hashed, changed=True)
        for session in await store.sessions(tx, account_id):
            if session.id != call.member.session:
                await _end(tx, session, EndedBecause.PASSWORD)
        for school, person in await store.people_of(tx, account_id):
            entered = await tx.enter(school)
            await roster.renew_epochs(entered, person)
            await roster_store.append_audit(
                entered, Author(person, "account"), Act.PASSWORD_CHANGED, "person", person, ""
            )
    call.runtime.signal("changes")


async def purge_sessions(runtime: Runtime, *, older_than: timedelta) -> int:
    """Remove sessions that ended or ran out so long ago; gives how many."""
    return await store.purge_ended_sessions(runtime.across_schools, runtime.clock.now() - older_than)


def passwords_of(runtime: Runtime) -> Passwords:
    """The password checker of this process, made by the service's `start`."""
    return runtime.state["passwords"]


def _settings(runtime: Runtime) -> IdentitySettings:
    return runtime.settings


def _signer(runtime: Runtime) -> UserSigner:
    return runtime.state["user_signer"]


def _limits(settings: IdentitySettings) -> tuple[Limit, Limit]:
    """Sign-in fails closed: without Redis it is counted in PostgreSQL."""
    return (
        Limit("sign-in-email", settings.sign_in_tries_per_email, PER, WhenAway.COUNT_IN_DATABASE),
        Limit("sign-in-address", settings.sign_in_tries_per_address, PER, WhenAway.COUNT_IN_DATABASE),
    )


async def _prove(runtime: Runtime, account: Account | None, password: str) -> None:
    """Raise WrongCredentials unless the password is the account's; the same work for no account."""
    if not await passwords_of(runtime).check(password, account.password_hash if account else None):
        raise WrongCredentials
    if account is None:
        raise WrongCredentials


async def _renewed(runtime: Runtime, account: Account, password: str) -> str | None:
    """The hash under today's parameters, when the kept one was made under others."""
    passwords = passwords_of(runtime)
    if account.password_hash is not None and passwords.is_outdated(account.password_hash):
        return await passwords.hash(password)
    return None


async def _successor(tx: AccountTx, token: RefreshToken, value: str) -> str:
    """The token to hand out after this one was presented: a new one, or the newest that already followed it.

    Following the chain to its end matters: a slow tab must not put a used token back into the cookie that all tabs share.
    """
    while token.successor_salt is not None:
        value = model.successor_of(value, token.successor_salt)
        following = await store.token(tx, model.fingerprint_of(value))
        assert following is not None
        if following.used_at is None:
            return value
        token = following
    salt = secrets.token_bytes(model.TOKEN_BYTES)
    successor = model.successor_of(value, salt)
    await store.use_token(tx, token, salt, model.fingerprint_of(successor), tx.now - model.GRACE)
    return successor


async def _chosen(tx: AccountTx, account: AccountId, person: UUID, role: Role) -> Seen:
    for seen in await _seen(tx, account):
        if seen.person.id == person and seen.membership.role is role:
            if seen.membership.standing is Standing.SUSPENDED:
                raise MembershipSuspended
            return seen
    raise NotOnRoster("no such membership of yours")


async def _seen(tx: AccountTx, account: AccountId) -> Sequence[Seen]:
    """The memberships of an account that have not ended, school by school."""
    found: list[Seen] = []
    for school, person in await store.people_of(tx, account):
        entered = await tx.enter(school)
        at, who = await roster_store.school(entered), await roster_store.person(entered, person)
        assert at is not None
        assert who is not None
        found += [
            Seen(at, who, held)
            for held in await roster_store.memberships(entered, person)
            if held.standing is not Standing.ENDED
        ]
    return found


async def _end(tx: AccountTx, session: Session, because: EndedBecause) -> None:
    """End a session and tell every school of its account. A family ended for reuse goes on the record."""
    if not await store.end_session(tx, session.id, because):
        return
    for school, person in await store.people_of(tx, session.account):
        entered = await tx.enter(school)
        revision = await feed.next_revision(entered)
        await feed.record(entered, events.session_ended(school, session.id, at=tx.now, revision=revision))
        if because is EndedBecause.REUSE:
            await roster_store.append_audit(
                entered, Author(person, "account"), Act.SESSION_REUSED, "session", session.id, ""
            )
