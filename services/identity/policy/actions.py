"""What can be done to a school's rules. Each change tells its fact in the same transaction, and every process obeys it in seconds."""

from bookbag.chassis.database import Tx
from bookbag.chassis.runtime import Runtime
from bookbag.school.policy.parse import parse
from bookbag.school.policy.presets import PRESETS
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import store
from services.identity.policy.model import PolicyVersion, data_of, founding_text

DEFAULT_PRESET = "quiet-evenings"
"""For a school whose preset's name is no longer known."""

FOUNDED = "The school was founded with this preset."


async def found(tx: Tx, preset: str, *, name: str, zone: str) -> PolicyVersion:
    """The first version of a school's policy, from a preset (POL-1, POL-12). Raises UnknownPreset."""
    text = founding_text(preset, name=name, zone=zone)
    await store.lock_versions(tx)
    version = await store.insert_version(
        tx,
        author=None,
        author_role="operator",
        document=text,
        data=data_of(parse(text)),
        reason=FOUNDED,
        counts_from=tx.now,
    )
    await feed.record(tx, fact_about(tx.school, version))
    return version


async def put_in_force(tx: Tx, text: str, *, reason: str) -> PolicyVersion:
    """An operator's version that counts at once. Raises PolicyRefused with every fault of the document."""
    policy = parse(text)
    await store.lock_versions(tx)
    version = await store.insert_version(
        tx, author=None, author_role="operator", document=text, data=data_of(policy), reason=reason, counts_from=tx.now
    )
    await feed.record(tx, fact_about(tx.school, version))
    return version


async def found_missing(runtime: Runtime) -> None:
    """Give schools from before policies were kept the preset they were founded with; a job, so that an upgrade needs no hand."""
    for school in await store.schools_without(runtime.database):
        async with runtime.database.tenant(school) as tx:
            row = await store.founding_of(tx)
            if not await store.versions(tx):
                preset = row.preset if row.preset in PRESETS else DEFAULT_PRESET
                await found(tx, preset, name=row.name, zone=row.zone)
        runtime.signal("changes")
