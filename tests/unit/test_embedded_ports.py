"""Ports for servers that start a moment later."""

import socket
from pathlib import Path

from tokenq_server.embedded.ports import free_port


def test_no_outgoing_connection_can_take_a_chosen_port() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not any(first <= free_port() <= last for _ in range(50))


def test_the_preferred_port_is_kept_until_a_server_listens_there() -> None:
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.socket() as server:
        server.bind(("127.0.0.1", preferred))
        server.listen()
        assert free_port(preferred) != preferred
