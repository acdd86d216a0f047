"""Anchors: signed notes in the object store of how far a chain had come and with which hash, so that its end cannot be cut or rewritten.

An anchor is a signed statement (compact JWS, Ed25519) under a key of its service that only its workers have, named by the entry it
knows and never put twice. Keys are told apart by their ids: the public ones of earlier keys are kept, so old anchors stay good.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from bookbag.chassis.objects import Key, ObjectStore
from bookbag.chassis.service import Job
from bookbag.chassis.tokens import ALGORITHM

if TYPE_CHECKING:
    from bookbag.chassis.clock import Clock
    from bookbag.chassis.runtime import Runtime

log = structlog.get_logger()

_TYPE = "bookbag-anchor"
_AT_ONCE = 200


class NotAnchored(Exception):
    """Heads moved and cannot be anchored; the text says what is missing or wrong."""


class Forged(Exception):
    """What lies where an anchor belongs was not signed by a key of the service, or speaks of something else."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far a school's chain in one service had come: the entry's number and hash, and when that was signed, by which key."""

    service: str
    school: UUID
    seq: int
    hash: bytes
    at: datetime
    key_id: str


def place_of(service: str, school: UUID, seq: int) -> Key:
    """Where an anchor lies. The names of a chain sort as its entries do."""
    return Key(school, f"audit/{service}/{seq:020d}.jws")


def entry_of(key: Key) -> tuple[str, int] | None:
    """The service and the entry that an object is an anchor of; None for any other object."""
    found = re.fullmatch(r"audit/([a-z0-9_]+)/([0-9]+)\.jws", key.name)
    return (found[1], int(found[2])) if found else None


class AnchorSigner:
    """Signs the heads of one service."""

    def __init__(self, service: str, key_file: Path, clock: Clock) -> None:
        self._service = service
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))
        self._clock = clock

    def sign(self, school: UUID, seq: int, hash_: bytes) -> tuple[Anchor, bytes]:
        """An anchor and the bytes that stand for it."""
        key_id = str(self._key.kid)
        anchor = Anchor(self._service, school, seq, hash_, self._clock.now(), key_id)
        said = {
            "service": anchor.service, "school": str(school), "seq": seq, "hash": hash_.hex(), "at": anchor.at.isoformat(),
        }  # fmt: skip
        header = {"alg": ALGORITHM, "kid": key_id, "typ": _TYPE}
        return anchor, jws.serialize_compact(header, json.dumps(said), self._key, algorithms=[ALGORITHM]).encode()


class AnchorKeys:
    """The public keys, present and past, of every service, from a file `{service: {"keys": [JWK, …]}}`."""

    def __init__(self, known: Mapping[str, Mapping[str, OKPKey]]) -> None:
        self._known = known

    @classmethod
    def read(cls, path: Path) -> AnchorKeys:
        content = cast("dict[str, dict[str, list[dict[str, Any]]]]", json.loads(path.read_text()))
        keys = {
            service: [OKPKey.import_key(cast("Any", key)) for key in kept["keys"]] for service, kept in content.items()
        }
        return cls({service: {str(key.kid): key for key in each} for service, each in keys.items()})

    def check(self, service: str, school: UUID, seq: int, content: bytes) -> Anchor:
        """The anchor that lies where this one belongs. Raises Forged."""
        try:
            key_id = str(jws.extract_compact(content).headers()["kid"])
            key = self._known.get(service, {})[key_id]
            opened = jws.deserialize_compact(content, key, algorithms=[ALGORITHM])
            said = cast("dict[str, Any]", json.loads(opened.payload or b""))
            anchor = Anchor(
                str(said["service"]), UUID(said["school"]), int(said["seq"]), bytes.fromhex(said["hash"]),
                datetime.fromisoformat(said["at"]), key_id,
            )  # fmt: skip
        except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Forged("is not signed by a key of this service") from error
        if opened.headers().get("typ") != _TYPE or (anchor.service, anchor.school, anchor.seq) != (
            service,
            school,
            seq,
        ):
            raise Forged("speaks of another entry than the one it is named for")
        return anchor


async def numbers(objects: ObjectStore, service: str, school: UUID) -> list[int]:
    """The entries of a chain that have an anchor, in order."""
    found: list[int] = []
    after: str | None = None
    while True:
        page = await objects.list(school, f"audit/{service}/", after=after)
        names = (kept.key.name.rpartition("/")[2].removesuffix(".jws") for kept in page.items)
        found += [int(name) for name in names if name.isascii() and name.isdigit()]
        if page.next is None:
            return sorted(found)
        after = page.next


async def anchor_heads(runtime: Runtime) -> None:
    """Anchor every chain of this service whose head has moved. Raises NotAnchored once the others are done.

    The anchor is put first and noted afterwards: a process that dies in between finds its own anchor and notes it.
    """
    worker, wrong = runtime.across_schools, ""
    signer: AnchorSigner | None = None
    done: UUID | None = None
    while True:
        heads = await worker.fetch(
            "select h.school_id, h.seq, h.hash from audit_head h left join audit_anchor a using (school_id)"
            " where h.seq > coalesce(a.seq, 0) and ($1::uuid is null or h.school_id > $1) order by h.school_id limit $2",
            done,
            _AT_ONCE,
        )
        if not heads:
            break
        signer = signer or _signer(runtime)
        for head in heads:
            done = cast("UUID", head["school_id"])
            wrong = await _anchor(runtime, signer, done, head["seq"], head["hash"]) or wrong
    if wrong:
        raise NotAnchored(wrong)


def _signer(runtime: Runtime) -> AnchorSigner:
    key = runtime.platform.signing_keys / f"audit-{runtime.name}.json"
    if not key.exists():
        raise NotAnchored(f"this worker has no key {key.name} to sign anchors with")
    return AnchorSigner(runtime.name, key, runtime.clock)


async def _anchor(runtime: Runtime, signer: AnchorSigner, school: UUID, seq: int, hash_: bytes) -> str:
    """Anchor one head and note it. Gives what is wrong, or nothing."""
    anchor, content = signer.sign(school, seq, hash_)
    place = place_of(runtime.name, school, seq)
    if not await runtime.objects.put_if_absent(place, content, "application/jose"):
        there = _unproven(await runtime.objects.get(place))
        if there != hash_:
            log.error("anchor differs", service=runtime.name, school_id=str(school), count=seq)
            return f"entry {seq} of school {school} is anchored with another hash: run `bookbag audit verify`"
    await runtime.across_schools.execute(
        "insert into audit_anchor (school_id, seq, hash, key_id, anchored_at) values ($1, $2, $3, $4, $5)"
        " on conflict (school_id) do update set seq = excluded.seq, hash = excluded.hash, key_id = excluded.key_id,"
        " anchored_at = excluded.anchored_at",
        school, seq, hash_, anchor.key_id, anchor.at,
    )  # fmt: skip
    return ""


def _unproven(content: bytes) -> bytes:
    """The hash that lies there, signed by whomever: enough to see that it is another one."""
    try:
        return bytes.fromhex(json.loads(jws.extract_compact(content).payload or b"")["hash"])
    except (JoseError, KeyError, ValueError, TypeError):
        return b""


ANCHOR = Job("anchor_record", every=timedelta(minutes=1), run=anchor_heads)
