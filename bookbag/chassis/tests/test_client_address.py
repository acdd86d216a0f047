"""Where a request comes from: the gateway's word is taken, nobody else's."""

import asyncio
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bookbag.chassis import process
from bookbag.local.ports import choose_one
from tests.support.house import eventually


@asynccontextmanager
async def telling_where_it_was_asked_from(trusted):
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(request.client.host))])
    port = choose_one()
    server = process._server(app, "127.0.0.1", port, trusted=trusted)

    async def started():
        return server.started

    running = asyncio.create_task(process._run(server))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        await eventually(started)
        yield client
    server.should_exit = True
    await running


@pytest.mark.req("OPS-3", "OPS-4")
@pytest.mark.parametrize(
    ("trusted", "believed"),
    [
        ("", "127.0.0.1"),
        ("192.0.2.0/24", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7"),
        ("192.0.2.1, 127.0.0.0/8", "203.0.113.7"),
    ],
)
async def test_only_a_trusted_gateway_says_where_a_request_comes_from(trusted, believed):
    async with telling_where_it_was_asked_from(trusted) as client:
        told = await client.get("/", headers={"x-forwarded-for": "203.0.113.7"})
    assert told.text == believed


@pytest.mark.req("OPS-3")
async def test_of_many_addresses_the_one_the_gateway_saw_counts():
    async with telling_where_it_was_asked_from("127.0.0.1") as client:
        told = await client.get("/", headers={"x-forwarded-for": "198.51.100.1, 203.0.113.7"})
    assert told.text == "203.0.113.7"
