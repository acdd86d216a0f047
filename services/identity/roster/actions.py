"""What can be done to a roster. Each action changes one thing and tells its fact in the same transaction; sensitive ones are recorded.

Actions take a tenant transaction, so an import, the command line or a demo puts as many as it likes into one. After the commit
`runtime.signal("changes")` makes the news quick; without it the sequencer finds them within a fifth of a second.
"""

from uuid import UUID

from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Tx
from bookbag.school.roles import Role, SeatKind
from services.identity.acts import Act
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import actions as policy
from services.identity.roster import model, store
from services.identity.roster.model import (
    OPERATOR,
    Author,
    Enrolment,
    Link,
    Membership,
    NotOnRoster,
    Person,
    School,
    SchoolClass,
    Seat,
    SeatHolder,
    Standing,
    Thing,
)


async def _told(tx: Tx, thing: Thing) -> None:
    await feed.record(tx, fact_about(tx.school, thing))


async def create_school(
    tx: Tx, *, code: str, name: str, country: str, zone: str, language: str, policy_preset: str
) -> School:
    """POL-1. The school whose id the transaction was opened for, with the preset as the first version of its policy.

    Raises InvalidRosterValue, also for a code that is taken and for a preset that does not exist.
    """
    model.checked_school(code=code, country=country, zone=zone, language=language, policy_preset=policy_preset)
    school = await store.insert_school(
        tx, code=code, name=name, country=country, zone=zone, language=language, policy_preset=policy_preset
    )
    await _told(tx, school)
    await policy.found(tx, policy_preset, name=name, zone=zone)
    return school


async def add_person(tx: Tx, *, name: str, first_name: str, language: str, email: str | None = None) -> Person:
    """A person as this school knows them. `email` is where the school reaches them; it opens no account."""
    person = await store.insert_person(
        tx, new_id(), name=name, first_name=first_name, language=model.checked_language(language)
    )
    if email is not None:
        await store.put_contact(tx, person.id, model.checked_email(email))
    await _told(tx, person)
    return person


async def set_language(tx: Tx, person: UUID, language: str, *, version: int | None = None) -> Person:
    """The language somebody reads, of the whole person and not of a role. Raises EditedMeanwhile when `version` is old."""
    changed = await store.change_language(tx, person, model.checked_language(language), version=version)
    if changed is None:
        raise model.EditedMeanwhile("your settings were changed meanwhile")
    await _told(tx, changed)
    return changed


async def add_membership(tx: Tx, person: UUID, role: Role, *, author: Author = OPERATOR) -> Membership:
    """Let a person in, in a role. One that had ended begins anew with a higher epoch, so no old token comes back to life."""
    held = await store.lock_membership(tx, person, role)
    if held is not None and held.standing is not Standing.ENDED:
        return held
    if held is None:
        membership = await store.insert_membership(tx, person, role)
    else:
        membership = await store.change_membership(tx, person, role, Standing.ACTIVE, held.epoch + 1)
    await _told(tx, membership)
    await store.append_audit(tx, author, Act.MEMBERSHIP_ADDED, "person", person, role)
    return membership


async def end_membership(tx: Tx, person: UUID, role: Role, *, author: Author, reason: str) -> Membership:
    """ID-6. Tokens of this role are refused from now on. Raises NotOnRoster; ending twice changes nothing."""
    held = await _held(tx, person, role)
    if held.standing is Standing.ENDED:
        return held
    membership = await store.change_membership(tx, person, role, Standing.ENDED, held.epoch + 1)
    await _told(tx, membership)
    await store.append_audit(tx, author, Act.MEMBERSHIP_ENDED, "person", person, reason)
    return membership


async def suspend_guardian(tx: Tx, person: UUID, *, author: Author, reason: str) -> Membership:
    """ID-11. The guardian's role only: a teacher who is a parent goes on teaching. Raises NotOnRoster for anybody else.

    The epoch stays, so that the person is told `suspended` and not merely signed out.
    """
    held = await _held(tx, person, Role.GUARDIAN)
    if held.standing is Standing.ENDED:
        raise NotOnRoster(f"nobody here in the role {Role.GUARDIAN}")
    if held.standing is Standing.SUSPENDED:
        return held
    membership = await store.change_membership(tx, person, Role.GUARDIAN, Standing.SUSPENDED, held.epoch)
    await _told(tx, membership)
    await store.append_audit(tx, author, Act.GUARDIAN_SUSPENDED, "person", person, reason)
    return membership


