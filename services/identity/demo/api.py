"""Sign-ins without a password, for a demo on one's own machine. Anywhere else these addresses do not exist."""

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from bookbag.chassis.http import Body, Shown, runtime_of
from bookbag.chassis.problems import NOT_FOUND, Problem
from bookbag.chassis.settings import Platform
from bookbag.school.roles import Role
from services.identity.accounts.api import FROM_OUR_PAGES, LOOPBACK, SignedIn, signed_in
from services.identity.demo import actions


def is_at_home(host: str, platform: Platform) -> bool:
    """Whether a Host header names this machine's loopback and our port: a page of another site that points its own name here
    does not get in."""
    try:
        asked = urlsplit(f"//{host}")
        port = asked.port
    except ValueError:
        return False
    ours = {platform.http_port, urlsplit(platform.public_url).port} - {0}
    return asked.hostname in LOOPBACK and port in ours and asked.username is None


async def _in_the_demo(request: Request) -> None:
    """Raise the plain 404 unless this is a demo on its own machine."""
    platform = runtime_of(request).platform
    if not platform.is_demo or not is_at_home(request.headers.get("host", ""), platform):
        raise Problem(NOT_FOUND)


router = APIRouter(prefix="/demo", dependencies=[Depends(_in_the_demo), FROM_OUR_PAGES])


class DemoSchoolShown(Shown):
    """The school of the demo."""

    code: str
    name: str


class DemoPersonShown(Shown):
    """Somebody a visitor can be. `note` is English, such as "Class teacher of Oak"."""

    person: UUID
    role: Role
    name: str
    language: str
    note: str


class DemoPeople(Shown):
    """Everybody a visitor can be, teachers and guardians first."""

    school: DemoSchoolShown
    people: list[DemoPersonShown]


class DemoVisitor(Body):
    """Whom a visitor wants to be."""

    person: UUID
    role: Role


@router.get("/people")
async def list_demo_people(request: Request) -> DemoPeople:
    """OPS-1. Demo only, else 404."""
    school, offered = await actions.people(runtime_of(request))
    return DemoPeople(
        school=DemoSchoolShown(code=school.code, name=school.name),
        people=[
            DemoPersonShown(
                person=one.person.id, role=one.role, name=one.person.name, language=one.person.language, note=one.note
            )
            for one in offered
        ],
    )


@router.post("/sessions", status_code=201)
async def begin_demo_session(visitor: DemoVisitor, request: Request, response: Response) -> SignedIn:
    """OPS-1. Demo only, else 404. A session as if with a password."""
    begun = await actions.begin_demo_session(
        runtime_of(request), person=visitor.person, role=visitor.role,
        user_agent=request.headers.get("user-agent", ""),
    )  # fmt: skip
    return signed_in(request, response, begun)
