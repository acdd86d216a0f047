"""All SQL of accepted terms. Rows are only ever added."""

from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.school.roles import Role
from services.identity.terms.model import Acceptance


async def accepted_versions(tx: Tx, person: UUID, role: Role) -> frozenset[str]:
    """Every version that somebody has accepted in a role."""
    rows = await tx.fetch(
        "select version from terms_acceptance where school_id = $1 and person_id = $2 and role = $3",
        tx.school, person, role,
    )  # fmt: skip
    return frozenset(row["version"] for row in rows)


async def has_accepted(tx: Tx, person: UUID, role: Role, version: str) -> bool:
    found = await tx.fetchval(
        "select true from terms_acceptance where school_id = $1 and person_id = $2 and role = $3 and version = $4",
        tx.school, person, role, version,
    )  # fmt: skip
    return found is not None


async def put_acceptance(tx: Tx, person: UUID, role: Role, acceptance: Acceptance) -> bool:
    """Keep an acceptance; false when this person had accepted this version before, which then stays as it is."""
    signature = acceptance.signature
    return bool(
        await tx.fetchval(
            "insert into terms_acceptance"
            " (school_id, person_id, role, version, digest, language, signed_name, signed_on, accepted_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " on conflict (school_id, person_id, role, version) do nothing returning true",
            tx.school, person, role, acceptance.version, acceptance.digest, acceptance.language,
            signature.name if signature else None, signature.day if signature else None, acceptance.at,
        )
    )  # fmt: skip
