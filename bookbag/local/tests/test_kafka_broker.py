"""The real broker of stack and tests: it keeps its address and what it accepted, and says in a sentence why it does not start."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from bookbag.local import kafka
from bookbag.local.environment import REPOSITORY
from bookbag.local.kafka import EmbeddedKafka
from bookbag.local.parts import start
from bookbag.local.process import is_running, wait_until
from bookbag.local.refusals import CannotStart
from bookbag.local.testing_broker import TestBroker

needs_broker = pytest.mark.skipif(kafka.why_not() is not None, reason=kafka.why_not() or "")


@pytest.fixture
def broker(tmp_path):
    server = EmbeddedKafka(tmp_path / "kafka")
    yield server
    server.stop()


def publish(server, *values):
    producer = KafkaProducer(bootstrap_servers=server.address.bootstrap, acks="all")
    for value in values:
        producer.send("notes", value.encode()).get(10)
    producer.close()


def published(server):
    consumer = KafkaConsumer("notes", bootstrap_servers=server.address.bootstrap, auto_offset_reset="earliest",
                             consumer_timeout_ms=2000)  # fmt: skip
    values = [record.value.decode() for record in consumer]
    consumer.close()
    return values


@needs_broker
@pytest.mark.chaos
@pytest.mark.req("OPS-4")
def test_what_was_accepted_survives_kill_9_under_the_same_address_until_it_is_wiped(broker):
    start(broker)
    address = broker.address
    admin = KafkaAdminClient(bootstrap_servers=address.bootstrap)
    admin.create_topics([NewTopic("notes", 1, 1)])
    cluster = admin.describe_cluster()["cluster_id"]
    admin.close()
    publish(broker, "one", "two")
    os.kill(broker.process.pid, signal.SIGKILL)
    start(broker)
    assert broker.address == address
    assert published(broker) == ["one", "two"]
    broker.wipe()
    start(broker)
    admin = KafkaAdminClient(bootstrap_servers=address.bootstrap)
    assert admin.describe_cluster()["cluster_id"] != cluster
    assert "notes" not in admin.list_topics()
    admin.close()


@needs_broker
def test_a_port_that_was_asked_for_and_is_taken_is_said_so(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        server = EmbeddedKafka(tmp_path / "kafka", port)
        try:
            with pytest.raises(CannotStart, match=f"Port {port}, wanted for Kafka, is in use"):
                start(server)
        finally:
            server.stop()


@needs_broker
def test_a_run_shares_one_broker_that_ends_with_its_last_member(tmp_path):
    run = f"broker-{tmp_path}"
    with TestBroker.join(run) as first:
        with TestBroker.join(run) as second:
            assert second.address == first.address
            assert second.prefix() != first.prefix()
        folder = first._folder
        pid = int((folder / "kafka" / "pid").read_text().split()[0])
        assert is_running(pid)
    assert wait_until(lambda: not folder.exists() and not is_running(pid), 30)


def test_a_machine_without_java_is_told_what_to_type(tmp_path):
    program = "from bookbag.local.kafka import why_not; print(why_not())"
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert told.stdout.strip() == "Kafka needs Java 17: install it (sudo apt-get install openjdk-17-jre-headless)."
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert told.stdout.startswith("Kafka needs Java 17 or later and ")


def test_a_jar_that_is_missing_unknown_or_altered_is_not_let_in(tmp_path):
    from tools.bootstrap import kafka as fetching

    lines = []
    for name, words in (("good.jar", b"good"), ("altered.jar", b"as listed"), ("missing.jar", b"missing")):
        (tmp_path / name).write_bytes(words)
        digest = subprocess.run(["sha256sum", name], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        lines.append(digest)
    (tmp_path / "list").write_text("".join(lines))
    (tmp_path / "altered.jar").write_bytes(b"something else")
    (tmp_path / "missing.jar").unlink()
    (tmp_path / "unknown.jar").touch()
    assert fetching.differences(tmp_path, tmp_path / "list") == ["altered.jar", "missing.jar", "unknown.jar"]


def test_the_list_of_jars_is_where_the_broker_looks():
    from tools.bootstrap import kafka as fetching

    assert fetching.folder() == kafka.folder_of_jars()
    assert len(fetching.listed(fetching.LIST)) > 40
