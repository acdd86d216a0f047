"""All SQL of the roster. Every writing function gives the thing as it stands now, with the revision its fact carries."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from bookbag.chassis import audit
from bookbag.chassis.clock import new_id
from bookbag.chassis.database import Database, Row, Tx
from bookbag.school.roles import Role, SeatKind
from services.identity.acts import Act
from services.identity.roster.model import (
    Author,
    ClassId,
    Contact,
    Enrolment,
    InvalidRosterValue,
    Link,
    LinkId,
    Membership,
    Person,
    PersonId,
    School,
    SchoolClass,
    SchoolId,
    Seat,
    SeatHolder,
    SeatId,
    Standing,
    Thing,
)


def _school(row: Row) -> School:
    return School(
        SchoolId(row["school_id"]), row["revision"], row["code"], row["name"], row["country"], row["zone"], row["language"],
        row["policy_preset"],
    )  # fmt: skip


def _person(row: Row) -> Person:
    return Person(
        PersonId(row["person_id"]),
        row["revision"],
        row["display_name"],
        row["first_name"],
        row["language"],
        row["version"],
    )


def _membership(row: Row) -> Membership:
    return Membership(
        PersonId(row["person_id"]), Role(row["role"]), row["revision"], Standing(row["standing"]), row["epoch"]
    )


def _class(row: Row) -> SchoolClass:
    return SchoolClass(ClassId(row["class_id"]), row["revision"], row["name"], row["archived"])


def _enrolment(row: Row) -> Enrolment:
    return Enrolment(ClassId(row["class_id"]), PersonId(row["pupil_id"]), row["revision"], row["ended"])


def _seat(row: Row) -> Seat:
    return Seat(SeatId(row["seat_id"]), row["revision"], SeatKind(row["kind"]), row["class_id"], row["subject"])


def _holder(row: Row) -> SeatHolder:
    return SeatHolder(SeatId(row["seat_id"]), PersonId(row["person_id"]), row["revision"], row["ended"])


def _link(row: Row) -> Link:
    return Link(
        LinkId(row["link_id"]), row["revision"], PersonId(row["pupil_id"]), PersonId(row["person_id"]), row["relationship"],
        row["ended"],
    )  # fmt: skip


def _one(row: Row | None) -> Row:
    """The row of a statement that always gives one."""
    assert row is not None
    return row


async def find_school(database: Database, code: str) -> UUID | None:
    """The school with a code, for people who are not signed in yet."""
    return await database.fetchval("select school_id from school_code where code = $1", code)


async def insert_school(
    tx: Tx, *, code: str, name: str, country: str, zone: str, language: str, policy_preset: str
) -> School:
    row = await tx.fetchrow(
        "insert into school (school_id, code, name, country, zone, language, policy_preset, created_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8) returning *",
        tx.school, code, name, country, zone, language, policy_preset, tx.now,
    )  # fmt: skip
    free = await tx.execute(
        "insert into school_code (code, school_id) values ($1, $2) on conflict do nothing", code, tx.school
    )
    if not free:
        raise InvalidRosterValue(f"code: another school has {code}")
    return _school(_one(row))


async def school(tx: Tx) -> School | None:
    row = await tx.fetchrow("select * from school where school_id = $1", tx.school)
    return _school(row) if row else None


async def insert_person(tx: Tx, person: UUID, *, name: str, first_name: str, language: str) -> Person:
    row = await tx.fetchrow(
        "insert into person (school_id, person_id, display_name, first_name, language, created_at)"
        " values ($1, $2, $3, $4, $5, $6) returning *",
        tx.school, person, name, first_name, language, tx.now,
    )  # fmt: skip
    return _person(_one(row))


async def person(tx: Tx, person: UUID) -> Person | None:
    row = await tx.fetchrow("select * from person where school_id = $1 and person_id = $2", tx.school, person)
    return _person(row) if row else None


async def people_called(tx: Tx, text: str) -> list[Person]:
    """People with this id, or with exactly this name as the school writes it in any case of letters."""
    rows = await tx.fetch(
        "select * from person where school_id = $1 and (person_id::text = lower($2) or lower(display_name) = lower($2))"
        " order by person_id limit 3",
        tx.school, text,
    )  # fmt: skip
    return [_person(row) for row in rows]


async def change_language(tx: Tx, person: UUID, language: str, *, version: int | None) -> Person | None:
    """The person with their new language, or None when `version` is not the newest one. None as a version matches any."""
    row = await tx.fetchrow(
        "update person set language = $3, version = version + 1"
        " where school_id = $1 and person_id = $2 and version = coalesce($4, version) returning *",
        tx.school, person, language, version,
    )  # fmt: skip
    return _person(row) if row else None


async def put_contact(tx: Tx, person: UUID, email: str) -> None:
    await tx.execute(
        "insert into contact (school_id, person_id, email) values ($1, $2, $3)"
        " on conflict (school_id, person_id) do update set email = excluded.email",
        tx.school, person, email,
    )  # fmt: skip


async def contacts(tx: Tx, people: Sequence[UUID]) -> list[Contact]:
    """Where these people can be reached; ids of nobody in this school are left out."""
    rows = await tx.fetch(
        "select p.person_id, c.email, p.language from person p left join contact c using (school_id, person_id)"
        " where p.school_id = $1 and p.person_id = any($2::uuid[])",
        tx.school, list(people),
    )  # fmt: skip
    return [Contact(PersonId(row["person_id"]), row["email"], row["language"]) for row in rows]


async def memberships(tx: Tx, person: UUID) -> list[Membership]:
    rows = await tx.fetch(
        "select * from membership where school_id = $1 and person_id = $2 order by role", tx.school, person
    )
    return [_membership(row) for row in rows]


async def lock_membership(tx: Tx, person: UUID, role: Role) -> Membership | None:
    row = await tx.fetchrow(
        "select * from membership where school_id = $1 and person_id = $2 and role = $3 for update",
        tx.school, person, role,
    )  # fmt: skip
    return _membership(row) if row else None


async def insert_membership(tx: Tx, person: UUID, role: Role) -> Membership:
    row = await tx.fetchrow(
        "insert into membership (school_id, person_id, role, standing) values ($1, $2, $3, 'active') returning *",
        tx.school, person, role,
    )  # fmt: skip
    return _membership(_one(row))


async def change_membership(tx: Tx, person: UUID, role: Role, standing: Standing, epoch: int) -> Membership:
    """Of a membership that this transaction has locked."""
    row = await tx.fetchrow(
        "update membership set standing = $4, epoch = $5 where school_id = $1 and person_id = $2 and role = $3 returning *",
        tx.school, person, role, standing, epoch,
    )  # fmt: skip
    return _membership(_one(row))


async def insert_class(tx: Tx, name: str) -> SchoolClass:
    row = await tx.fetchrow(
        "insert into school_class (school_id, class_id, name) values ($1, $2, $3) returning *",
        tx.school,
        new_id(),
        name,
    )
    return _class(_one(row))


async def put_enrolment(tx: Tx, school_class: UUID, pupil: UUID, *, ended: bool) -> Enrolment:
    row = await tx.fetchrow(
        "insert into enrolment (school_id, class_id, pupil_id, ended) values ($1, $2, $3, $4)"
        " on conflict (school_id, class_id, pupil_id) do update set ended = excluded.ended returning *",
        tx.school, school_class, pupil, ended,
    )  # fmt: skip
    return _enrolment(_one(row))


async def insert_seat(tx: Tx, kind: SeatKind, school_class: UUID | None, subject: str) -> Seat:
    row = await tx.fetchrow(
        "insert into seat (school_id, seat_id, kind, class_id, subject) values ($1, $2, $3, $4, $5) returning *",
        tx.school, new_id(), kind, school_class, subject,
    )  # fmt: skip
    return _seat(_one(row))


async def seat(tx: Tx, seat: UUID) -> Seat | None:
    row = await tx.fetchrow("select * from seat where school_id = $1 and seat_id = $2", tx.school, seat)
    return _seat(row) if row else None


async def put_seat_holder(tx: Tx, seat: UUID, person: UUID, *, ended: bool) -> SeatHolder:
    row = await tx.fetchrow(
        "insert into seat_holder (school_id, seat_id, person_id, ended) values ($1, $2, $3, $4)"
        " on conflict (school_id, seat_id, person_id) do update set ended = excluded.ended returning *",
        tx.school, seat, person, ended,
    )  # fmt: skip
    return _holder(_one(row))


async def insert_link(tx: Tx, pupil: UUID, person: UUID, relationship: str) -> Link:
    row = await tx.fetchrow(
        "insert into guardianship (school_id, link_id, pupil_id, person_id, relationship) values ($1, $2, $3, $4, $5)"
        " returning *",
        tx.school, new_id(), pupil, person, relationship,
    )  # fmt: skip
    return _link(_one(row))


async def active_link(tx: Tx, pupil: UUID, person: UUID) -> Link | None:
    row = await tx.fetchrow(
        "select * from guardianship where school_id = $1 and pupil_id = $2 and person_id = $3 and not ended",
        tx.school, pupil, person,
    )  # fmt: skip
    return _link(row) if row else None


async def lock_link(tx: Tx, link: UUID) -> Link | None:
    row = await tx.fetchrow(
        "select * from guardianship where school_id = $1 and link_id = $2 for update", tx.school, link
    )
    return _link(row) if row else None


async def end_link(tx: Tx, link: UUID) -> Link:
    row = await tx.fetchrow(
        "update guardianship set ended = true where school_id = $1 and link_id = $2 returning *", tx.school, link
    )
    return _link(_one(row))


async def append_audit(tx: Tx, author: Author, act: Act, kind: str, object_: UUID, reason: str) -> None:
    """One entry at the end of the school's record, in the transaction of the act itself (PRV-4)."""
    await audit.append(tx, by=author.person, role=author.role, act=act, kind=kind, about=object_, reason=reason)


async def everything(tx: Tx) -> AsyncIterator[Thing]:
    """The whole roster of a school, what others refer to first."""
    for table, make in (
        ("school", _school), ("person", _person), ("membership", _membership), ("school_class", _class),
        ("enrolment", _enrolment), ("seat", _seat), ("seat_holder", _holder), ("guardianship", _link),
    ):  # fmt: skip
        for row in await tx.fetch(f"select * from {table} where school_id = $1", tx.school):  # noqa: S608 - names above
            yield make(row)
