from collections.abc import AsyncIterator

import httpx2
import pytest

from bookbag.chassis.runtime import Runtime
from services.messaging.tests.builders import Oak, School
from services.messaging.tests.siblings import Sibling
from tests.support.house import House


@pytest.fixture
async def runtime(house: House) -> AsyncIterator[Runtime]:
    async with house.runtime("messaging") as runtime:
        yield runtime


@pytest.fixture
async def http(house: House, runtime: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(runtime) as client:
        yield client


@pytest.fixture
async def oak(house: House, runtime: Runtime, http: httpx2.AsyncClient) -> Oak:
    """A school with class Oak, its teacher Ada, pupil Emma, her guardian Rosa who reads Spanish, and their thread."""
    return await Oak.built(house, runtime, http)


@pytest.fixture
async def other_school(house: House, runtime: Runtime, http: httpx2.AsyncClient) -> School:
    """Another school on the same server, of the same shape."""
    return await Oak.built(house, runtime, http)


@pytest.fixture
async def translate(house: House, runtime: Runtime) -> AsyncIterator[Sibling]:
    """The translate service, as messaging sees it."""
    async with Sibling.named("translate", house, runtime) as sibling:
        yield sibling


@pytest.fixture
async def notify(house: House, runtime: Runtime) -> AsyncIterator[Sibling]:
    """The notify service, as messaging sees it."""
    async with Sibling.named("notify", house, runtime) as sibling:
        yield sibling


@pytest.fixture
async def identity(house: House, runtime: Runtime) -> AsyncIterator[Sibling]:
    """A service of ours that has no business with messages."""
    async with Sibling.named("identity", house, runtime) as sibling:
        yield sibling
