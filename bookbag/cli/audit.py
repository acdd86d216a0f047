"""What operators ask of the record: whether every chain is whole, and how far it is anchored. Never what it says.

Walking a chain is done under the reading role, one school at a time; which schools there are is known to identity, and to the heads and
anchors that the worker role sees, so that a school whose record was removed as a whole is looked at too.
"""

import argparse
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from bookbag.chassis.audit.anchors import AnchorKeys
from bookbag.chassis.audit.verification import Verdict, Verification
from bookbag.chassis.clock import SystemClock
from bookbag.chassis.database import Database
from bookbag.chassis.objects import ObjectStore, opened
from bookbag.chassis.settings import Platform, ServiceSettings, load
from bookbag.cli.answers import Answer, Refused, table
from bookbag.cli.services import NAMES


@dataclass(frozen=True, slots=True)
class _School:
    id: UUID
    code: str


async def audit(asked: argparse.Namespace) -> Answer:
    """Verify, or tell the state. Raises Refused."""
    schools = await _schools(asked.school)
    services = NAMES if asked.service == "all" else (asked.service,)
    return await (_verify if asked.action == "verify" else _status)(services, schools, asked.school is not None)


async def _verify(services: Sequence[str], schools: Sequence[_School], only: bool) -> Answer:
    lines: list[str] = []
    rows: list[dict[str, Any]] = []
    platform = Platform()  # type: ignore[call-arg]
    async with _store(platform) as objects:
        keys = _keys(platform)
        for service in services:
            chains = [*schools, *([] if only else await _unknown(service, schools))]
            async with _database(service, "reader") as record:
                proof = Verification(service, record, objects, keys)
                for school in chains:
                    verdict = await proof.judge(school.id)
                    if verdict.entries or verdict.fault:
                        lines.append(
                            f"{'WRONG' if verdict.fault else 'ok   '}  {service} {school.code}: {_said(verdict)}"
                        )
                        rows.append(_row(service, school, verdict))
    wrong = [row for row in rows if row["wrong_at"]]
    counted = f"{len(rows)} chain{'s' * (len(rows) != 1)}, {sum(row['entries'] for row in rows)} entries"
    lines += ["", f"{counted}: {f'{len(wrong)} not as written' if wrong else 'all as written'}."]
    return Answer("\n".join(lines).strip(), rows, wrong=bool(wrong))


def _said(verdict: Verdict) -> str:
    if verdict.fault:
        return f"entry {verdict.fault.seq} {verdict.fault.what}."
    whole = f"{verdict.entries} entr{'y' if verdict.entries == 1 else 'ies'} as written"
    if not verdict.anchored:
        return f"{whole}; too fresh to be anchored, so a cut at the end could not be seen yet."
    assert verdict.anchored_at is not None
    fresh = verdict.entries - verdict.anchored
    after = f"; {fresh} after it too fresh to be" if fresh else ""
    return f"{whole}, anchored up to {verdict.anchored} ({verdict.anchored_at:%Y-%m-%d %H:%M} UTC){after}."


def _row(service: str, school: _School, verdict: Verdict) -> dict[str, Any]:
    return {
        "service": service, "school": school.code, "school_id": str(school.id), "entries": verdict.entries,
        "anchored": verdict.anchored, "anchored_at": verdict.anchored_at.isoformat() if verdict.anchored_at else None,
        "wrong_at": verdict.fault.seq if verdict.fault else None, "wrong": verdict.fault.what if verdict.fault else None,
    }  # fmt: skip


async def _status(services: Sequence[str], schools: Sequence[_School], only: bool) -> Answer:
    rows: list[dict[str, Any]] = []
    for service in services:
        known = {school.id: school.code for school in schools}
        async with _database(service, "worker") as worker:
            for one in await _chains(worker):
                if only and one["school_id"] not in known:
                    continue
                anchored_at = one["anchored_at"]
                rows.append(
                    {
                        "service": service,
                        "school": known.get(one["school_id"], str(one["school_id"])),
                        "entries": one["entries"],
                        "anchored": one["anchored"],
                        "anchored_at": anchored_at.isoformat(timespec="seconds") if anchored_at else None,
                    }
                )
    return Answer(table(rows) if rows else "nothing is on the record yet", rows)


async def _chains(worker: Database) -> Sequence[Any]:
    """Every chain of a service with its anchor, also an anchor whose chain is gone."""
    return await worker.fetch(
        "select school_id, coalesce(h.seq, 0) as entries, coalesce(a.seq, 0) as anchored, a.anchored_at"
        " from audit_head h full join audit_anchor a using (school_id) order by school_id"
    )


async def _unknown(service: str, schools: Sequence[_School]) -> list[_School]:
    """Schools that have a chain in this service and that identity does not know."""
    known = {school.id for school in schools}
    async with _database(service, "worker") as worker:
        return [
            _School(one["school_id"], str(one["school_id"]))
            for one in await _chains(worker)
            if one["school_id"] not in known
        ]


async def _schools(code: str | None) -> list[_School]:
    """The schools that identity knows, or the one of a code. Raises Refused when there is none of that code."""
    async with _database("identity", "app") as identity:
        rows = await identity.fetch(
            "select code, school_id from school_code where $1::text is null or code = $1 order by code", code
        )
    if code is not None and not rows:
        raise Refused(f"No school has the code {code}.")
    return [_School(row["school_id"], row["code"]) for row in rows]


@asynccontextmanager
async def _store(platform: Platform) -> AsyncGenerator[ObjectStore]:
    if not platform.object_store:
        raise Refused(
            "Set BOOKBAG_OBJECT_STORE: the anchors lie there, and without them a cut at the end cannot be seen."
        )
    objects = opened(platform, SystemClock())
    try:
        yield objects
    finally:
        await objects.close()


def _keys(platform: Platform) -> AnchorKeys:
    if platform.audit_keys is None:
        raise Refused("Set BOOKBAG_AUDIT_KEYS: the file of public keys that anchors are verified with.")
    try:
        return AnchorKeys.read(platform.audit_keys)
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{platform.audit_keys} cannot be read as public keys ({type(error).__name__}).") from error


@asynccontextmanager
async def _database(service: str, role: str) -> AsyncGenerator[Database]:
    settings = load(ServiceSettings, service)
    url: SecretStr | None = getattr(settings, f"{role}_url")
    if url is None:
        raise Refused(f"Set BOOKBAG_{service.upper()}_{role.upper()}_URL.")
    database = Database(url.get_secret_value(), f"operator {os.getpid()}", size=1)
    try:
        yield database
    finally:
        await database.close()
