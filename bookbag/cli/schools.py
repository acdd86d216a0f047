"""`bookbag schools create`: a school, and with it the first person who can sign in and take it from there."""

import argparse
import secrets
from typing import TYPE_CHECKING

from bookbag.chassis.clock import new_id
from bookbag.chassis.process import alone
from bookbag.chassis.settings import Platform
from bookbag.cli.answers import Answer, Refused
from bookbag.cli.services import named
from bookbag.school.roles import Role, SeatKind
from services.identity.accounts import actions as accounts
from services.identity.roster import actions as roster
from services.identity.roster.model import InvalidRosterValue

if TYPE_CHECKING:
    from bookbag.chassis.database import Tx


async def create_school(asked: argparse.Namespace, platform: Platform) -> Answer:
    """Create it, all or nothing. Raises Refused."""
    if (asked.leader_name is None) != (asked.leader_email is None):
        raise Refused("The first leader needs both: --leader-name and --leader-email.")
    school = new_id()
    password = secrets.token_urlsafe(12)
    try:
        async with alone(named("identity")[0], platform) as runtime:
            coded = await accounts.passwords_of(runtime).hash(password) if asked.leader_email else ""
            async with runtime.database.tenant(school) as tx:
                await roster.create_school(
                    tx, code=asked.code, name=asked.name, country=asked.country, zone=asked.zone, language=asked.language,
                    policy_preset=asked.preset,
                )  # fmt: skip
                if asked.leader_email:
                    await _first_leader(tx, asked, coded)
            runtime.signal("changes")
    except InvalidRosterValue as wrong:
        raise Refused(f"The school was not created. {wrong}") from wrong
    made = {"school_id": school, "code": asked.code}
    if not asked.leader_email:
        return Answer(f"created {asked.code}", [made])
    return Answer(
        f"created {asked.code}\n{asked.leader_email} signs in with the password {password} unless the address had an account "
        "already, whose password stays; change it after signing in.",
        [made | {"leader": asked.leader_email, "password": password}],
    )


async def _first_leader(tx: "Tx", asked: argparse.Namespace, password_hash: str) -> None:
    person = await roster.add_person(
        tx,
        name=asked.leader_name,
        first_name=asked.leader_name.split()[0],
        language=asked.language,
        email=asked.leader_email,
    )
    await roster.add_membership(tx, person.id, Role.LEADER)
    seat = await roster.open_seat(tx, SeatKind.LEADERS)
    await roster.seat_person(tx, seat.id, person.id)
    await accounts.add_account(tx, person.id, email=asked.leader_email, password_hash=password_hash)
