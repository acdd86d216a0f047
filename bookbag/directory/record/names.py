"""Whom an entry speaks of. The record holds ids alone; names are looked up when it is shown, so that one that was erased stays erased."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from bookbag.chassis.audit.chain import Entry
from bookbag.chassis.database import Tx


@dataclass(frozen=True, slots=True)
class Named:
    """A person of the school; without a name when nobody is known under this id any more."""

    id: UUID
    name: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with its people: who did it (None: an operator), and whom it is about."""

    entry: Entry
    by: Named | None
    whom: Sequence[Named]


async def ids_of(tx: Tx, person: UUID) -> list[UUID]:
    """All ids under which entries speak of a person: their own, and those of their links to a child or an adult, ended ones too."""
    links = await tx.fetch(
        "select link_id from known_link where school_id = $1 and (person_id = $2 or pupil_id = $2)", tx.school, person
    )
    return [person, *(row["link_id"] for row in links)]


async def told(tx: Tx, entries: Sequence[Entry]) -> list[Told]:
    """Entries with the names of their people as they are now."""
    ends = await _ends(tx, {entry.about for entry in entries if entry.kind == "guardianship" and entry.about})
    whom = [_whom(entry, ends) for entry in entries]
    wanted = {entry.actor for entry in entries if entry.actor} | {person for each in whom for person in each}
    names = await _names(tx, wanted)
    return [
        Told(
            entry,
            Named(entry.actor, names.get(entry.actor)) if entry.actor else None,
            [Named(person, names.get(person)) for person in people],
        )
        for entry, people in zip(entries, whom, strict=True)
    ]


def _whom(entry: Entry, ends: dict[UUID, tuple[UUID, UUID]]) -> Sequence[UUID]:
    if entry.about is None:
        return ()
    if entry.kind == "person":
        return (entry.about,)
    return ends.get(entry.about, ())


async def _ends(tx: Tx, links: Iterable[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
    """Adult and child of each link."""
    rows = await tx.fetch(
        "select link_id, person_id, pupil_id from known_link where school_id = $1 and link_id = any($2)",
        tx.school,
        list(links),
    )
    return {row["link_id"]: (row["person_id"], row["pupil_id"]) for row in rows}


async def _names(tx: Tx, people: Iterable[UUID]) -> dict[UUID, str]:
    rows = await tx.fetch(
        "select person_id, display_name from known_person where school_id = $1 and person_id = any($2)",
        tx.school,
        list(people),
    )
    return {row["person_id"]: row["display_name"] for row in rows}