async def reinstate_guardian(tx: Tx, person: UUID, *, author: Author) -> Membership:
    """Undo a suspension; a token from before it stays dead. Raises NotOnRoster when there is none to undo, and does nothing twice."""
    held = await _held(tx, person, Role.GUARDIAN)
    if held.standing is Standing.ENDED:
        raise NotOnRoster(f"nobody here in the role {Role.GUARDIAN}")
    if held.standing is Standing.ACTIVE:
        return held
    membership = await store.change_membership(tx, person, Role.GUARDIAN, Standing.ACTIVE, held.epoch + 1)
    await _told(tx, membership)
    await store.append_audit(tx, author, Act.GUARDIAN_REINSTATED, "person", person, "")
    return membership


async def renew_epochs(tx: Tx, person: UUID) -> None:
    """Refuse every token a person has in this school, in all roles; they get new ones from their session."""
    for held in await store.memberships(tx, person):
        locked = await _held(tx, person, held.role)
        await _told(tx, await store.change_membership(tx, person, held.role, locked.standing, locked.epoch + 1))


async def open_class(tx: Tx, name: str) -> SchoolClass:
    opened = await store.insert_class(tx, name)
    await _told(tx, opened)
    return opened


async def enrol_pupil(tx: Tx, school_class: UUID, pupil: UUID) -> Enrolment:
    enrolment = await store.put_enrolment(tx, school_class, pupil, ended=False)
    await _told(tx, enrolment)
    return enrolment


async def end_enrolment(tx: Tx, school_class: UUID, pupil: UUID) -> Enrolment:
    enrolment = await store.put_enrolment(tx, school_class, pupil, ended=True)
    await _told(tx, enrolment)
    return enrolment


async def open_seat(tx: Tx, kind: SeatKind, *, school_class: UUID | None = None, subject: str = "") -> Seat:
    """MSG-14. A place on the staff that families write to; one per kind, class and subject."""
    place = model.ClassId(school_class) if school_class is not None else None
    model.checked_seat(kind, place, subject)
    seat = await store.insert_seat(tx, kind, school_class, subject)
    await _told(tx, seat)
    return seat


async def seat_person(tx: Tx, seat: UUID, person: UUID) -> SeatHolder:
    """Raises NotOnRoster for an unknown seat, InvalidRosterValue for somebody without the role the seat asks for."""
    found = await store.seat(tx, seat)
    if found is None:
        raise NotOnRoster("no such seat")
    roles = frozenset(held.role for held in await store.memberships(tx, person) if held.standing is Standing.ACTIVE)
    if not model.may_hold(found.kind, roles):
        raise model.InvalidRosterValue("person: needs the role that this seat asks for")
    holder = await store.put_seat_holder(tx, seat, person, ended=False)
    await _told(tx, holder)
    return holder


async def unseat_person(tx: Tx, seat: UUID, person: UUID) -> SeatHolder:
    holder = await store.put_seat_holder(tx, seat, person, ended=True)
    await _told(tx, holder)
    return holder


async def link_guardian(tx: Tx, pupil: UUID, person: UUID, relationship: str, *, author: Author = OPERATOR) -> Link:
    """A link between a pupil and an adult; an active one is given as it is. A link that ended never comes back: a new one begins."""
    held = await store.active_link(tx, pupil, person)
    if held is not None:
        return held
    link = await store.insert_link(tx, pupil, person, relationship)
    await _told(tx, link)
    await store.append_audit(tx, author, Act.GUARDIANSHIP_LINKED, "guardianship", link.id, "")
    return link


async def end_guardianship(tx: Tx, link: UUID, *, author: Author, reason: str) -> Link:
    """The adult loses this child at once. Raises NotOnRoster; ending twice changes nothing."""
    held = await store.lock_link(tx, link)
    if held is None:
        raise NotOnRoster("no such guardianship")
    if held.ended:
        return held
    ended = await store.end_link(tx, link)
    await _told(tx, ended)
    await store.append_audit(tx, author, Act.GUARDIANSHIP_ENDED, "guardianship", link, reason)
    return ended


async def _held(tx: Tx, person: UUID, role: Role) -> Membership:
    held = await store.lock_membership(tx, person, role)
    if held is None:
        raise NotOnRoster(f"nobody here in the role {role}")
    return held
