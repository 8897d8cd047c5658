"""Ports of 127.0.0.1 for servers that have to be told theirs.

A server of this process takes port 0 instead.
"""

from __future__ import annotations

import socket

_reserved: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody else is given while this process runs.

    It stays bound here, without listening: the kernel chooses it for no other socket, and a server
    with SO_REUSEADDR, as all servers of the tests have, can listen on it. Until then a connection
    to it is refused.
    """
    return free_ports_in_a_row(1)


def free_ports_in_a_row(count: int) -> int:
    """The first of as many neighbouring ports, each as from :func:`free_port`."""
    while True:
        first = _reserve(0)
        assert first is not None
        if all(_reserve(first + i) for i in range(1, count)):
            return first


def _reserve(port: int) -> int | None:
    """The port that was reserved, or ``None`` where another socket is."""
    reserved = socket.socket()
    try:
        reserved.bind(("127.0.0.1", port))
    except (OSError, OverflowError):
        reserved.close()
        return None
    # Only now: with it, two sockets that do not listen could have been bound to one port.
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _reserved.append(reserved)
    return reserved.getsockname()[1]
