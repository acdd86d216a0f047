"""Serves the built web client, wherever it is served from, or a plain page that tells how to build it."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bookbag.chassis.http import problem_response
from bookbag.chassis.problems import NOT_FOUND, Problem

_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bookbag</title>
<h1>Bookbag runs, without its web client</h1>
<p>The web client is built with packages from npm's registry, which could not be reached.</p>
<p>When it can, stop Bookbag, type <code>make web</code> and start again. The API is here meanwhile:
<a href="/openapi.json">/openapi.json</a>.</p></html>"""


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content: kept by browsers for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def web_routes(built: Path | None) -> list[BaseRoute]:
    """Routes for everything that no service answers: files of the client, and its page for addresses that it makes itself."""
    if built is None or not (built / "index.html").exists():

        async def not_built(_: Request) -> Response:
            return HTMLResponse(_NOT_BUILT)

        return [Route("/", not_built)]
    files = StaticFiles(directory=built)

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path and "." in path.rpartition("/")[2]:
            try:
                response = await files.get_response(path, request.scope)
                response.headers["cache-control"] = "no-cache"
                return response
            except HTTPException:
                return problem_response(Problem(NOT_FOUND))
        return FileResponse(built / "index.html", headers={"cache-control": "no-cache"})

    routes: list[BaseRoute] = []
    if (built / "assets").exists():
        routes.append(Mount("/assets", _Assets(directory=built / "assets")))
    return [*routes, Route("/{path:path}", page, methods=["GET", "HEAD"])]
