import pytest

from bookbag.chassis.tests.bus_contract.installation import Installation
from tests.support.house import House


@pytest.fixture(params=["outbox", "kafka"])
def installation(request: pytest.FixtureRequest, fresh_house: House) -> Installation:
    """The toy service over each of the two buses."""
    return made(request, fresh_house, request.param)


@pytest.fixture
def on_kafka(request: pytest.FixtureRequest, fresh_house: House) -> Installation:
    """The toy service over Kafka, for what only a broker can do."""
    return made(request, fresh_house, "kafka")


def made(request: pytest.FixtureRequest, house: House, name: str) -> Installation:
    settings = {"BOOKBAG_BUS": name}
    if name == "kafka":
        broker = request.getfixturevalue("broker")
        settings |= {
            "BOOKBAG_KAFKA_URL": broker.address.bootstrap,
            "BOOKBAG_KAFKA_PREFIX": broker.prefix(),
            "BOOKBAG_KAFKA_COPIES": "1",
        }
    installation = Installation(house, name, settings)
    installation.make_topics()
    return installation
