"""Carry TCP connections between a port and a unix socket.

A unix socket is reached through the file system, so it joins two network namespaces that have
no route to each other: that is how the twin's user on 127.0.0.1 reaches home's API server without
any address of the twin on the normal machine's network.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CHUNK_BYTES = 256 * 1024
BACKLOG = 100
"""As asyncio's servers have it."""
PAUSE_SECONDS = 1


@dataclass(frozen=True)
class Endpoint:
    """``HOST:PORT`` or ``unix:PATH``."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        if text.startswith("unix:"):
            return cls(path=text.removeprefix("unix:"))
        host, _, port = text.rpartition(":")
        return cls(host=host, port=int(port))

    def socket(self) -> socket.socket:
        """One of its kind, for asyncio."""
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        made.settimeout(0)
        if not self.path:
            # Else small pieces wait 40 ms for acknowledgements. What is accepted inherits it.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    @property
    def address(self) -> str | tuple[str, int]:
        """As sockets take it."""
        return self.path or (self.host, self.port)


async def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy one direction, to its end or to the end of either connection.

    Plain sockets: asyncio's own transports drop what has arrived when a write fails, and so the
    answer of a server that refuses a request before it has read all of it.
    """
    loop, ended = asyncio.get_running_loop(), socket.SHUT_WR
    try:
        while chunk := await loop.sock_recv(source, CHUNK_BYTES):
            try:
                await loop.sock_sendall(target, chunk)
            except OSError:
                return  # what the target has said before it went is for the other direction
    except OSError:
        ended = socket.SHUT_RDWR
    with contextlib.suppress(OSError):
        target.shutdown(ended)


async def _carry(near: socket.socket, connect: Endpoint) -> None:
    with near, connect.socket() as far:
        try:
            await asyncio.get_running_loop().sock_connect(far, connect.address)
        except OSError:
            return  # closing says to the near side that the far one is down
        await asyncio.gather(_pump(near, far), _pump(far, near))


async def _serve(listener: socket.socket, connect: Endpoint) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as connections:
        while True:
            try:
                near, _ = await loop.sock_accept(listener)
            except OSError:  # too many are open
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            connections.create_task(_carry(near, connect))


async def serve(listen: Endpoint, connect: Endpoint) -> None:
    """Relay until SIGTERM."""
    with listen.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(listen.address)
        listener.listen(BACKLOG)
        serving = asyncio.create_task(_serve(listener, connect))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=Endpoint.parse, required=True, help="HOST:PORT|unix:PATH")
    parser.add_argument("--connect", type=Endpoint.parse, required=True, help="HOST:PORT|unix:PATH")
    arguments = parser.parse_args()
    if arguments.listen.path:
        Path(arguments.listen.path).unlink(missing_ok=True)
    asyncio.run(serve(arguments.listen, arguments.connect))


if __name__ == "__main__":
    main()
