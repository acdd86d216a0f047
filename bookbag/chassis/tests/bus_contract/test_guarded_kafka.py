"""A broker that wants TLS and a password, as a provider's does: who has both works as ever, who lacks one is told which."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from bookbag.chassis.tests.bus_contract.installation import Installation, eventually, has, tell
from bookbag.chassis.tests.bus_contract.toy import Heard
from bookbag.local.certificate import CertificateFiles, ensure_certificate
from bookbag.local.kafka import EmbeddedKafka, why_not
from bookbag.local.parts import start
from tests.support import commands
from tests.support.house import House

pytestmark = [pytest.mark.req("OPS-2"), pytest.mark.slow]

USER, PASSWORD = "bookbag", "a word for this test"
LISTENER = "listener.name.guarded"
MODULES = "org.apache.kafka.common.security"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return ensure_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def guarded(certificate: CertificateFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker with such a listener, and one user in each way of signing in."""
    if reason := why_not():
        pytest.skip(reason)
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


def bookbag(house: House, settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """What a command of operators answers there."""
    return commands.run(*words, environment=os.environ | house.environment | settings)


def brokers(house: House, settings: dict[str, str]) -> dict[str, str]:
    """What the doctor says of them."""
    rows = json.loads(bookbag(house, settings, "doctor", "--service", "messaging", "--json").stdout)
    return next(row for row in rows if row["what"] == "kafka")


def test_topics_are_made_and_the_doctor_is_content(
    house: House, guarded: EmbeddedKafka, certificate: CertificateFiles
) -> None:
    settings = told(guarded, certificate, BOOKBAG_KAFKA_PREFIX="made.")
    made = bookbag(house, settings, "migrate", "messaging")
    assert "made.bookbag.messaging.v1: topic made" in made.stdout, made.stderr
    assert brokers(house, settings)["state"] == "ok"


ANOTHER = "another authority"
PASSWORD_REFUSED = "does not let us in", "BOOKBAG_KAFKA_PASSWORD"


@pytest.mark.parametrize(
    ("wrong", "found", "named"),
    [
        ({"BOOKBAG_KAFKA_PASSWORD": "another"}, *PASSWORD_REFUSED),
        ({"BOOKBAG_KAFKA_PASSWORD": "another", "BOOKBAG_KAFKA_SASL": "PLAIN"}, *PASSWORD_REFUSED),
        ({"BOOKBAG_KAFKA_CA": ANOTHER}, "shows a certificate that is not trusted here", "BOOKBAG_KAFKA_CA"),
        ({"BOOKBAG_KAFKA_CA": ""}, "cannot be trusted", "BOOKBAG_KAFKA_CA"),
        ({"BOOKBAG_KAFKA_SECURITY": "SSL"}, "does not answer", "BOOKBAG_KAFKA_SECURITY"),
    ],
    ids=[
        "a wrong password",
        "a wrong plain one",
        "an authority it does not know",
        "no such file",
        "no password",
    ],
)
def test_what_keeps_somebody_out_is_said_with_the_setting_to_correct(
    house: House, guarded: EmbeddedKafka, certificate: CertificateFiles, tmp_path: Path,
    wrong: dict[str, str], found: str, named: str,
) -> None:  # fmt: skip
    if wrong.get("BOOKBAG_KAFKA_CA") == ANOTHER:
        wrong = {"BOOKBAG_KAFKA_CA": str(ensure_certificate(tmp_path).authority)}
    said = brokers(house, told(guarded, certificate, **wrong))
    assert (said["state"], said["found"]) == ("wrong", found)
    assert named in said["do"]


async def test_a_process_that_is_kept_out_says_why_it_waits(
    fresh_house: House, guarded: EmbeddedKafka, certificate: CertificateFiles
) -> None:
    settings = told(guarded, certificate, BOOKBAG_KAFKA_PASSWORD="another")
    why = "does not let us in"
    migrating = bookbag(fresh_house, settings, "migrate", "messaging", "--wait", "8")
    assert f"could not end within 8 s: kafka {why}. Correct BOOKBAG_KAFKA_USER, BOOKBAG" in migrating.stderr
    assert bookbag(fresh_house, settings, "consumers", "lag").stderr.startswith(f"kafka {why}. Correct BOOKBAG_KAFKA")
    with Installation(fresh_house, "kafka", settings).worker("kept out"):
        log = fresh_house.folder / "kept out.log"

        async def says_so() -> bool:
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            waits = [line["dependency"] for line in lines if line["event"] == "waits for what is away"]
            return f"kafka, which {why}" in waits

        await eventually(says_so)
