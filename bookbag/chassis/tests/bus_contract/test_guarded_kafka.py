"""A broker that wants TLS and a password, as a provider's does: who has both works as ever, who lacks one is told that it is away."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from bookbag.chassis.kafka_bus import KafkaBus
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.tests.bus_contract.installation import Installation, eventually, has, tell
from bookbag.chassis.tests.bus_contract.toy import Heard
from bookbag.local.certificate import CertificateFiles, ensure_certificate
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.parts import start
from tests.support.house import House

pytestmark = [pytest.mark.req("OPS-2"), pytest.mark.slow]

USER, PASSWORD = "bookbag", "a word for this test"
LISTENER = "listener.name.guarded"
MODULES = "org.apache.kafka.common.security"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return ensure_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def guarded(
    broker: object, certificate: CertificateFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedKafka]:
    """A broker with such a listener, and one user in each way of signing in."""
    folder = tmp_path_factory.mktemp("kafka")
    identity = folder / "broker.pem"
    identity.write_text(certificate.key.read_text() + certificate.certificate.read_text())
    server = EmbeddedKafka(
        folder / "broker",
        guarded={
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_SSL",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"{LISTENER}.ssl.keystore.type": "PEM",
            f"{LISTENER}.ssl.keystore.location": str(identity),
            f"{LISTENER}.plain.sasl.jaas.config": f'{MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
            f"{LISTENER}.scram-sha-256.sasl.jaas.config": f"{MODULES}.scram.ScramLoginModule required;",
            f"{LISTENER}.scram-sha-512.sasl.jaas.config": f"{MODULES}.scram.ScramLoginModule required;",
        },
    )
    start(server)
    admin = KafkaAdminClient(bootstrap_servers=server.address.bootstrap)
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        said = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, mechanism, PASSWORD)])
        assert said == {USER: None}
    admin.close()
    yield server
    server.stop()


def told(server: EmbeddedKafka, certificate: CertificateFiles, **other: str) -> dict[str, str]:
    """The settings of an installation at that broker."""
    return {
        "BOOKBAG_BUS": "kafka", "BOOKBAG_KAFKA_URL": server.guarded_address.bootstrap, "BOOKBAG_KAFKA_COPIES": "1",
        "BOOKBAG_KAFKA_SECURITY": "SASL_SSL", "BOOKBAG_KAFKA_CA": str(certificate.authority), "BOOKBAG_KAFKA_USER": USER,
        "BOOKBAG_KAFKA_PASSWORD": PASSWORD,
    } | other  # fmt: skip


@pytest.mark.parametrize("way", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_events_travel_through_a_broker_that_wants_tls_and_a_password(
    fresh_house: House, guarded: EmbeddedKafka, certificate: CertificateFiles, way: str
) -> None:
    settings = told(guarded, certificate, BOOKBAG_KAFKA_SASL=way, BOOKBAG_KAFKA_PREFIX=f"{way.lower()}.")
    installation = Installation(fresh_house, "kafka", settings)
    installation.make_topics()
    async with installation.running(Heard()) as runtime:
        school, key = uuid4(), uuid4()
        for value in (1, 2):
            await tell(runtime, school, key, value)
        await eventually(lambda: has(runtime, key, [1, 2]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"BOOKBAG_KAFKA_PASSWORD": "another"},
        {"BOOKBAG_KAFKA_SECURITY": "SSL"},
        {"BOOKBAG_KAFKA_CA": ""},
    ],
    ids=["a wrong password", "no password", "an authority that it does not know"],
)
async def test_who_lacks_the_password_or_the_authority_is_told_that_the_broker_is_away(
    house: House, guarded: EmbeddedKafka, certificate: CertificateFiles, wrong: dict[str, str]
) -> None:
    bus = KafkaBus(Installation(house, "kafka", told(guarded, certificate, **wrong)).platform())
    with pytest.raises(DependencyAway):
        await bus.ready()
    await bus.close()
