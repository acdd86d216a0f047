"""`bookbag policy show`, `set` and `explain`: the rules of one school of an installation, read, replaced and asked about by operators."""

import argparse
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bookbag.cli.answers import Answer, Refused
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.preview import explain, summary
from bookbag.school.policy.versions import CannotCountInThePast, counting_at
from bookbag.school.roles import Role

if TYPE_CHECKING:
    from bookbag.chassis.runtime import Runtime
    from services.identity.policy.store import Listed


async def school_policy(asked: argparse.Namespace) -> Answer:
    """Run one of the three. Raises Refused."""
    return await {"show": _show, "set": _set, "explain": _explain}[asked.action](asked)


@asynccontextmanager
async def _identity() -> "AsyncGenerator[Runtime]":
    from bookbag.chassis import telemetry
    from bookbag.chassis.process import alone
    from bookbag.chassis.settings import Platform
    from bookbag.cli.services import named

    platform = Platform()  # type: ignore[call-arg]
    telemetry.set_up("policy", platform)
    async with alone(named("identity")[0], platform) as runtime:
        yield runtime


async def _school(runtime: "Runtime", code: str) -> UUID:
    from services.identity.roster.store import find_school

    found = await find_school(runtime.database, code.upper())
    if found is None:
        raise Refused(f"No school here has the code {code}.")
    return found


def _instant(text: str | None, now: datetime) -> datetime:
    """An instant as operators write it; without an offset it is UTC."""
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text} is no instant. Write it as 2027-03-03T16:59+00:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def _show(asked: argparse.Namespace) -> Answer:
    from services.identity.policy import editing, store

    async with _identity() as runtime:
        school = await _school(runtime, asked.school)
        at = _instant(asked.at, runtime.clock.now())
        async with runtime.database.tenant(school) as tx:
            versions = await store.listed(tx, before=None, limit=editing.AT_ONCE)
            found = counting_at(versions, at)
            if found is None:
                raise Refused(f"{asked.school} had no rules at {at.isoformat()}.")
            text = await store.one_version(tx, found.number)
    assert text is not None
    who = found.author_name or found.author_role
    heading = f"# version {found.number}, from {found.counts_from.isoformat()}, by {who}: {found.reason}"
    body = summary(editing.rules_of(text.data), "en") if asked.words else text.document
    return Answer(f"{heading}\n{body}", [{"number": found.number, "document": text.document}])


async def _set(asked: argparse.Namespace) -> Answer:
    from bookbag.directory.policy import say_changed
    from services.identity.policy import drafts, editing, store
    from services.identity.roster.model import OPERATOR, EditedMeanwhile, InvalidRosterValue

    try:
        text = asked.file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{asked.file} cannot be read as UTF-8 text.") from error
    start = _instant(asked.counts_from, datetime.now(UTC)) if asked.counts_from else None
    heading = _HEADING.match(text)
    newest: Listed | None = None
    after: int | None = None
    try:
        draft = drafts.read_draft(text[heading.end() :] if heading else text, None)
        async with _identity() as runtime:
            school = await _school(runtime, asked.school)
            async with runtime.database.tenant(school) as tx:
                newest = (await store.listed(tx, before=None, limit=1))[0]
                after = _after(asked, heading, newest)
                saved = await editing.append_version(
                    tx, draft, author=OPERATOR, reason=asked.reason, counts_from=start, newest=after
                )
            runtime.signal("changes")
            say_changed(runtime, school)
    except PolicyRefused as refused:
        faults = "\n".join(f"  {fault}" for fault in refused.faults)
        raise Refused(f"Nothing was saved. {asked.file.name} has mistakes:\n{faults}") from refused
    except EditedMeanwhile:
        assert newest is not None
        raise Refused(
            f"Nothing was saved: {asked.file.name} changes version {after}, and {_named(newest)} was saved since then."
            f" See what it changed with `bookbag policy show {asked.school}`, then give --after {newest.number}."
        ) from None
    except drafts.NothingDiffers:
        raise Refused("Nothing was saved: the document says what the rules say already.") from None
    except (CannotCountInThePast, InvalidRosterValue) as wrong:
        raise Refused(f"Nothing was saved. {wrong}") from wrong
    return Answer(
        f"saved version {saved.number}, which counts from {saved.counts_from.isoformat()}",
        [{"number": saved.number, "counts_from": saved.counts_from}],
    )


_HEADING = re.compile(r"# version ([0-9]{1,7}), from [^\n]*\n")
"""What `show` prints above a document."""


def _after(asked: argparse.Namespace, heading: re.Match[str] | None, newest: "Listed") -> int | None:
    """The version that the document was made from; None for whichever is the newest. Raises Refused when nobody says."""
    if "after" in asked:
        return asked.after
    if heading is not None:
        return int(heading[1])
    raise Refused(
        f"Nothing was saved: {asked.file.name} does not say which version it changes. The newest is {_named(newest)}."
        f" Give --after {newest.number} if this document is to take its place."
    )


def _named(version: "Listed") -> str:
    return f"version {version.number} (by {version.author_name or version.author_role}: {version.reason})"


async def _explain(asked: argparse.Namespace) -> Answer:
    from bookbag.directory.policy import person_at

    async with _identity() as runtime:
        school = await _school(runtime, asked.school)
        at = _instant(asked.at, runtime.clock.now())
        lines: list[str] = []
        rows: list[dict[str, Any]] = []
        for person, name, role in await _people(runtime, school, asked):
            who = await person_at(runtime, school, person, role, at)
            lines += [
                "",
                f"{name}, {role}, at {at.astimezone(who.rules.zone):%A %d %B %Y %H:%M} ({who.rules.zone.key})",
            ]
            for one in explain(who, at, "en"):
                lines.append(f"  {one.question.replace('_', ' ')}: {one.answer}. {one.words}")
                rows.append(
                    {"person": person, "role": role, "question": one.question, "answer": one.answer, "words": one.words}
                )
    return Answer("\n".join(lines).strip(), rows)


async def _people(runtime: "Runtime", school: UUID, asked: argparse.Namespace) -> Sequence[tuple[UUID, str, Role]]:
    """Whom the question is about: a person by id or by the name the school writes, in one role or in each they have."""
    from services.identity.roster import store

    async with runtime.database.tenant(school) as tx:
        found = await store.people_called(tx, asked.person)
        if len(found) != 1:
            raise Refused(
                f"{'Nobody' if not found else 'More than one person'} here is called {asked.person}; give the id."
            )
        held = [one.role for one in await store.memberships(tx, found[0].id) if one.standing != "ended"]
    roles = [role for role in held if asked.role in (None, role)]
    if not roles:
        raise Refused(f"{found[0].name} has these roles here: {', '.join(held) or 'none'}.")
    return [(found[0].id, found[0].name, role) for role in roles]
