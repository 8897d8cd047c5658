"""A SOCKS5 port that behaves as tailscaled's does while the tunnel comes up, and after."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

DIAL_SECONDS = 5.0
"""tailscaled gives a dial this long, then says "general failure" (net/socks5, 1.102.3)."""


@dataclass
class Tunnel:
    """Carries connections to ``home_port`` of loopback while ``is_up`` is set."""

    home_port: int
    dial_seconds: float
    port: int = 0
    is_up: threading.Event = field(default_factory=threading.Event)
    dials: int = 0
    refusals: int = 0
    """Dials that were given up."""


@contextmanager
def socks_tunnel(home_port: int, dial_seconds: float = DIAL_SECONDS) -> Generator[Tunnel]:
    """A tunnel that is down; a dial through it waits until it is up, or is given up."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        tunnel = Tunnel(home_port, dial_seconds, port=listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, tunnel), daemon=True).start()
        yield tunnel
        tunnel.is_up.set()


def _accept(listener: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError):  # the listener is closed at the end
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, tunnel), daemon=True).start()


def _serve(client: socket.socket, tunnel: Tunnel) -> None:
    """One connection: greeting, CONNECT with a domain name, then bytes both ways (RFC 1928)."""
    with client, contextlib.suppress(OSError):
        client.recv(2 + 255)
        client.sendall(b"\x05\x00")
        client.recv(4 + 1 + 255 + 2)
        tunnel.dials += 1
        if not tunnel.is_up.wait(tunnel.dial_seconds):
            tunnel.refusals += 1
            client.sendall(b"\x05\x01\x00\x01" + bytes(6))
            return
        with socket.create_connection(("127.0.0.1", tunnel.home_port)) as home:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            back = threading.Thread(target=_copy, args=(home, client), daemon=True)
            back.start()
            _copy(client, home)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
