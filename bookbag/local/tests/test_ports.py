"""Chosen ports are free, differ, and are none that the system would give to an outgoing connection."""

import socket
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
