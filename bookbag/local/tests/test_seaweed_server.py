"""The S3 server of stack and tests: on loopback alone, keys for the owner's eyes, and everything it accepted survives its death."""

import os
import re
import signal
import subprocess

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bookbag.local import seaweed
from bookbag.local.parts import start
from bookbag.local.process import is_running, wait_until
from bookbag.local.refusals import CannotStart
from bookbag.local.seaweed import EmbeddedSeaweed
from bookbag.local.testing_objects import TestObjects

pytestmark = pytest.mark.skipif(seaweed.why_not() is not None, reason=seaweed.why_not() or "")


@pytest.fixture
def server(tmp_path):
    made = EmbeddedSeaweed(tmp_path / "seaweed")
    yield made
    made.stop()


def client(address, secret=None):
    return boto3.client(
        "s3", endpoint_url=address.endpoint, region_name=seaweed.REGION, aws_access_key_id=address.access_key,
        aws_secret_access_key=secret or address.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, read_timeout=5),
    )  # fmt: skip


def listening(pid):
    """The addresses a process listens on, as the kernel names them."""
    said = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    return [line.split()[3] for line in said.splitlines() if f"pid={pid}," in line]


def test_what_was_accepted_survives_kill_9_under_the_same_address(server):
    start(server)
    address = server.address
    client(address).put_object(Bucket=address.bucket, Key="kept", Body=b"hello")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    start(server)
    assert server.address == address
    assert client(address).get_object(Bucket=address.bucket, Key="kept")["Body"].read() == b"hello"


def test_only_loopback_is_bound_only_ports_that_were_chosen_and_only_the_keys_open_it(server, tmp_path):
    start(server)
    places = listening(server.process.pid)
    assert len(places) == 8
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+", place) for place in places), places
    with pytest.raises(ClientError) as refused:
        client(server.address, secret="another").list_objects_v2(Bucket=server.address.bucket)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    keys = tmp_path / "seaweed" / "s3.json"
    assert keys.stat().st_mode & 0o777 == 0o600
    command = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(server.process.pid)], capture_output=True, text=True
    ).stdout
    assert "telemetry=false" in command
    assert server.address.secret_key not in command
    assert server.address.secret_key not in repr(server.address)


def test_a_port_that_somebody_took_meanwhile_is_left_to_them(server):
    start(server)
    before = server.address
    server.stop()
    other = EmbeddedSeaweed(server.log.parent)
    taken = int(before.endpoint.rpartition(":")[2])
    with subprocess.Popen(["python3", "-c", f"import socket,sys; s=socket.create_server(('127.0.0.1',{taken})); print(1,flush=True); sys.stdin.read()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as squatter:  # fmt: skip
        squatter.stdout.readline()
        try:
            start(other)
            assert other.address.endpoint != before.endpoint
            assert (other.address.access_key, other.address.secret_key) == (before.access_key, before.secret_key)
        finally:
            other.stop()
            squatter.stdin.close()


def test_a_server_that_cannot_start_says_why_in_a_sentence(server, tmp_path):
    (tmp_path / "seaweed").mkdir()
    (tmp_path / "seaweed" / "s3.json").write_text('{"identities": [{"name": "x", "credentials": '
                                                  '[{"accessKey": "a", "secretKey": "s"}], "actions": 5}]}')  # fmt: skip
    with pytest.raises(CannotStart, match="SeaweedFS does not start"):
        start(server)


def test_the_server_of_a_run_is_one_and_ends_with_its_last_member(tmp_path):
    first, second = TestObjects.join(str(tmp_path)), TestObjects.join(str(tmp_path))
    assert first.address == second.address
    first.leave()
    assert client(second.address).list_objects_v2(Bucket=second.address.bucket)["KeyCount"] == 1
    pid = int(
        next(line.split("pid=")[1].split(",")[0] for line in _all_listening() if first.address.endpoint[7:] in line)
    )
    second.leave()
    assert wait_until(lambda: not is_running(pid), 20)


def _all_listening():
    return subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
