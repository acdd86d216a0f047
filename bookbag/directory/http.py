"""From an HTTP request to a `Call`: the bearer token is verified here, once, for every route of every service."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer

from bookbag.chassis.http import runtime_of
from bookbag.chassis.idempotency import checked_key
from bookbag.chassis.problems import SIGNED_OUT, Problem
from bookbag.directory.call import Call, Member, prove_standing
from bookbag.directory.entry import prove_entry
from bookbag.directory.policy import person_at
from bookbag.directory.terms import refuse_without_terms
from bookbag.school.policy.rules.compiled import Address
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
    return Member(verified.school, verified.person, role, verified.session, verified.epoch, verified.terms)


async def keyed_call(request: Request) -> Call:
    """The call of a signed-in member who creates something, for a route that carries load; others declare `KeyedCallHere`."""
    return await _made(request, checked_key(request.headers.get("idempotency-key")))


async def _made(request: Request, key: str | None) -> Call:
    call = await _made_before_terms(request, key)
    refuse_without_terms(call.rules, call.member.role, call.member.terms)
    return call


async def _made_before_terms(request: Request, key: str | None) -> Call:
    runtime, member = runtime_of(request), member_of(request)
    now = runtime.clock.now()
    try:
        who = await person_at(runtime, member.school, member.person, member.role, now)
    except Problem:
        await prove_standing(
            runtime, member
        )  # a school that is no more signs out; one whose rules are on their way does not
        raise
    address = address_of(request)
    await prove_entry(runtime, member.school, member.person, who, now, address)
    return Call(member, now, key, runtime, who, address)


def address_of(request: Request) -> Address | None:
    """Where a request comes from. The server has put a trusted gateway's word in place already; nobody else's is taken."""
    try:
        return ip_address(request.client.host) if request.client is not None else None
    except ValueError:
        return None


KEY_PARAMETER = {
    "name": "idempotency-key",
    "in": "header",
    "required": True,
    "description": "8 to 64 letters, digits, - or _; the same for each retry of one request.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
}
"""The key's header in the OpenAPI document of a route that uses `keyed_call`."""


async def _call(request: Request) -> Call:
    return await _made(request, None)


async def _keyed_call(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="8 to 64 letters, digits, - or _; the same for each retry of one request.")
    ] = None,
) -> Call:
    return await _made(request, checked_key(idempotency_key))


async def _call_before_terms(request: Request) -> Call:
    return await _made_before_terms(request, None)


CallBeforeTermsHere = Annotated[Call, Depends(_call_before_terms)]
"""The call of a signed-in member who need not have accepted the terms: for reading and accepting them, and for nothing else."""

CallHere = Annotated[Call, Depends(_call)]
"""The call of a signed-in member."""

KeyedCallHere = Annotated[Call, Depends(_keyed_call)]
"""The call of a signed-in member who creates something under an idempotency key."""
