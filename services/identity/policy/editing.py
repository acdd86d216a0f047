"""Leaders read, check and save the school's rules; everybody can ask what they say to them (POL-2).

A version is written once and never changed. Whoever saves names the newest version they have read, so two leaders at once do not
overwrite each other; the school's row is locked while a number is given.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from bookbag.chassis.database import Tx
from bookbag.directory.call import Call, MemberTx
from bookbag.directory.policy import person_at, say_changed
from bookbag.school.policy.faults import Fault, PolicyRefused
from bookbag.school.policy.parse import checked
from bookbag.school.policy.preview import Explained, explain
from bookbag.school.policy.rules import ReviewState, SchoolRules, review_state
from bookbag.school.policy.versions import Change, counting_at, difference, effective_from
from bookbag.school.roles import STAFF, Role
from services.identity.acts import Act
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import drafts, store
from services.identity.policy.drafts import Draft, DraftRefused, NothingDiffers
from services.identity.policy.model import PolicyVersion, data_of
from services.identity.policy.store import Listed
from services.identity.roster import store as roster
from services.identity.roster.model import (
    Author,
    EditedMeanwhile,
    InvalidRosterValue,
    NotOnRoster,
    Standing,
    require_role,
)

MAY_WRITE = frozenset({Role.LEADER})

FURTHEST = timedelta(days=2 * 366)
"""A version that would count later than this is a mistake of the hand."""

AT_ONCE = 1000
"""Versions looked through for the one that counts: a school that changes its rules daily has these after three years."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules that count now, with what waits. `text` is None for whoever may not change them."""

    version: Listed
    rules: SchoolRules
    waiting: Sequence[Listed]
    newest: int
    text: PolicyVersion | None
    review: ReviewState | None


@dataclass(frozen=True, slots=True)
class InFull:
    """One version, and what it changed against the one before."""

    version: Listed
    text: PolicyVersion
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class CheckedDraft:
    """What was found in a draft: mistakes, or what differs from the rules that count now."""

    faults: Sequence[Fault]
    draft: Draft | None
    changes: Sequence[Change]


@lru_cache(maxsize=256)
def rules_of(data: str) -> SchoolRules:
    """The rules a kept version says; the same value for the same data."""
    return SchoolRules(checked(json.loads(data)))


async def read_policy(call: Call) -> InForce:
    """What counts now and what waits. Raises RoleNotEntitled for families and pupils."""
    async with call.transaction() as tx:
        require_role(call.member.role, STAFF)
        listed = await store.listed(tx, before=None, limit=AT_ONCE)
        version = _counting(listed, call.now)
        text = await _version(tx, version.number)
    rules = rules_of(text.data)
    leads = call.member.role in MAY_WRITE
    return InForce(
        version, rules,
        [one for one in listed if one.number > version.number], listed[0].number, text if leads else None,
        review_state(rules, call.now.astimezone(rules.zone).date()) if leads else None,
    )  # fmt: skip


async def list_versions(call: Call, *, limit: int, before: int | None) -> Sequence[Listed]:
    """Newest first, one more than `limit` where there are more. Raises RoleNotEntitled."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_WRITE)
        return await store.listed(tx, before=before, limit=limit + 1)


async def read_version(call: Call, number: int) -> InFull:
    """Raises RoleNotEntitled, NotOnRoster for a number there is not."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_WRITE)
        return await _in_full(tx, number)


