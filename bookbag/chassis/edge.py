"""What a gateway in front of the services must know, read from their manifests, so that no gateway's own table can differ from them."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import StreamingResponse

from bookbag.chassis import problems
from bookbag.chassis.http import BODY_LIMIT, SafeHeaders, routes_of
from bookbag.chassis.problems import Problem
from bookbag.chassis.service import Service


@dataclass(frozen=True, slots=True)
class Doors:
    """How one service is reached from outside: all paths below `prefix`; those of `streams` are answered without end."""

    service: str
    prefix: str
    streams: tuple[str, ...]
    largest_body: int
    """Bytes."""


def doors_of(service: Service) -> Doors:
    """The doors of one service. A service without routes has its prefix too: it refuses there in its own words."""
    streams = tuple(f"/{service.name}{route.path}" for route in routes_of(service) if _is_stream(route.original_route))
    return Doors(service.name, f"/{service.name}/", streams, BODY_LIMIT)


def _is_stream(route: Any) -> bool:
    kind = getattr(route, "response_class", None)
    return isinstance(kind, type) and issubclass(kind, StreamingResponse)


def refusals() -> dict[str, dict[str, str | int]]:
    """The problem documents a gateway gives itself, by what happened; the status is in the document."""
    return {
        "malformed": Problem(problems.MALFORMED).document(),
        "not-found": Problem(problems.NOT_FOUND).document(),
        "too-large": Problem(problems.TOO_LARGE, extra={"limit": BODY_LIMIT}).document(),
        "unavailable": Problem(problems.UNAVAILABLE, retry_after=1).document(),
    }


def headers() -> dict[str, str]:
    """The headers that every answer carries, so those a gateway gives itself too."""
    return SafeHeaders.HEADERS | {"cache-control": "no-store"}
