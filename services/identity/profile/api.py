"""Routes about oneself and about finding a school; the public ones say so."""

import re
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import Field

from bookbag.chassis.http import Body, Shown, Text, runtime_of
from bookbag.chassis.problems import PRECONDITION_MISSING, Problem
from bookbag.directory.http import SIGNED_IN, CallHere
from bookbag.school.roles import Role
from services.identity.profile import actions
from services.identity.roster.model import EditedMeanwhile, School

router = APIRouter()

_ETAG = re.compile(r'"([0-9]{1,9})"')


class SchoolFound(Shown):
    """What anybody may know of a school whose code they have."""

    code: str
    name: str
    language: str
    country: str


class SchoolShown(Shown):
    """A school as its members see it."""

    id: UUID
    code: str
    name: str
    zone: str
    language: str

    @classmethod
    def of(cls, school: School) -> Self:
        return cls(id=school.id, code=school.code, name=school.name, zone=school.zone, language=school.language)


class Me(Shown):
    """The member whose token was sent. `version` is also the ETag."""

    person: UUID
    role: Role
    name: str
    first_name: str
    language: str
    school: SchoolShown
    version: int

    @classmethod
    def of(cls, myself: actions.Myself) -> Self:
        person = myself.person
        return cls(
            person=person.id, role=myself.role, name=person.name, first_name=person.first_name, language=person.language,
            school=SchoolShown.of(myself.school), version=person.version,
        )  # fmt: skip


class ChangedMe(Body):
    """What a member may change about themselves."""

    language: Annotated[Text, Field(min_length=2, max_length=35, description="BCP 47, one of the languages offered.")]


def version_of(if_match: str | None) -> int | None:
    """The version an If-Match header asks for; None for `*`. Raises Problem `precondition-missing`, EditedMeanwhile for what no
    ETag of ours looks like."""
    if if_match is None:
        raise Problem(PRECONDITION_MISSING)
    if if_match.strip() == "*":
        return None
    tag = _ETAG.fullmatch(if_match.strip())
    if tag is None:
        raise EditedMeanwhile("If-Match is not an ETag of this")
    return int(tag[1])


@router.get("/schools/{code}")
async def find_school(
    code: Annotated[str, Path(min_length=4, max_length=8, pattern="^[A-Za-z0-9]*$")], request: Request
) -> SchoolFound:
    """POL-1. Public. 404 when no school has the code."""
    return SchoolFound.model_validate(await actions.find_school(runtime_of(request), code))


@router.get("/me", dependencies=[SIGNED_IN])
async def read_me(call: CallHere, response: Response) -> Me:
    """The member as their school knows them, with an ETag for edits."""
    me = Me.of(await actions.read_me(call))
    response.headers["etag"] = f'"{me.version}"'
    return me


@router.patch("/me", dependencies=[SIGNED_IN])
async def change_me(
    changed: ChangedMe,
    call: CallHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100, description="The ETag read last, or *.")] = None,
) -> Me:
    """TR-2. The language somebody reads, in all their roles at this school. 412 edited meanwhile, 428 without If-Match."""
    me = Me.of(await actions.change_language(call, changed.language, version=version_of(if_match)))
    response.headers["etag"] = f'"{me.version}"'
    return me
