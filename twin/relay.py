"""Carry TCP connections between a port and a unix socket.

A unix socket is reached through the file system, so it joins two network namespaces that have
no route to each other: that is how the twin's user on 127.0.0.1 reaches Cloud Run's front and
home's API server without any address of the twin on the normal machine's network.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CHUNK_BYTES = 256 * 1024


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


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _open(endpoint: Endpoint) -> Streams:
    if endpoint.path:
        return await asyncio.open_unix_connection(endpoint.path)
    return await asyncio.open_connection(endpoint.host, endpoint.port)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction; the end of the input is passed on, not the connection's end."""
    with contextlib.suppress(OSError):  # either side may hang up at any time
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


async def serve(listen: Endpoint, connect: Endpoint) -> None:
    """Relay until SIGTERM."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            far_reader, far = await _open(connect)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, far))
                group.create_task(_pump(far_reader, writer))
        except OSError:
            pass  # the far side is down: closing says so to the near side
        finally:
            for side in (writer, far):
                if side is not None:
                    side.close()

    if listen.path:
        server = await asyncio.start_unix_server(carry, listen.path)
    else:
        server = await asyncio.start_server(carry, listen.host, listen.port)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with server:
        await stopped.wait()


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
