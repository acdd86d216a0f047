"""The fixtures every test folder shares; see `house` for what they give."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bookbag.cli.services import NAMES
from bookbag.local import seaweed
from bookbag.local.kafka import why_not
from bookbag.local.keys import KeyFiles, ensure_keys
from bookbag.local.testing import TestServers
from bookbag.local.testing_broker import TestBroker
from bookbag.local.testing_objects import TestObjects
from tests.support.house import House, built
from tests.support.whole import Whole, whole_product


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--product", default="up", choices=["up", "stack"], help="how the product of the journeys runs: up or stack"
    )


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    """One PostgreSQL and one Valkey for the whole run."""
    with TestServers.join() as joined:
        yield joined


@pytest.fixture(scope="session")
def broker() -> Iterator[TestBroker]:
    """One Kafka for the whole run, started when the first test asks for it. Its tests keep to topics under a prefix of their own."""
    if reason := why_not():
        pytest.skip(reason)
    with TestBroker.join() as joined:
        yield joined


@pytest.fixture(scope="session")
def s3() -> Iterator[TestObjects]:
    """One S3 server for the whole run, started when the first test asks for it. Its tests keep to schools of their own."""
    if reason := seaweed.why_not():
        pytest.skip(reason)
    with TestObjects.join() as joined:
        yield joined


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    """Signing keys of a house: made once, they say nothing about any test."""
    return ensure_keys(tmp_path_factory.mktemp("keys"), (*NAMES, "toy"))


@pytest.fixture(scope="module")
def house(servers: TestServers, keys: KeyFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for one module; its tests keep to schools of their own."""
    with built(servers, keys, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def fresh_house(servers: TestServers, keys: KeyFiles, tmp_path: Path) -> Iterator[House]:
    """A house for one test."""
    with built(servers, keys, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def whole(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """The whole product as processes over this module's house, with the demo schools in it."""
    with whole_product(house, tmp_path_factory.mktemp("whole")) as running:
        running.seed()
        yield running
