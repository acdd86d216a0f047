"""Answers the signed URLs of the disk store, as S3 answers its own: the signature is the only right, and it is for one key.

What people upload is never run in our origin: nothing but pictures, sound and film is shown in place, and each answer forbids scripts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bookbag.chassis.clock import SystemClock
from bookbag.chassis.http import problem_response
from bookbag.chassis.objects import BadName, DiskPlace, Head, Key, NoSuchObject, place_of
from bookbag.chassis.objects_disk import ROUTE, DiskStore
from bookbag.chassis.problems import FORBIDDEN, INVALID_INPUT, NOT_FOUND, UNAVAILABLE, DependencyAway, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bookbag.chassis.settings import Platform

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?")
_SHOWN = re.compile(r"(?:image/(?!svg)|audio/|video/).*")


class _Short(Exception):
    """An upload ended early, or went on too long."""


def object_routes(platform: Platform) -> list[BaseRoute]:
    """The route of an installation that keeps its objects on disk; none for any other."""
    place = place_of(platform.object_store) if platform.object_store else None
    if not isinstance(place, DiskPlace):
        return []
    return routes_of(DiskStore(place.folder, platform.public_url, SystemClock()))


def routes_of(store: DiskStore) -> list[BaseRoute]:
    """The route of one disk store."""

    async def answer(request: Request) -> Response:
        try:
            key = _allowed(store, request)
            return await (_take(store, key, request) if request.method == "PUT" else _give(store, key, request))
        except NoSuchObject:
            return problem_response(Problem(NOT_FOUND))
        except DependencyAway:
            return problem_response(Problem(UNAVAILABLE, retry_after=1))
        except Problem as problem:
            return problem_response(problem)

    return [Route(ROUTE + "/{key:path}", answer, methods=["GET", "HEAD", "PUT"])]


def _allowed(store: DiskStore, request: Request) -> Key:
    """The key that this request may touch. One refusal for all that is wrong with an address."""
    said = dict(request.query_params)
    signature = said.pop("signature", "")
    try:
        key = Key.parse(cast(str, request.path_params["key"]))
    except BadName:
        raise Problem(FORBIDDEN) from None
    method = "GET" if request.method == "HEAD" else request.method
    once = len(request.query_params.multi_items()) == len(said) + 1
    if not once or not store.holds(method, key, said, signature):
        raise Problem(FORBIDDEN)
    return key


async def _take(store: DiskStore, key: Key, request: Request) -> Response:
    length, kind = request.query_params["length"], request.query_params["type"]
    for header, wanted in (("content-length", length), ("content-type", kind)):
        if request.headers.get(header) != wanted:
            raise Problem(FORBIDDEN, f"this address takes exactly {header}: {wanted}")

    async def pieces() -> AsyncGenerator[bytes]:
        left = int(length)
        async for piece in request.stream():
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise _Short

    try:
        await store.put_stream(key, pieces(), kind)
    except (_Short, ClientDisconnect):
        raise Problem(INVALID_INPUT, f"{length} bytes were announced and others came") from None
    return Response(status_code=200)


async def _give(store: DiskStore, key: Key, request: Request) -> Response:
    head = await store.head(key)
    headers = {
        "content-type": head.content_type,
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition": "inline" if _SHOWN.fullmatch(head.content_type) else "attachment",
    }
    first, last, status = _wanted(request, head)
    if first > last and status == 206:
        return Response(status_code=416, headers={"content-range": f"bytes */{head.size}"})
    if status == 206:
        headers["content-range"] = f"bytes {first}-{last}/{head.size}"
    headers["content-length"] = str(last - first + 1)
    if request.method == "HEAD" or last < first:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(store.stream(key, first=first, last=last), status, headers)


def _wanted(request: Request, head: Head) -> tuple[int, int, int]:
    """First byte, last byte, status. A range that cannot be read is passed over, as HTTP says."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None:
        return 0, head.size - 1, 200
    first = int(asked[1])
    last = head.size - 1 if asked[2] is None else min(int(asked[2]), head.size - 1)
    return first, last, 206
