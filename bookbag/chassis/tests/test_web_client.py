"""The one address serves the built client, its own addresses included, or says in words how to build it."""

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from bookbag.chassis.web_client import web_routes


def client(built: Path | None) -> httpx2.AsyncClient:
    app = Starlette(routes=web_routes(built))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1a2b.js").write_text("1")
    (tmp_path / "index.html").write_text("<title>the client</title>")
    (tmp_path / "sw.js").write_text("2")
    return tmp_path


@pytest.mark.req("OPS-1")
async def test_without_a_built_client_a_plain_page_tells_how_to_get_one() -> None:
    async with client(None) as http:
        page = await http.get("/")
    assert page.status_code == 200
    assert "make web" in page.text


@pytest.mark.parametrize("path", ["/", "/threads", "/threads/0190a6d2-0000-7000-8000-000000000000"])
async def test_an_address_of_the_client_gets_its_page_and_is_asked_for_anew(built: Path, path: str) -> None:
    async with client(built) as http:
        page = await http.get(path)
    assert (page.status_code, page.text) == (200, "<title>the client</title>")
    assert page.headers["cache-control"] == "no-cache"


async def test_files_with_a_hash_in_their_name_are_kept_and_the_service_worker_is_not(built: Path) -> None:
    async with client(built) as http:
        asset, worker = await http.get("/assets/main-1a2b.js"), await http.get("/sw.js")
    assert "immutable" in asset.headers["cache-control"]
    assert (worker.text, worker.headers["cache-control"]) == ("2", "no-cache")


@pytest.mark.parametrize("path", ["/nothing.js", "/assets/nothing.js", "/..%2f..%2fetc%2fpasswd.txt"])
async def test_a_file_that_is_not_there_is_not_found(built: Path, path: str) -> None:
    async with client(built) as http:
        assert (await http.get(path)).status_code == 404
