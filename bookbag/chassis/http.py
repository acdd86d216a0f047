"""Turns manifests into HTTP applications: one FastAPI app per service under its prefix, every refusal a problem document.

Bad input never becomes a 5xx, errors of a model get their public face from the manifest's table, and nothing of an unexpected error
is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, cast

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from bookbag.chassis import problems
from bookbag.chassis.problems import Problem
from bookbag.chassis.rpc import refusal_of
from bookbag.chassis.watched import Watched

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bookbag.chassis.runtime import Runtime
    from bookbag.chassis.service import Service

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024
"""Bytes of a request body, unless a route says otherwise."""

_BY_STATUS = {
    400: problems.MALFORMED, 401: problems.SIGNED_OUT, 403: problems.FORBIDDEN, 404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED, 413: problems.TOO_LARGE, 415: problems.UNSUPPORTED_MEDIA_TYPE,
}  # fmt: skip


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Shown(BaseModel):
    """Base of response bodies: exactly the declared fields leave."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


B = TypeVar("B", bound=Body)


async def read_body(request: Request, kind: type[B]) -> B:
    """A body of a route that carries load: read and validated in one step, a third of the time the framework's way takes.

    Raises Problem and RequestValidationError as a declared body would. Such a route documents its body with `documented`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(problems.UNSUPPORTED_MEDIA_TYPE)
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def answered(shown: Shown, status: int) -> Response:
    """The response of a route that carries load, written by the model itself."""
    return Response(shown.model_dump_json(), status, media_type="application/json")


def documented(kind: type[Body], *parameters: dict[str, Any]) -> dict[str, Any]:
    """What the OpenAPI document says of a route that reads its body with `read_body`."""
    return {
        "security": [{"HTTPBearer": []}],
        "parameters": list(parameters),
        "requestBody": {"required": True, "content": {"application/json": {"schema": kind.model_json_schema()}}},
    }


def _plain_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be valid Unicode")
    return text


Text = Annotated[str, AfterValidator(_plain_text)]
"""A string that PostgreSQL and UTF-8 can hold."""


def runtime_of(request: Request) -> Runtime:
    """The runtime of the service whose route is running."""
    return request.app.state.runtime


async def _runtime(request: Request) -> Runtime:
    return runtime_of(request)


def problem_response(problem: Problem) -> JSONResponse:
    headers = {"cache-control": "no-store"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    if problem.kind.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(problem.document(), problem.kind.status, headers=headers, media_type="application/problem+json")


def _invalid(error: RequestValidationError) -> Problem:
    first: dict[str, Any] = error.errors()[0] if error.errors() else {"loc": (), "msg": "", "type": ""}
    place = ".".join(str(part) for part in first["loc"] if part != "body") or str(
        first["loc"][0] if first["loc"] else ""
    )
    if first["type"] == "json_invalid":
        return Problem(problems.MALFORMED, "the body is not JSON")
    extra: dict[str, str | int] = {"field": place}
    for name in ("max_length", "min_length", "le", "ge"):
        if name in first.get("ctx", {}):
            extra["limit"] = first["ctx"][name]
    return Problem(problems.INVALID_INPUT, f"{place}: {first['msg']}", extra=extra)


class _WatchedApp(FastAPI):
    """An application that is watched from outside all that answers in it, so that nothing it says goes uncounted."""

    def build_middleware_stack(self) -> ASGIApp:
        runtime: Runtime = self.state.runtime
        prefix = f"/{runtime.name}"
        templates = {id(route.original_route): f"{prefix}{route.path}" for route in routes_of(runtime.service)}
        return Watched(
            super().build_middleware_stack(), runtime.name, templates, from_clients=runtime.platform.trace_from_clients
        )


def described_app(service: Service) -> FastAPI:
    """The routes of a service and their OpenAPI document, before it has a runtime to answer with."""
    app = _WatchedApp(
        title=f"Bookbag {service.name}",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The framework's own would note paths and queries, and costs a request ten times what ours does.
        telemetry={"logs": False, "operation_spans": False, "tracing": False, "metrics": False},
        generate_unique_id_function=lambda route: f"{service.name}_{route.name}",
        responses={
            "default": {
                "description": "A problem document (RFC 9457) with a stable `code`.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            }
        },
    )
    if service.routes is not None:
        app.include_router(service.routes)
    _complete_openapi(app)
    return app


def service_app(runtime: Runtime) -> FastAPI:
    """The application of one service, with its routes, its OpenAPI document and its refusals."""
    app = described_app(runtime.service)
    app.state.runtime = runtime
    app.add_middleware(BodyLimit)
    _refuse_in_words(app, runtime)
    return app


def _refuse_in_words(app: FastAPI, runtime: Runtime) -> None:
    async def told(_: Request, error: Exception) -> Response:
        problem = refusal_of(error, runtime.service)
        if problem.kind is problems.INTERNAL:
            log.error("request failed", service=runtime.name, error=type(error).__name__, exc_info=error)
        return problem_response(problem)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_invalid(error))

    async def plain(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = _BY_STATUS.get(error.status_code, problems.MALFORMED if error.status_code < 500 else problems.INTERNAL)
        extra: dict[str, str | int] = {"limit": BODY_LIMIT} if kind is problems.TOO_LARGE else {}
        response = problem_response(Problem(kind, extra=extra))
        if error.status_code == 405 and error.headers:
            response.headers["allow"] = error.headers.get("Allow", "")
        return response

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Problem, told)
    app.add_exception_handler(problems.DependencyAway, told)
    app.add_exception_handler(UnicodeDecodeError, _unreadable)
    for kind in runtime.service.refusals:
        app.add_exception_handler(kind, told)
    app.add_exception_handler(Exception, told)


async def _unreadable(_: Request, __: Exception) -> Response:
    return problem_response(Problem(problems.MALFORMED, "the request is not UTF-8"))


def _complete_openapi(app: FastAPI) -> None:
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {}).setdefault("schemas", {})["ProblemDocument"] = {
            "type": "object",
            "required": ["type", "title", "status", "code"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "code": {"type": "string"},
                "detail": {"type": "string"},
                "limit": {"type": "integer"},
                "field": {"type": "string"},
                "retry_after": {"type": "integer"},
            },
        }
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def merged_openapi(apps: dict[str, FastAPI]) -> dict[str, Any]:
    """One document over all services; the same component name in two services must mean the same thing, or it gets a prefix."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Bookbag", "version": "1"},
        "paths": {},
        "components": {"schemas": {}},
    }
    for name, app in apps.items():
        document = app.openapi()
        schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
        taken = merged["components"]["schemas"]
        renamed = {
            key: f"{name.title()}{key}" for key, schema in schemas.items() if key in taken and taken[key] != schema
        }
        document = _renamed(document, renamed)
        for path, item in document["paths"].items():
            merged["paths"][f"/{name}{path}"] = item
        taken.update(document.get("components", {}).get("schemas", {}))
        merged["components"].setdefault("securitySchemes", {}).update(
            document.get("components", {}).get("securitySchemes", {})
        )
    return merged


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """The same document with some component schemas under other names."""
    if not names:
        return node
    if isinstance(node, list):
        items = cast("list[Any]", node)
        return [_renamed(item, names) for item in items]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    out: dict[str, Any] = {}
    for key, value in fields.items():
        if key == "$ref" and isinstance(value, str):
            last = value.rpartition("/")[2]
            out[key] = f"#/components/schemas/{names.get(last, last)}"
        elif key == "schemas" and isinstance(value, dict):
            schemas = cast("dict[str, Any]", value)
            out[key] = {names.get(name, name): _renamed(schema, names) for name, schema in schemas.items()}
        else:
            out[key] = _renamed(value, names)
    return out


def routes_of(service: Service) -> list[RouteContext]:
    """The routes of a service, those of included routers too, for registries that must name them all."""
    if service.routes is None:
        return []
    return [route for route in iter_route_contexts(service.routes.routes) if isinstance(route.original_route, APIRoute)]


class BodyLimit:
    """Refuses a body that is larger than any route accepts: by its declared length before any of it is read, or, when it declares
    none, as soon as more has come. The framework's own limit answers in plain text and costs every request a wrapper."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
            if declared is None:
                receive = _counted(receive)
            elif not declared.isdigit() or int(declared) > BODY_LIMIT:
                too_large = Problem(problems.TOO_LARGE, extra={"limit": BODY_LIMIT})
                await problem_response(too_large)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _counted(receive: Receive) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT:
            raise HTTPException(413)
        return message

    return counted


class SafeHeaders:
    """Adds to every answer the headers that keep browsers from guessing, framing or keeping what is private."""

    POLICY = (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; font-src 'self'; connect-src 'self'; "
        "worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
    HEADERS: Final = {
        "content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    }  # fmt: skip

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in self.HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self._headers]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, guarded)


Here = Annotated[Any, Depends(_runtime)]
"""Dependency: the runtime of the service."""
