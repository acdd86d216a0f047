"""One running product for the whole folder; each module makes schools of its own in it."""

from collections.abc import Iterator

import pytest

from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.security.world import World, build_world
from tests.support.collector import Collector, collecting
from tests.support.house import built
from tests.support.whole import Whole, whole_product

MANY_TRIES = {
    "BOOKBAG_IDENTITY_SIGN_IN_TRIES_PER_EMAIL": "1000000",
    "BOOKBAG_IDENTITY_SIGN_IN_TRIES_PER_ADDRESS": "1000000",
}


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Receives every span of the product."""
    with collecting() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def product(
    servers: TestServers, keys: KeyFiles, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Whole]:
    """The whole product without any school."""
    traced = {"BOOKBAG_OTLP_ENDPOINT": collector.endpoint}
    folder = tmp_path_factory.mktemp("product")
    with (
        built(servers, keys, folder) as house,
        whole_product(house, folder, BOOKBAG_NOTIFY_MAIL_GRACE_SECONDS="3", **MANY_TRIES, **traced) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def world(product: Whole) -> World:
    """Two schools with one of everybody, for one module."""
    return build_world(product)
