"""From an HTTP request to a `Call`: the bearer token is verified here, once, for every route of every service."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer

from bookbag.chassis.http import runtime_of
from bookbag.chassis.idempotency import checked_key
from bookbag.chassis.problems import SIGNED_OUT, Problem
from bookbag.directory.call import Call, Member
from bookbag.school.roles import Role

_documented = HTTPBearer(auto_error=False, description="A user token: one membership in one role.")
"""Puts the bearer scheme into the OpenAPI document of a router; the token itself is read below."""

SIGNED_IN = Depends(_documented)
"""For `APIRouter(dependencies=[SIGNED_IN])` where the document should show that a token is needed."""


def member_of(request: Request) -> Member:
    """The member whose verified token the request carries. Raises Problem `signed-out`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(SIGNED_OUT)
    verified = runtime_of(request).verifier.user(token)
    try:
        role = Role(verified.role)
    except ValueError:
        raise Problem(SIGNED_OUT) from None
    return Member(verified.school, verified.person, role, verified.session, verified.epoch)


def keyed_call(request: Request) -> Call:
    """The call of a signed-in member who creates something, for a route that carries load; others declare `KeyedCallHere`."""
    runtime = runtime_of(request)
    key = checked_key(request.headers.get("idempotency-key"))
    return Call(member_of(request), runtime.clock.now(), key, runtime)


KEY_PARAMETER = {
    "name": "idempotency-key",
    "in": "header",
    "required": True,
    "description": "8 to 64 letters, digits, - or _; the same for each retry of one request.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
}
"""The key's header in the OpenAPI document of a route that uses `keyed_call`."""


async def _call(request: Request) -> Call:
    runtime = runtime_of(request)
    return Call(member_of(request), runtime.clock.now(), None, runtime)


async def _keyed_call(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="8 to 64 letters, digits, - or _; the same for each retry of one request.")
    ] = None,
) -> Call:
    runtime = runtime_of(request)
    return Call(member_of(request), runtime.clock.now(), checked_key(idempotency_key), runtime)


CallHere = Annotated[Call, Depends(_call)]
"""The call of a signed-in member."""

KeyedCallHere = Annotated[Call, Depends(_keyed_call)]
"""The call of a signed-in member who creates something under an idempotency key."""
