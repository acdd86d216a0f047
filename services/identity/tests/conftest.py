"""What tests of identity stand on: a running identity whose clock stands still, its client, and small invented schools."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock, new_id
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role, SeatKind
from services.identity.accounts import actions as accounts
from services.identity.accounts.api import COOKIE
from services.identity.policy import editing
from services.identity.policy import store as policy
from services.identity.roster import actions as roster
from services.identity.terms import actions as terms
from tests.support.house import House

PASSWORD = "correct horse battery"
MANY = {"BOOKBAG_IDENTITY_SIGN_IN_TRIES_PER_ADDRESS": "100000"}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime.now(UTC))


@pytest.fixture
async def identity(house: House, clock: MovableClock) -> AsyncIterator[Runtime]:
    async with house.runtime("identity", clock=clock, **MANY) as runtime:
        yield runtime


@pytest.fixture
async def client(house: House, identity: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(identity) as made:
        yield made


@dataclass(frozen=True)
class Small:
    """A school with one class, one pupil, and one adult of each kind that the tests need."""

    id: UUID
    code: str
    oak: UUID
    pupil: UUID
    teacher: UUID
    leader: UUID
    office: UUID
    guardian: UUID
    link: UUID
    email: str
    """Of the guardian, whose account opens with PASSWORD."""


async def small_school(
    runtime: Runtime, *, email: str | None = None, accepted: bool = True, preset: str = "quiet-evenings"
) -> Small:
    """A new school of its own. `email` joins its guardian to an account there is already; `accepted`: the guardian has accepted the terms."""
    school = new_id()
    code, email = "T" + school.hex[-7:].upper(), email or f"guardian.{school.hex}@families.example"
    password_hash = await accounts.passwords_of(runtime).hash(PASSWORD)
    async with runtime.database.tenant(school) as tx:
        await roster.create_school(
            tx,
            code=code,
            name="Test Primary",
            country="GB",
            zone="Europe/London",
            language="en",
            policy_preset=preset,
        )
        oak = await roster.open_class(tx, "Oak")
        pupil = (await roster.add_person(tx, name="Maya Reed", first_name="Maya", language="en")).id
        await roster.enrol_pupil(tx, oak.id, pupil)
        staff: dict[Role, UUID] = {}
        for role in (Role.TEACHER, Role.LEADER, Role.OFFICE):
            staff[role] = (await roster.add_person(tx, name=f"Mx {role}", first_name=role, language="en")).id
            await roster.add_membership(tx, staff[role], role)
        seat = await roster.open_seat(tx, SeatKind.CLASS_TEACHER, school_class=oak.id)
        await roster.seat_person(tx, seat.id, staff[Role.TEACHER])
        guardian = await roster.add_person(tx, name="Carmen Reed", first_name="Carmen", language="es", email=email)
        await roster.add_membership(tx, guardian.id, Role.GUARDIAN)
        link = await roster.link_guardian(tx, pupil, guardian.id, "mother")
        await accounts.add_account(tx, guardian.id, email=email, password_hash=password_hash)
        if accepted:
            rules = editing.rules_of((await policy.versions(tx))[0].data)
            await terms.note_accepted(tx, rules, guardian.id, Role.GUARDIAN, name="Carmen Reed")
    return Small(
        school,
        code,
        oak.id,
        pupil,
        staff[Role.TEACHER],
        staff[Role.LEADER],
        staff[Role.OFFICE],
        guardian.id,
        link.id,
        email,
    )


@pytest.fixture
async def school(identity: Runtime) -> Small:
    return await small_school(identity)


def cookie_of(answer: httpx2.Response) -> str:
    """The refresh token that an answer puts into the browser."""
    return answer.cookies[COOKIE] if COOKIE in answer.cookies else _from_header(answer)


def _from_header(answer: httpx2.Response) -> str:
    return answer.headers["set-cookie"].partition("=")[2].partition(";")[0]


class Browser:
    """A browser of one person: keeps the refresh cookie and the last token."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.refresh = ""
        self.token = ""

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        answer = await self._client.post("/v1/sessions", json={"email": email, "password": password})
        if answer.status_code == 201:
            self.refresh = cookie_of(answer)
        return answer

    async def take_token(self, person: UUID, role: str = "guardian", *, refresh: str | None = None) -> httpx2.Response:
        answer = await self._client.post(
            "/v1/tokens",
            json={"person": str(person), "role": role},
            headers={"cookie": f"{COOKIE}={refresh or self.refresh}"},
        )
        if answer.status_code == 200:
            self.refresh, self.token = cookie_of(answer), answer.json()["token"]
        return answer

    async def ask(self, method: str, path: str, **more: object) -> httpx2.Response:
        """With the token."""
        headers = {"authorization": f"Bearer {self.token}", **more.pop("headers", {})}  # type: ignore[dict-item]
        return await self._client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]

    async def ask_by_cookie(self, method: str, path: str) -> httpx2.Response:
        return await self._client.request(method, path, headers={"cookie": f"{COOKIE}={self.refresh}"})


@pytest.fixture
async def browser(client: httpx2.AsyncClient) -> Browser:
    return Browser(client)
