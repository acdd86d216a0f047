"""Chosen ports are free, differ, and are none that the system would give to an outgoing connection."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bookbag.local import ports


@pytest.mark.parametrize("choose", [ports.choose, ports.choose_lasting])
def test_chosen_ports_differ_and_are_free(choose):
    chosen = choose(50)
    assert len(set(chosen)) == 50
    assert all(ports.is_free(port) for port in chosen)


def test_no_outgoing_connection_can_take_a_chosen_port_before_its_server_listens():
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given.read_text().split()[0]) if given.exists() else 49152
    assert all(port < lowest for port in ports.choose_lasting(50))


def test_a_port_in_use_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not ports.is_free(taken.getsockname()[1])


CHOOSES = "from bookbag.local import ports; print(*ports.choose_lasting(1500), flush=True); input()"


def test_what_one_process_has_chosen_no_other_chooses_until_it_ends():
    with subprocess.Popen(
        [sys.executable, "-c", CHOOSES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        theirs = set(map(int, other.stdout.readline().split()))
        ours = set(ports.choose_lasting(1500))
        assert (len(theirs), len(ours), theirs & ours) == (1500, 1500, set())
        other.stdin.write("\n")
    with subprocess.Popen(
        [sys.executable, "-c", CHOOSES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as next_one:
        assert set(map(int, next_one.stdout.readline().split())) & theirs
        next_one.stdin.write("\n")