async def read_version_at(call: Call, at: datetime) -> InFull:
    """Which rules held at an instant, or will as things stand. Raises RoleNotEntitled, NotOnRoster before the founding."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_WRITE)
        return await _in_full(tx, _counting(await store.listed(tx, before=None, limit=AT_ONCE), at).number)


async def check_draft(call: Call, document: str | None, data: Mapping[str, Any] | None) -> CheckedDraft:
    """Every mistake, or the difference against the rules that count now. Changes nothing. Raises RoleNotEntitled."""
    async with call.transaction() as tx:
        require_role(call.member.role, MAY_WRITE)
        zone = (await store.founding_of(tx)).zone
        newest = await _version(tx, (await store.listed(tx, before=None, limit=1))[0].number)
    return await asyncio.to_thread(_checked, document, data, newest, zone)


def _checked(document: str | None, data: Mapping[str, Any] | None, newest: PolicyVersion, zone: str) -> CheckedDraft:
    current = rules_of(newest.data).policy
    try:
        draft = drafts.read_draft(document, data, base=newest.document)
        drafts.refuse_unfit(draft, current, zone=zone)
    except PolicyRefused as refused:
        return CheckedDraft(refused.faults, None, ())
    return CheckedDraft((), draft, difference(current, draft.policy))


async def save_version(
    call: Call,
    document: str | None,
    data: Mapping[str, Any] | None,
    *,
    reason: str,
    counts_from: datetime | None,
    newest: int | None,
) -> Listed:
    """POL-2. Keep a new version; every process obeys it within seconds.

    Raises RoleNotEntitled, DraftRefused, NothingDiffers, CannotCountInThePast, InvalidRosterValue for a start out of sight, and
    EditedMeanwhile unless `newest` (None: any) is the newest version.
    """
    async with call.transaction():
        require_role(call.member.role, MAY_WRITE)
    try:
        saved = await _saved(call, document, data, reason=reason, counts_from=counts_from, newest=newest)
    except PolicyRefused as refused:
        raise DraftRefused(refused.faults) from refused
    call.runtime.signal("changes")
    say_changed(call.runtime, call.member.school)
    return saved


async def _saved(
    call: Call,
    document: str | None,
    data: Mapping[str, Any] | None,
    *,
    reason: str,
    counts_from: datetime | None,
    newest: int | None,
) -> Listed:
    async with call.transaction() as tx:
        base = await _version(tx, (await store.listed(tx, before=None, limit=1))[0].number)
    draft = await asyncio.to_thread(drafts.read_draft, document, data, base=base.document)
    async with call.transaction() as tx:
        saved = await append_version(
            tx,
            draft,
            author=Author(call.member.person, call.member.role),
            reason=reason,
            counts_from=counts_from,
            newest=newest,
        )
        return (await store.listed(tx, before=saved.number + 1, limit=1))[0]


async def append_version(
    tx: Tx, draft: Draft, *, author: Author, reason: str, counts_from: datetime | None, newest: int | None
) -> PolicyVersion:
    """The next version, told and recorded in this transaction. The caller has asked for the right to. Raises as `save_version`,
    but PolicyRefused itself."""
    zone = (await store.founding_of(tx)).zone  # locks: numbers are given one at a time
    last = await _version(tx, (await store.listed(tx, before=None, limit=1))[0].number)
    if newest is not None and newest != last.number:
        raise EditedMeanwhile(f"version {last.number} was saved meanwhile")
    drafts.refuse_unfit(draft, rules_of(last.data).policy, zone=zone)
    kept = data_of(draft.policy)
    if kept == last.data:
        raise NothingDiffers
    start = effective_from(counts_from, tx.now)
    if start > tx.now + FURTHEST:
        raise InvalidRosterValue("counts_from: at most two years away")
    version = await store.insert_version(
        tx,
        author=author.person,
        author_role=author.role,
        document=draft.document,
        data=kept,
        reason=reason,
        counts_from=start,
    )
    await feed.record(tx, fact_about(tx.school, version))
    await roster.append_audit(tx, author, Act.POLICY_CHANGED, "policy", tx.school, f"{version.number}: {reason}")
    return version


async def explained(
    call: Call, at: datetime, language: str, person: UUID | None, role: Role | None
) -> Sequence[Explained]:
    """What the rules say at an instant to the caller, or, when a leader asks, to somebody else.

    Raises RoleNotEntitled for others asking about somebody else, NotOnRoster for nobody of this school in this role.
    """
    member = call.member
    asked_person, asked_role = person or member.person, role or member.role
    async with call.transaction() as tx:
        if (asked_person, asked_role) != (member.person, member.role):
            require_role(member.role, MAY_WRITE)
            held = await roster.memberships(tx, asked_person)
            if not any(one.role is asked_role and one.standing is not Standing.ENDED for one in held):
                raise NotOnRoster(f"nobody here in the role {asked_role}")
    who = await person_at(call.runtime, member.school, asked_person, asked_role, at)
    address = call.address if (asked_person, asked_role) == (member.person, member.role) else None
    return explain(who, at, language, address=address)


async def language_of(call: Call) -> str:
    """The language the caller reads."""
    async with call.transaction() as tx:
        person = await roster.person(tx, tx.person)
        if person is None:
            raise NotOnRoster("nobody")
        return person.language


def _counting(listed: Sequence[Listed], at: datetime) -> Listed:
    found = counting_at(listed, at)
    if found is None:
        raise NotOnRoster("there were no rules then")
    return found


async def _version(tx: Tx, number: int) -> PolicyVersion:
    found = await store.one_version(tx, number)
    if found is None:
        raise NotOnRoster("no such version")
    return found


async def _in_full(tx: MemberTx, number: int) -> InFull:
    text = await _version(tx, number)
    before = await store.one_version(tx, number - 1)
    listed = await store.listed(tx, before=number + 1, limit=1)
    changes = difference(rules_of(before.data).policy, rules_of(text.data).policy) if before else ()
    return InFull(listed[0], text, changes)
