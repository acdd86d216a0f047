"""Routes of sign-in. The refresh token travels in a cookie that scripts cannot read and other sites cannot send."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from bookbag.chassis.http import Body, Shown, Text, runtime_of
from bookbag.chassis.problems import FORBIDDEN, Problem
from bookbag.chassis.settings import Platform
from bookbag.directory.http import SIGNED_IN, CallHere, address_of, member_of
from bookbag.school.roles import Role
from services.identity.accounts import actions
from services.identity.accounts.model import Seen, Session
from services.identity.profile.api import SchoolShown

COOKIE = "bookbag_refresh"

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Refresh = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]


async def _from_our_pages(request: Request) -> None:
    """Refuse a browser that says it comes from another site. Raises Problem `forbidden`."""
    origin = request.headers.get("origin")
    if origin is not None and not is_ours(origin, runtime_of(request).platform):
        raise Problem(FORBIDDEN, "this is answered to Bookbag's own pages only")


def is_ours(origin: str, platform: Platform) -> bool:
    """Whether an Origin is the public address; on one machine its loopback names are one."""
    if origin == platform.public_url:
        return True
    if not platform.on_one_machine:
        return False
    try:
        asked, ours = urlsplit(origin), urlsplit(platform.public_url)
        same_door = (asked.scheme, asked.port) == (ours.scheme, ours.port)
    except ValueError:
        return False
    return same_door and asked.hostname in LOOPBACK and ours.hostname in LOOPBACK


FROM_OUR_PAGES = Depends(_from_our_pages)

router = APIRouter(dependencies=[FROM_OUR_PAGES])


class Credentials(Body):
    """An e-mail and its password."""

    email: Annotated[Text, Field(min_length=1, max_length=254)]
    password: Annotated[Text, Field(min_length=1, max_length=256)]


class ChosenMembership(Body):
    """Whom the next token is for."""

    person: UUID
    role: Role


class NewPassword(Body):
    """The password until now and the one from now on."""

    old: Annotated[Text, Field(min_length=1, max_length=256)]
    new: Annotated[Text, Field(min_length=12, max_length=256)]


class MembershipShown(Shown):
    """One person in one role of one school."""

    person: UUID
    role: Role
    name: str
    first_name: str
    language: str
    school: SchoolShown

    @classmethod
    def of(cls, seen: Seen) -> Self:
        person = seen.person
        return cls(
            person=person.id, role=seen.membership.role, name=person.name, first_name=person.first_name,
            language=person.language, school=SchoolShown.of(seen.school),
        )  # fmt: skip


class Memberships(Shown):
    """Whom the holder of the cookie may act as."""

    memberships: list[MembershipShown]


class SignedIn(Memberships):
    """A session that has begun; its refresh token is in the cookie."""

    session: UUID


class Token(Shown):
    """A bearer token for ten minutes; `expires_in` is in seconds. Unless `terms_accepted` it opens the terms and nothing else."""

    token: str
    expires_in: int
    terms_accepted: bool
    member: MembershipShown


class SessionShown(Shown):
    """A device on which one is signed in."""

    id: UUID
    started_at: datetime
    last_used_at: datetime
    device: str
    current: bool

    @classmethod
    def of(cls, session: Session, current: UUID) -> Self:
        return cls(
            id=session.id, started_at=session.started_at, last_used_at=session.last_used_at, device=session.device,
            current=session.id == current,
        )  # fmt: skip


class Sessions(Shown):
    """All devices, the last used first; at most 100."""

    items: list[SessionShown]


def keep_refresh(request: Request, response: Response, refresh: str, life: timedelta) -> None:
    """Put the refresh token into its cookie."""
    response.set_cookie(
        COOKIE, refresh, max_age=int(life.total_seconds()), path="/identity/v1", httponly=True, samesite="strict",
        secure=runtime_of(request).platform.public_url.startswith("https:"),
    )  # fmt: skip
    response.headers["cache-control"] = "no-store"


def signed_in(request: Request, response: Response, begun: actions.SignedIn) -> SignedIn:
    """Answer with a session that has just begun."""
    session = begun.session
    keep_refresh(request, response, begun.refresh, session.expires_at - session.started_at)
    return SignedIn(session=session.id, memberships=[MembershipShown.of(seen) for seen in begun.memberships])


@router.post("/sessions", status_code=201)
async def sign_in(given: Credentials, request: Request, response: Response) -> SignedIn:
    """ID-1. Public. 401 `wrong-credentials` for unknown e-mails and wrong passwords alike, 429 after ten tries in 15 minutes."""
    begun = await actions.sign_in(
        runtime_of(request), email=given.email, password=given.password,
        address=request.client.host if request.client else "", user_agent=request.headers.get("user-agent", ""),
    )  # fmt: skip
    return signed_in(request, response, begun)


@router.post("/tokens")
async def issue_token(chosen: ChosenMembership, request: Request, response: Response, refresh: Refresh = None) -> Token:
    """ID-1, ID-10. With the cookie, which is replaced. 401 `signed-out`, 403 `suspended`, and for staff
    `outside-hours` or `outside-network` (POL-4); 404 not one's own membership.

    A refresh token used again within 30 seconds is answered alike; later it ends the session.
    """
    issued = await actions.issue_token(
        runtime_of(request), refresh, person=chosen.person, role=chosen.role, address=address_of(request)
    )
    keep_refresh(request, response, issued.refresh, issued.cookie_life)
    return Token(
        token=issued.token,
        expires_in=issued.expires_in,
        terms_accepted=issued.terms_accepted,
        member=MembershipShown.of(issued.member),
    )


@router.get("/memberships")
async def list_memberships(request: Request, response: Response, refresh: Refresh = None) -> Memberships:
    """ID-10. With the cookie. Whom one may act as, suspended memberships too. 401 `signed-out`."""
    response.headers["cache-control"] = "no-store"
    found = await actions.memberships(runtime_of(request), refresh)
    return Memberships(memberships=[MembershipShown.of(seen) for seen in found])


@router.get("/sessions", dependencies=[SIGNED_IN])
async def list_sessions(call: CallHere) -> Sessions:
    """ID-1. The devices on which one is signed in."""
    return Sessions(items=[SessionShown.of(session, call.member.session) for session in await actions.sessions(call)])


@router.delete("/sessions/current", status_code=204)
async def sign_out(request: Request, response: Response, refresh: Refresh = None) -> None:
    """ID-1. With the cookie, the token, or both; refused everywhere within five seconds. Always succeeds and clears the cookie."""
    bearer: UUID | None = None
    if "authorization" in request.headers:
        try:
            bearer = member_of(request).session
        except Problem:
            bearer = None  # a token that has run out does not keep anybody from signing out
    await actions.sign_out(runtime_of(request), refresh, bearer)
    response.delete_cookie(COOKIE, path="/identity/v1", httponly=True, samesite="strict")
    response.headers["cache-control"] = "no-store"


@router.delete("/sessions/{session}", status_code=204, dependencies=[SIGNED_IN])
async def revoke_session(session: UUID, call: CallHere) -> None:
    """ID-1. Sign out another device of one's own. 404 not one's own."""
    await actions.revoke_session(call, session)


@router.post("/password", status_code=204, dependencies=[SIGNED_IN])
async def change_password(given: NewPassword, call: CallHere) -> None:
    """ID-1. Ends all other sessions and every token; a new token comes from the cookie. 401 `wrong-credentials`."""
    await actions.change_password(call, old=given.old, new=given.new)


@router.get("/.well-known/jwks.json")
async def public_keys(request: Request) -> JSONResponse:
    """The public keys of user tokens. Public."""
    text = await asyncio.to_thread(runtime_of(request).platform.user_keys.read_text)
    keys: dict[str, Any] = json.loads(text)
    return JSONResponse(keys, headers={"cache-control": "public, max-age=300"})
